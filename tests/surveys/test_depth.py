"""What a mock does not draw: nothing that its limit would have let in, in any band."""

import numpy as np
import pytest
import torch
from laws_tools import SDSS, galaxy, make_cosmology
from scipy import stats
from toy_world import BANDS, GRID, SPECTRA, base_catalogue, noise_table

from popsed_core.config.spectra import CosmologyConfig
from popsed_core.config.surveys import MockSurvey
from popsed_core.parameters import NAMES
from popsed_core.photometry.noise import NoiseModel
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.surveys.mocks import depth as mock_depth
from popsed_core.surveys.mocks import observe as mock
from popsed_core.surveys.mocks.depth import error_margin, least_mass_in_band, least_mass_in_r
from popsed_core.surveys.mocks.populations import POPULATIONS
from popsed_core.theta import Theta

BASE = base_catalogue()
NOISE = NoiseModel(noise_table(BASE)).double()
REDSHIFTS = (mock.MIN_REDSHIFT, 0.8)
KINDS = tuple(POPULATIONS)
N_DRAWS = 20_000


def everything(redshift):
    """No least mass: nothing is left out."""
    return np.full_like(redshift, -np.inf)


@pytest.fixture(scope="module")
def photometry():
    return build_synthetic_photometry(GRID, SDSS, SPECTRA, REDSHIFTS).double()


@pytest.fixture(scope="module", autouse=True)
def one_look(photometry):
    """The bound is computed once for all bands; each test uses one of them."""
    known, brightest = {}, mock_depth._brightest

    def remembered(model, grid, parts, redshift):
        if model is not photometry:
            return brightest(model, grid, parts, redshift)
        if (parts, redshift) not in known:
            known[parts, redshift] = brightest(model, grid, parts, redshift)
        return known[parts, redshift]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mock_depth, "_brightest", remembered)
        yield


@pytest.fixture(scope="module", params=KINDS)
def galaxies(request, photometry):
    """Kind, redshift, mass and noiseless magnitudes over the whole plane of redshift and mass."""
    random = np.random.default_rng(11)
    columns = {
        "redshift": np.exp(random.uniform(*np.log(REDSHIFTS), N_DRAWS)),
        "log_stellar_mass": random.uniform(7.5, 12.5, N_DRAWS),
    }
    columns = POPULATIONS[request.param].draw(random, columns)
    theta = Theta(*(torch.as_tensor(columns[name]) for name in NAMES))
    with torch.no_grad():
        mag = -2.5 * np.log10(photometry(theta).numpy())
    return request.param, columns["redshift"], columns["log_stellar_mass"], mag


def least_mass(photometry, kind, band, limit):
    parts = POPULATIONS[kind].parts
    return least_mass_in_band(
        photometry, GRID, parts, band=band, limit_mag=limit, redshift_range=REDSHIFTS
    )


@pytest.mark.parametrize("band", range(5), ids=BANDS)
def test_no_galaxy_is_brighter_than_the_brightest_of_its_parts(galaxies, photometry, band):
    kind, redshift, mass, mag = galaxies
    least = least_mass(photometry, kind, band, 0.0)(redshift)  # of magnitude 0
    excess = least - mass - 0.4 * mag[:, band]
    assert excess.max() < 0.4 * 0.01  # [dex] a hundredth of a magnitude between the redshifts


@pytest.mark.parametrize("redshift", [0.0012, 0.1, 0.7])
def test_a_young_burst_without_dust_is_that_bright(photometry, redshift):
    """The bound is the least one for galaxies that may be a single burst of 10 Myr."""
    nodes = [
        galaxy(redshift=redshift, f_burst=1.0, t_burst=0.01, tau_bc=0.0, tau_ism=0.0, logzsol=metal)
        for metal in GRID.ssp_lgmet - GRID.log_zsun
    ]
    with torch.no_grad():
        mag = -2.5 * torch.cat([photometry(node) for node in nodes]).log10()
    least = least_mass(photometry, "table2_mock", 1, mag[:, 1].min().item())
    assert least(np.array([redshift])) == pytest.approx(10.5, abs=0.004)


@pytest.mark.parametrize("tail", [None, 3.0])
@pytest.mark.parametrize("band", [0, 1, 3, 4], ids="ugiz")
def test_every_galaxy_that_passes_a_limit_would_have_been_drawn(galaxies, photometry, band, tail):
    """With noise, a zero point and the model's errors."""
    kind, redshift, mass, mag = galaxies
    config = MockSurvey(
        kind, "toy", limit_band=BANDS[band], limit_mag=17.0, model_error=0.01, colour_error=0.03,
        error_tail=tail,
    )  # fmt: skip
    waves, zero_point = np.linspace(3500, 9000, 5), -0.05
    errors = mock.ModelErrors(config, waves).draw(np.random.default_rng(1), N_DRAWS)
    flux = torch.as_tensor(10 ** (-0.4 * (mag + errors + zero_point)))
    observed = -2.5 * NOISE(flux, torch.Generator().manual_seed(2), 1.0).log10().numpy()
    limit = config.limit_mag + mock.DRAW_MARGIN + error_margin(config, NOISE, band, zero_point)
    is_drawn = mass > least_mass(photometry, kind, band, limit)(redshift)
    is_seen = observed[:, band] < config.limit_mag
    assert is_seen.sum() > 2000
    assert (~is_drawn).sum() > 1000
    assert (is_seen & ~is_drawn).sum() == 0


def test_noise_at_the_limit_widens_the_margin_without_end_to_it():
    margins = [
        error_margin(MockSurvey("table2_mock", "toy", limit_mag=limit), NOISE, 3, 0.0)
        for limit in (15.0, 18.0, 19.5, 25.0)
    ]
    assert margins == sorted(margins)
    assert margins[0] < 0.02
    assert margins[1] == pytest.approx(-2.5 * np.log10(1 - 4 * 0.03 / 1.0857), abs=0.02)
    assert margins[3] == pytest.approx(-2.5 * np.log10(0.05))


@pytest.mark.parametrize("kind", KINDS)
def test_a_mock_limited_in_z_is_the_one_that_leaves_nothing_out(kind, monkeypatch):
    """Redshifts and masses as drawn, and with every cell of the plane drawn (the slow twin)."""
    monkeypatch.setattr(mock, "BATCH", 4000)
    monkeypatch.setattr(mock, "MAX_BATCHES", 100)
    config = MockSurvey(
        kind, "toy", n_galaxies=600, limit_band="z", limit_mag=18.5, max_redshift=0.15
    )
    world = {"grid": GRID, "like": mock.RealSurvey(BASE, noise_table(BASE))}
    _, quick = mock.observe("m", config, SPECTRA, seed=1, **world)
    monkeypatch.setattr(mock, "least_mass_in_band", lambda *_, **__: everything)
    catalogue, slow = mock.observe("m", config, SPECTRA, seed=2, **world)
    assert catalogue.n_kept[1] < 0.3 * catalogue.n_kept[0]  # most are too faint
    for name in ("redshift", "log_stellar_mass", "f_burst", "log_sfr"):
        assert stats.ks_2samp(quick.column(name), slow.column(name)).pvalue > 1e-3, name


def test_the_rule_in_r_is_the_mass_to_light_ratio():
    redshift = np.array([0.01, 0.1, 0.3])
    distance = make_cosmology(CosmologyConfig()).distmod(redshift).value
    least = least_mass_in_r(CosmologyConfig(), 17.77, 0.5)(redshift)
    luminosity = 10 ** (-0.4 * (17.77 - distance - 4.65))
    np.testing.assert_allclose(10**least, 0.5 * luminosity)
