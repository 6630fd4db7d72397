import numpy as np
import pytest
import torch
from astropy import units as u
from laws_tools import (
    SDSS,
    WAVE_RANGE,
    corner_draws,
    galaxy,
    prior_draws,
    real_or_toy_grid,
    slow_spectrum,
)
from speclite.filters import load_filters

from popsed_core.config import SpectraConfig
from popsed_core.constants import MEGAPARSEC
from popsed_core.errors import InputError
from popsed_core.photometry.filters import load_filter
from popsed_core.photometry.projection import Projection
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.spectra.cosmology import make_cosmology
from popsed_core.spectra.ssp_toy import toy_grid
from popsed_core.spectra.wavelength import log_edges, log_integral
from popsed_core.theta import Theta, from_matrix, to_matrix

REDSHIFTS = (0.001, 0.8)


@pytest.fixture(scope="module")
def grid():
    return real_or_toy_grid()


@pytest.fixture(scope="module")
def curves():
    return [load_filter(name) for name in SDSS]


def build(grid, n_pixels, tolerance=None):
    config = SpectraConfig(n_pixels=n_pixels)
    return build_synthetic_photometry(grid, SDSS, config, REDSHIFTS, tolerance=tolerance)


def magnitudes(model, theta):
    with torch.no_grad():
        return -2.5 * torch.log10(model(theta)).double()


def test_flat_source_is_one_maggie_in_every_band_at_every_redshift(curves):
    edges = log_edges(1500.0, 12000.0, 150)
    projection = Projection(curves, edges, 0.8)
    redshift = torch.linspace(0.0, 0.8, 301).double()
    flat = torch.ones(len(redshift), 150).double()
    torch.testing.assert_close(
        projection(flat, redshift), torch.ones(301, 5).double(), atol=1e-4, rtol=0
    )


def test_full_resolution_photometry_equals_speclite(grid):
    reference = load_filters(*SDSS)
    cosmology = make_cosmology(SpectraConfig().cosmology)
    theta = prior_draws(12, seed=2)
    fast = magnitudes(build(grid, 6000), theta)
    for row in range(12):
        one = Theta(*(column[row : row + 1] for column in theta))
        z, mass = one.redshift.item(), 10 ** one.log_stellar_mass.item()
        rest, lnu = slow_spectrum(one, grid, SpectraConfig())
        lnu = lnu * mass * grid.lsun
        distance = cosmology.luminosity_distance(z).value * MEGAPARSEC
        fnu = lnu * (1 + z) / (4 * np.pi * distance**2) * u.erg / u.s / u.cm**2 / u.Hz
        wave = rest * (1 + z) * u.AA
        flam = fnu.to(u.erg / u.s / u.cm**2 / u.AA, u.spectral_density(wave))
        slow = np.array(reference.get_ab_magnitudes(flam, wave).as_array()[0].tolist())
        np.testing.assert_allclose(fast[row], slow, atol=2e-3)


def test_errors_fall_with_the_square_of_the_pixel_size(grid):
    theta = prior_draws(400, seed=1)
    truth = magnitudes(build(grid, 3200), theta)
    seen = truth < 30
    rms = [
        (magnitudes(build(grid, n), theta) - truth)[seen].square().mean().sqrt().item()
        for n in (100, 200, 400)
    ]
    assert rms[0] / rms[1] > 2.5
    assert rms[1] / rms[2] > 2.0
    assert rms[2] < 1e-3


def test_the_default_costs_less_than_a_millimagnitude(grid):
    theta = prior_draws(400, seed=4)
    truth = magnitudes(build(grid, 3200), theta)
    fast = build(grid, 400, tolerance=1e-4).float()
    quick = magnitudes(fast, from_matrix(to_matrix(theta).float()))
    seen = truth < 30
    assert (quick - truth)[seen].square().mean().sqrt() < 1e-3
    assert (quick - truth)[seen].abs().max() < 2e-2


def test_ten_times_the_mass_is_two_and_a_half_magnitudes(grid):
    model = build(grid, 200)
    light, heavy = (magnitudes(model, galaxy(log_stellar_mass=m)) for m in (9.0, 10.0))
    torch.testing.assert_close(light - heavy, torch.full((1, 5), 2.5).double())


@pytest.mark.slow
def test_two_hundred_thousand_draws_are_finite_with_finite_gradients():
    model = build(toy_grid(WAVE_RANGE), 200, tolerance=1e-4).float()
    for draws in (prior_draws(150_000, seed=8), corner_draws(50_000, seed=9)):
        for chunk in to_matrix(draws).float().split(5000):
            matrix = chunk.clone().requires_grad_()
            maggies = model(from_matrix(matrix))
            assert torch.isfinite(maggies).all()
            torch.log(maggies.clamp(min=1e-30)).sum().backward()
            assert torch.isfinite(matrix.grad).all()


def test_gradients_equal_finite_differences(grid):
    model = build(grid, 200)
    theta = to_matrix(galaxy(redshift=0.1234)).requires_grad_()
    total = lambda m: torch.log10(model(from_matrix(m))).sum()  # noqa: E731
    (slope,) = torch.autograd.grad(total(theta), theta)
    for column in range(theta.shape[1]):
        shift = torch.zeros_like(theta)
        shift[0, column] = 1e-6
        slow = (total(theta + shift) - total(theta - shift)) / 2e-6
        assert slope[0, column].item() == pytest.approx(slow.item(), rel=5e-3, abs=1e-6)


def test_float32_is_enough(grid):
    theta = prior_draws(300, seed=7)
    double = magnitudes(build(grid, 200), theta)
    single = magnitudes(build(grid, 200).float(), from_matrix(to_matrix(theta).float()))
    seen = double < 30
    assert (single - double)[seen].abs().max() < 5e-4
    assert (single - double)[seen].square().mean().sqrt() < 1e-4


def test_a_band_beyond_the_spectra_is_refused_with_the_remedy(grid):
    with pytest.raises(InputError, match=r"wise_w1.*drop the band"):
        build_synthetic_photometry(grid, (*SDSS, "wise_w1"), SpectraConfig(), REDSHIFTS)


@pytest.mark.parametrize("name", ["sdss2010-q", "no_such_filter", "missing/curve.txt"])
def test_an_unknown_filter_is_named(name):
    with pytest.raises(InputError, match=name):
        load_filter(name)


def test_filters_come_from_speclite_sedpy_and_files_alike(tmp_path):
    speclite, sedpy = load_filter("sdss2010-r"), load_filter("sdss_r0")
    assert speclite.effective_wave == pytest.approx(6200, abs=60)
    assert sedpy.effective_wave == pytest.approx(6200, abs=60)
    path = tmp_path / "mine.txt"
    np.savetxt(path, np.stack([speclite.wave, speclite.response], 1))
    assert load_filter(str(path)).effective_wave == pytest.approx(speclite.effective_wave, abs=0.1)


def test_a_file_that_is_no_filter_is_named(tmp_path):
    path = tmp_path / "bad.txt"
    path.write_text("wave response\nfive six\n")
    with pytest.raises(InputError, match=r"bad\.txt"):
        load_filter(str(path))
    path.write_text("4000 0.1\n5000 -0.5\n6000 0.2\n")
    with pytest.raises(InputError, match="negative"):
        load_filter(str(path))


def test_log_integral_of_a_linear_function_is_exact():
    wave = np.array([1000.0, 1700.0, 2600.0])
    values = 3.0 + 0.002 * wave
    at = np.log(np.array([1000.0, 1300.0, 2600.0, 5000.0]))
    end = np.minimum(np.exp(at), 2600.0)
    exact = 3.0 * np.log(end / 1000) + 0.002 * (end - 1000)
    np.testing.assert_allclose(log_integral(wave, values, at), exact, atol=1e-14)
