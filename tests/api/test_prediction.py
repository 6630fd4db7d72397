"""Photometry and spectra of given galaxies, and the refusal of galaxies that no model knows."""

import numpy as np
import pytest
import torch
from astropy import units as u
from astropy.table import QTable, Table
from laws_tools import prior_draws

import popsed_core as popsed
from popsed_core.api.tables import to_theta
from popsed_core.photometry.filter_names import expand_filters, speclite_names
from popsed_core.photometry.filters import load_filter
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.theta import to_matrix

RANGE = (0.01, 0.5)


@pytest.fixture(scope="module")
def theta():
    draws = prior_draws(12, seed=2)
    redshift = torch.linspace(0.02, 0.45, 12, dtype=torch.float64)
    return draws._replace(redshift=redshift)


@pytest.fixture(scope="module")
def table(theta):
    return Table({name: column.numpy() for name, column in theta._asdict().items()})


@pytest.fixture(scope="module")
def seen(table, survey):
    return popsed.predict(
        table, ["sdss2010-g", "sdss2010-r"], redshift_range=RANGE, model=survey, spectra=True
    )


def test_photometry_is_the_forward_models(seen, theta, survey):
    names = ("sdss2010-g", "sdss2010-r")
    model = build_synthetic_photometry(survey.ssp, names, survey.config.spectra, RANGE).double()
    assert np.array_equal(seen.flux.to_value(u.mgy), model(theta).numpy())
    mag = -2.5 * np.log10(model(theta).numpy())
    assert seen.mag.to_value(u.ABmag) == pytest.approx(mag)
    jansky = seen.flux.to(u.Jy, u.zero_point_flux(3631 * u.Jy))
    assert jansky.to_value(u.ABmag) == pytest.approx(mag, abs=3e-4)  # IAU's zero is 3630.78 Jy


def test_a_spectrum_seen_through_a_filter_is_the_photometry(seen, theta):
    for band, name in enumerate(seen.filters):
        curve = load_filter(name)
        for row, redshift in enumerate(theta.redshift.tolist()):
            wave = seen.wave.to_value(u.AA) * (1 + redshift)
            response = np.interp(wave, curve.wave, curve.response, left=0, right=0)
            mean = (seen.fnu[row].to_value(u.Jy) * response).sum() / response.sum()
            assert mean / 3631 == pytest.approx(seen.flux[row, band].value, rel=5e-3)


def test_light_that_arrives_is_that_which_left(seen, theta, survey):
    from astropy.cosmology import FlatLambdaCDM

    config = survey.config.spectra.cosmology
    distance = FlatLambdaCDM(config.hubble, config.omega_m).luminosity_distance(theta.redshift)
    lsun = survey.ssp.lsun * u.erg / u.s
    lnu = seen.lnu.to_value(u.Lsun / u.Hz) * lsun / u.Hz
    stretch = (1 + theta.redshift.numpy())[:, None]
    expected = (stretch * lnu / (4 * np.pi * distance[:, None] ** 2)).to_value(u.Jy)
    is_clear = seen.wave > 1300 * u.AA  # no hydrogen in between absorbs there
    assert seen.fnu.to_value(u.Jy)[:, is_clear] == pytest.approx(expected[:, is_clear], rel=1e-6)


def test_units_of_a_table_are_converted(table, survey, seen):
    other = QTable(table)
    other["t_burst"] = (table["t_burst"].data * u.Gyr).to(u.Myr)
    other["log_stellar_mass"] = 10 ** table["log_stellar_mass"].data * u.Msun
    again = popsed.predict(other, ["sdss2010-g", "sdss2010-r"], redshift_range=RANGE, model=survey)
    assert again.flux.value == pytest.approx(seen.flux.value, rel=1e-9)


def test_a_wrong_unit_is_refused(table):
    other = table.copy()
    other["t_burst"].unit = u.Msun
    with pytest.raises(popsed.InputError, match="'t_burst' has the unit solMass, expected Gyr"):
        to_theta(other)


@pytest.mark.parametrize("made", [dict, QTable, np.asarray])
def test_tables_of_any_kind_are_read(made, table, theta):
    assert to_matrix(to_theta(made(table))).equal(to_matrix(theta))


def test_a_missing_parameter_is_named(table):
    other = table.copy()
    other.remove_columns(["tau_bc", "kappa_1"])
    with pytest.raises(popsed.InputError, match="no column kappa_1, tau_bc; expected all of"):
        to_theta(other)


def test_what_is_no_table_is_refused():
    with pytest.raises(popsed.InputError, match="got list, expected a table with the columns"):
        to_theta([1.0, 2.0])


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("redshift", 2.0, "redshift of row 3 is 2, expected 0.01 to 0.5, the range of the model"),
        ("logzsol", 9.0, "logzsol of row 3 is 9, expected -2.6 to 0.4"),
        ("kappa_2", -0.1, "kappa_2 of row 3 is -0.1, expected 0 to 1"),
        ("tau_ism", np.nan, "tau_ism of row 3 is nan"),
        ("log_stellar_mass", np.inf, "log_stellar_mass of row 3 is inf"),
    ],
)
def test_a_galaxy_outside_the_model_is_refused(name, value, text, table, survey):
    other = table.copy()
    other[name][3] = value
    with pytest.raises(popsed.InputError, match=text):
        popsed.predict(other, "sdss2010-r", redshift_range=RANGE, model=survey)


def test_by_default_the_galaxies_say_how_far_the_tables_go(table, survey, seen):
    own = popsed.predict(table, "sdss2010-r", model=survey)
    assert own.flux.value[:, 0] == pytest.approx(seen.flux.value[:, 1], rel=5e-3)
    assert own.wave is None


def test_samples_bring_their_own_model(samples, survey):
    ours = popsed.predict(samples, "sdss2010-r", redshift_range=(0.001, 0.8))
    theirs = popsed.predict(
        samples.to_table(), "sdss2010-r", redshift_range=(0.001, 0.8), model=survey.config
    )
    assert np.array_equal(ours.flux.value, theirs.flux.value)


def test_a_table_has_a_flux_and_a_magnitude_per_filter(seen):
    table = seen.to_table()
    names = [f"{kind}_sdss2010-{band}" for band in "gr" for kind in ("flux", "mag")]
    assert table.colnames == names
    assert [str(column.unit) for column in table.itercols()] == ["mgy", "mag(AB)"] * 2


@pytest.mark.parametrize("f_lost", [-0.1, 1.1])
def test_a_share_is_between_0_and_1(f_lost, table, survey):
    with pytest.raises(popsed.InputError, match="expected a share from 0 to 1"):
        popsed.predict(table, "sdss2010-r", model=survey, f_lost=f_lost)


def test_a_model_is_a_survey_fit_or_configuration(table):
    with pytest.raises(popsed.InputError, match="model: got str"):
        popsed.predict(table, "sdss2010-r", model="bc03")


def test_no_galaxy_is_refused(table, survey):
    with pytest.raises(popsed.InputError, match="got no rows"):
        popsed.predict(table[:0], "sdss2010-r", model=survey)


def test_a_pattern_stands_for_filters_by_wavelength():
    assert expand_filters(["lsst2023-*"]) == tuple(f"lsst2023-{band}" for band in "ugrizy")
    assert expand_filters(["sdss2010-r", "sdss2010-[gr]"]) == ("sdss2010-r", "sdss2010-g")
    assert expand_filters("sdss2010-i") == ("sdss2010-i",)
    assert "lsst2023-u" in speclite_names()


@pytest.mark.parametrize(
    ("patterns", "text"), [(["nothing-*"], "no filter matches 'nothing-"), ([], "got none")]
)
def test_a_pattern_without_a_match_lists_the_groups(patterns, text):
    with pytest.raises(popsed.InputError, match=text):
        expand_filters(patterns)
