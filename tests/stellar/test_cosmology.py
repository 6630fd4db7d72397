"""The closed integrals of flat LambdaCDM, against astropy's: no fit may notice which was used."""

import numpy as np
import pytest
import torch
from astropy import units as u
from laws_tools import make_cosmology

from popsed_core.config.spectra import CosmologyConfig
from popsed_core.stellar.cosmology import CosmologyTable, comoving_volume_density, make_universe

CONFIGS = [CosmologyConfig(), CosmologyConfig(70.0, 0.3), CosmologyConfig(67.36, 0.3153)]
REDSHIFT = np.linspace(0.0, 6.0, 2001)


@pytest.mark.parametrize("config", CONFIGS)
def test_every_bit_is_astropys(config):
    ours, theirs = make_universe(config), make_cosmology(config)
    pairs = {
        "rate": (ours.expansion_rate(REDSHIFT), theirs.H(REDSHIFT).value),
        "age": (ours.age(REDSHIFT), theirs.age(REDSHIFT).to_value(u.Gyr)),
        "distance": (ours.comoving_distance(REDSHIFT), theirs.comoving_distance(REDSHIFT).value),
        "modulus": (ours.distance_modulus(REDSHIFT[1:]), theirs.distmod(REDSHIFT[1:]).value),
        "volume": (
            comoving_volume_density(REDSHIFT, config),
            theirs.differential_comoving_volume(REDSHIFT).to_value(u.Mpc**3 / u.sr),
        ),
    }
    assert [name for name, (mine, twin) in pairs.items() if not np.array_equal(mine, twin)] == []


@pytest.mark.parametrize("config", CONFIGS)
def test_the_slope_of_age_is_that_of_astropys_hubble_rate(config):
    rate = make_cosmology(config).H(np.linspace(0.0, 1.5, 2001)).to_value(1 / u.Gyr)
    expected = -1.0 / ((1 + np.linspace(0.0, 1.5, 2001)) * rate)
    assert np.array_equal(CosmologyTable(config, 1.5).age_slope, expected)


def test_tables_are_float64():
    assert CosmologyTable(CosmologyConfig(), 1.5).distance.dtype == torch.float64
