"""Sections of surveys: each reader's own files, and what cannot be asked of it."""

import json

import pytest

from popsed_core.config.base import from_json
from popsed_core.config.surveys import GamaExtinction, GamaSurvey, Survey, TableSurvey
from popsed_core.errors import InputError

BAND = {"filter": "sdss2010-r", "value": "m", "error": "e"}
TABLE = {"kind": "table", "path": "x.csv", "quantity": "mag", "bands": {"r": BAND}}
MOCK = {"kind": "table2_mock", "noise_from": "mine"}


def survey(section):
    return from_json(Survey, json.dumps(section), "--survey")


def test_the_kind_chooses_the_reader_and_its_files():
    assert isinstance(survey(TABLE), TableSurvey)
    assert survey(TABLE).paths == ("x.csv",)
    assert survey({"kind": "kcorrect_sdss"}).paths == (None,)
    assert survey({"kind": "gama_dr3", "masses": "m.fits"}).paths == (None, "m.fits")


def test_extinction_is_a_third_table_of_gama():
    gama = GamaSurvey("gama_dr3", extinction=GamaExtinction("e.fits"))
    assert gama.paths == (None, None, "e.fits")


@pytest.mark.parametrize(
    ("section", "told"),
    [
        (TABLE | {"bands": {}}, "bands"),
        (TABLE | {"quantity": "counts"}, "quantity"),
        (TABLE | {"bands": {"r-1": BAND}}, "bands"),  # names become parts of files
        (TABLE | {"cuts": {"min_snr": -1}}, "cuts.min_snr"),
        ({"kind": "gama_dr3", "bands": ["q"]}, "bands"),
        ({"kind": "gama_dr3", "bands": ["Y"], "extinction": {}}, "take Y out of bands"),
        (MOCK | {"n_galaxies": 0}, "n_galaxies"),
        (MOCK | {"f_lost": 1.5}, "f_lost"),
        (MOCK | {"limit_mag": None}, "limit_mag: joint: volume has no faint end"),
        ({"kind": "sdss"}, "kind"),
    ],
)
def test_what_a_survey_cannot_be_is_refused_by_its_key(section, told):
    with pytest.raises(InputError, match=f"--survey: .*{told}"):
        survey(section)


def test_a_resampled_mock_needs_no_limit():
    assert survey(MOCK | {"limit_mag": None, "joint": "reference"}).limit_mag is None
