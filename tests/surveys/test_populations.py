"""The mock populations: Table 2 as printed, volume times mass function, the realistic galaxies."""

import numpy as np
import pytest
import torch
from astropy.cosmology import FlatLambdaCDM
from laws_tools import SDSS
from real_data import bc03
from scipy import integrate, stats
from toy_world import GRID, SPECTRA

from popsed_core.config.spectra import CosmologyConfig
from popsed_core.parameters import DERIVED, NAMES
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.surveys.mocks import observe as mock
from popsed_core.surveys.mocks.depth import least_mass_in_r
from popsed_core.surveys.mocks.populations import (
    POPULATIONS,
    VolumeMassDensity,
    mass_function,
    realistic,
    table2,
)
from popsed_core.theta import Theta

LIMIT = 17.77  # [mag]
N_DRAWS = 20_000


@pytest.fixture(scope="module")
def photometry():
    return build_synthetic_photometry(GRID, SDSS, SPECTRA, (1e-3, 0.8)).double()


# --- Table 2 of the paper -------------------------------------------------------------------

# name: (low, high, mu, sigma) of the truncated normals
TABLE2 = {
    "kappa_1": (0, 1, 0.5, 0.3),
    "t_burst": (0.01, 13.27, 12, 7),
    "f_burst": (0, 1, 0.1, 0.7),
    "logzsol": (-2.6, 0.3, -1.2, 0.9),
    "dust_index": (-3, 1, 2, 2),
    "tau_bc": (0, 3, 1, 0.8),
    "tau_ism": (0, 3, 0.6, 0.8),
}


@pytest.fixture(scope="module")
def table2_columns():
    columns = {"redshift": np.full(N_DRAWS, 0.1), "log_stellar_mass": np.full(N_DRAWS, 10.0)}
    return table2(np.random.default_rng(0), columns)


@pytest.mark.parametrize("name", NAMES[2:])
def test_table_2_has_the_printed_distributions(table2_columns, name):
    law = stats.uniform()
    if name in TABLE2:
        low, high, mean, sigma = TABLE2[name]
        law = stats.truncnorm((low - mean) / sigma, (high - mean) / sigma, mean, sigma)
    values = table2_columns[name]
    assert stats.kstest(values, law.cdf).pvalue > 1e-3
    assert values.mean() == pytest.approx(law.mean(), abs=4 * law.std() / np.sqrt(N_DRAWS))
    assert values.std() == pytest.approx(law.std(), rel=0.03)


def test_table_2_parameters_are_independent(table2_columns):
    matrix = np.corrcoef([table2_columns[name] for name in NAMES[2:]])
    assert np.abs(matrix - np.eye(len(matrix))).max() < 4.5 / np.sqrt(N_DRAWS)


# --- redshift and mass ----------------------------------------------------------------------


def linear_schechter(ratio):
    """Baldry et al. 2012 per M*, phi(M) dM = e^-x (phi1 x^a1 + phi2 x^a2) dx, [1e-3/Mpc3]."""
    return np.exp(-ratio) * (3.96 * ratio**-0.35 + 0.79 * ratio**-1.47)


@pytest.mark.parametrize(("low", "high"), [(8.0, 9.0), (9.0, 10.5), (10.5, 12.0)])
def test_the_mass_function_integrates_to_the_published_one(low, high):
    formed = np.linspace(low, high, 4001)
    per_dex = np.trapezoid(mass_function(formed + 0.22, np.zeros_like(formed)), formed)
    ends = 10 ** (low - 10.66), 10 ** (high - 10.66)
    direct, _ = integrate.quad(linear_schechter, *ends, epsrel=1e-9)
    assert per_dex * np.log(10) == pytest.approx(direct, rel=1e-5)


def test_the_knee_falls_by_a_tenth_of_a_dex_per_unit_redshift():
    mass = np.linspace(9, 12, 50)
    now, then = mass_function(mass, np.zeros(50)), mass_function(mass - 0.05, np.full(50, 0.5))
    np.testing.assert_allclose(now, then, rtol=1e-12)


@pytest.fixture(scope="module")
def density_and_rejected():
    """Draws of the table, and of rejection sampling with astropy's volume."""
    config, limit, brightest_ml, n = CosmologyConfig(), 17.5, 0.3, 3000
    table = VolumeMassDensity(config, 0.5, least_mass_in_r(config, limit, brightest_ml))
    drawn = table.sample(np.random.default_rng(1), n)
    cosmology = FlatLambdaCDM(H0=config.hubble, Om0=config.omega_m)
    random = np.random.default_rng(2)
    redshift, mass = random.uniform(0.002, 0.5, 2_000_000), random.uniform(7.5, 13, 2_000_000)
    nodes = np.linspace(0.001, 0.5, 3000)
    volume = np.interp(redshift, nodes, cosmology.differential_comoving_volume(nodes).value)
    absolute = limit - np.interp(redshift, nodes, cosmology.distmod(nodes).value)
    is_seen = mass > 0.4 * (4.65 - absolute) + np.log10(brightest_ml)
    weight = volume * mass_function(mass, redshift) * is_seen
    keep = random.uniform(size=len(weight)) * weight.max() < weight
    return drawn, {"redshift": redshift[keep], "log_stellar_mass": mass[keep]}


@pytest.mark.parametrize(
    "statistic",
    [
        lambda columns: columns["redshift"],
        lambda columns: columns["log_stellar_mass"],
        lambda columns: columns["log_stellar_mass"] - 2.3 * np.log10(columns["redshift"]),
    ],
    ids=["redshift", "mass", "both"],
)
def test_redshift_and_mass_follow_volume_times_mass_function(density_and_rejected, statistic):
    drawn, rejected = (statistic(columns) for columns in density_and_rejected)
    assert len(rejected) > 1000
    assert stats.ks_2samp(drawn, rejected).pvalue > 1e-3


@pytest.mark.real
@pytest.mark.parametrize("kind", tuple(POPULATIONS))
def test_galaxies_that_are_not_drawn_would_not_pass_the_limit(kind):
    """The density omits faint cells; if drawn anyway, none of their galaxies is seen."""
    grid = bc03()  # toy spectra have other mass-to-light ratios
    population, config, limit = POPULATIONS[kind], CosmologyConfig(), LIMIT + mock.DRAW_MARGIN
    deeper = least_mass_in_r(config, limit, population.brightest_ml / 5)
    generous = VolumeMassDensity(config, 0.8, deeper)
    random = np.random.default_rng(5)
    columns = population.draw(random, generous.sample(random, 10_000))
    distance = FlatLambdaCDM(H0=67.7, Om0=0.307).distmod(columns["redshift"]).value
    edge = 0.4 * (4.65 + distance - limit) + np.log10(population.brightest_ml)
    theta = Theta(*(torch.as_tensor(columns[name]) for name in NAMES))
    real = build_synthetic_photometry(grid, SDSS[2:3], SPECTRA, (1e-3, 0.8)).double()
    with torch.no_grad():
        is_seen = -2.5 * np.log10(real(theta)[:, 0].numpy()) < LIMIT
    is_left_out = columns["log_stellar_mass"] < edge
    assert is_left_out.sum() > 1000
    assert is_seen.sum() > 30
    assert (is_seen & is_left_out).sum() == 0


# --- the realistic population ---------------------------------------------------------------


def realistic_at(log_surviving_mass, n=N_DRAWS, redshift=0.02):
    columns = {
        "redshift": np.full(n, redshift),
        "log_stellar_mass": np.full(n, log_surviving_mass + 0.22),
    }
    return realistic(np.random.default_rng(4), columns)


def log_sfr(columns, photometry):
    theta = Theta(*(torch.as_tensor(columns[name]) for name in NAMES))
    with torch.no_grad():
        derived = photometry.derived(theta).numpy()
    return derived[:, [row.name for row in DERIVED].index("log_sfr")]


@pytest.mark.parametrize("mass", [8.8, 9.5, 10.0])
def test_star_forming_galaxies_lie_on_the_main_sequence(mass, photometry):
    found = log_sfr(realistic_at(mass, 4000), photometry)
    expected = 0.76 * mass - 7.64  # Renzini & Peng 2015
    forming = found[found > expected - 1.2]
    assert np.median(forming) == pytest.approx(expected, abs=0.1)
    assert forming.std() == pytest.approx(0.3, abs=0.06)


@pytest.mark.parametrize("mass", [9.5, 10.56, 11.0, 11.5])
def test_the_quiescent_fraction_is_that_of_mass_quenching(mass, photometry):
    sequence = 0.76 * mass - 7.64
    found = np.mean(log_sfr(realistic_at(mass, 4000), photometry) < sequence - 0.75)
    quenched = 1 - np.exp(-((10 ** (mass - 10.56)) ** 0.8))  # Peng et al. 2010
    # quiescent: 10^-12 / yr of the formed mass within 0.4 dex; the sequence is 0.3 dex wide
    passive = stats.norm(mass + 0.22 - 12, 0.4).cdf(sequence - 0.75)
    expected = quenched * passive + (1 - quenched) * stats.norm.cdf(-0.75 / 0.3)
    assert found == pytest.approx(expected, abs=0.03)


def test_metallicity_rises_with_mass_as_measured():
    medians = [np.median(realistic_at(mass)["logzsol"]) for mass in (9.0, 10.3, 11.1)]
    np.testing.assert_allclose(medians, [-0.6, -0.11, 0.1], atol=0.03)


@pytest.mark.parametrize("mass", [7.5, 10.0, 12.5])
def test_every_parameter_is_within_the_fits_box(mass):
    columns = realistic_at(mass)
    ranges = {
        "kappa_1": (0, 1), "kappa_2": (0, 1), "kappa_3": (0, 1), "t_burst": (0.01, 13.27),
        "f_burst": (0, 1), "logzsol": (-2.6, 0.3), "dust_index": (-3, 1), "tau_bc": (0, 3),
        "tau_ism": (0, 3),
    }  # fmt: skip
    for name, (low, high) in ranges.items():
        assert np.isfinite(columns[name]).all(), name
        assert (columns[name] >= low).all(), name
        assert (columns[name] <= high).all(), name
