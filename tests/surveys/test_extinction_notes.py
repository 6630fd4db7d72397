"""Forgotten extinction is noticed where the table suggests it, and nowhere else."""

import pytest

from popsed_core.config.surveys import TableBand, TableSurvey
from popsed_core.surveys.extinction_notes import extinction_notes

OWN = ("flux_g", "flux_err_g", "flux_r", "flux_err_r", "z_spec", "mass", "name", "stellar_age")


def survey(path="my_galaxies.fits", value="flux_{}", g=None, r=None):
    bands = {
        band: TableBand(f"sdss2010-{band}", value.format(band), f"flux_err_{band}", extinction)
        for band, extinction in (("g", g), ("r", r))
    }
    return TableSurvey(kind="table", path=path, bands=bands, quantity="flux")


@pytest.mark.parametrize(
    "column",
    ["A_g", "a_r", "AG", "EBV", "E_BV", "e(b-v)", "E_B_V_SFD", "ebv_sfd98", "extinction_r",
     "EXTINCTION", "ext_g", "MW_TRANSMISSION_G", "gal_ext", "A_V", "sfd_ebv"],
)  # fmt: skip
def test_a_column_of_extinction_that_is_not_used_is_named(column):
    (note,) = extinction_notes(survey(), [*OWN, column])
    assert column in note
    assert note.startswith("bands g r: no Galactic extinction is subtracted")


@pytest.mark.parametrize("pair", [("ra", "dec"), ("RAJ2000", "DEJ2000"), ("ALPHA_J2000", "glat")])
def test_positions_say_that_the_sky_is_real(pair):
    (note,) = extinction_notes(survey(), [*OWN, *pair])
    assert "positions" in note


def test_a_known_survey_is_known_by_its_identifiers_and_its_name():
    assert "a table of DES" in extinction_notes(survey(), [*OWN, "COADD_OBJECT_ID"])[0]
    assert "its name says sdss" in extinction_notes(survey("data/SDSS_dr17.fits"), OWN)[0]


def test_simulated_galaxies_are_left_alone():
    assert extinction_notes(survey(), OWN) == ()
    assert extinction_notes(survey("grades.fits"), [*OWN, "age", "text", "fraction", "era"]) == ()


def test_corrected_values_and_those_with_a_column_are_left_alone():
    columns = [*OWN, "A_g", "A_r", "ra", "dec"]
    assert extinction_notes(survey(g="A_g", r="A_r"), columns) == ()
    assert extinction_notes(survey(value="flux_dered_{}"), columns) == ()


def test_a_band_that_was_left_out_is_named():
    (note,) = extinction_notes(survey(g="A_g"), OWN)
    assert note.startswith("bands r: no Galactic extinction is subtracted, but it is in g")
