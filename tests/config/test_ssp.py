"""The section of stellar populations: one reader, a range of wavelengths, maybe gas."""

import json

import pytest

from popsed_core.config.base import from_json, to_json
from popsed_core.config.ssp import (
    BC03Config,
    CloudyNebulae,
    FSPSNebulae,
    NoNebulae,
    SSPConfig,
    TiedIonisation,
)
from popsed_core.errors import InputError


@pytest.mark.parametrize(
    "nebular", [NoNebulae(), CloudyNebulae("cloudy", -2.5), FSPSNebulae("fsps", isochrones="pdva")]
)
def test_gas_of_every_kind_comes_back(nebular):
    ssp = SSPConfig(nebular=nebular)
    assert from_json(SSPConfig, to_json(ssp)) == ssp


def log_u(value):
    section = {"nebular": {"kind": "cloudy", "log_u": value}}
    return from_json(SSPConfig, json.dumps(section), "--section").nebular.log_u


def test_ionisation_is_a_number_or_follows_the_metals():
    assert log_u(-3) == -3.0
    assert log_u({"slope": -1.0}) == TiedIonisation(slope=-1.0)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"reader": "fsps", "path": "x.h5"}, "reader fsps computes its table"),
        ({"wave_low": 3e4}, "wave_low 30000 is not below wave_high 30000"),
        ({"nebular": {"kind": "cloudy", "log_u": 5}}, "log_u"),
        ({"nebular": {"kind": "cloudy", "isochrones": "mist"}}, "isochrones: unknown key"),
        ({"fsps": {"imf": "Scalo"}}, "fsps.imf"),
        ({"fsps": {"version": "latest"}}, "fsps.version"),
        ({"bc03": {"old_star_offset": [[5000, 0.1], [4000, 0.1]]}}, "increasing wavelengths"),
    ],
)
def test_what_makes_no_table_is_refused_by_its_key(section, told):
    with pytest.raises(InputError, match=f"--section: .*{told}"):
        from_json(SSPConfig, json.dumps(section), "--section")


def test_offsets_of_old_stars_are_none_by_default():
    assert BC03Config().old_star_offset == ()
