"""Gas in spectra and photometry: lines of zero width, and f_lost."""

import dataclasses

import numpy as np
import pytest
import torch
from laws_tools import SDSS, attenuation, galaxy, prior_draws
from nebular_tools import CASE_B, toy_gas

from popsed_core.config.spectra import SpectraConfig
from popsed_core.constants import SPEED_OF_LIGHT
from popsed_core.photometry import synthetic
from popsed_core.photometry.filters import load_filter
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.stellar.nebular_light import STRONG, nebular_table
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.wavelength import log_edges, rebin
from popsed_core.theta import Theta, from_matrix, to_matrix

EDGES = log_edges(2000.0, 12_000.0, 200)
WIDTH = EDGES[1] - EDGES[0]
ENDS = (0.001, 0.4)
YOUNG = {"t_burst": 0.01, "f_burst": 0.3, "logzsol": 0.0}


@pytest.fixture(scope="module")
def grid():
    return toy_gas()


def build(grid, filters=SDSS, n_pixels=120, tolerance=None):
    settings = SpectraConfig(n_pixels=n_pixels)
    return build_synthetic_photometry(grid, filters, settings, ENDS, tolerance=tolerance)


@pytest.fixture(scope="module")
def model(grid):
    return build(grid)


@pytest.fixture(scope="module")
def stars_only(grid):
    return build(grid.stars())


def test_every_line_keeps_its_flux_on_pixels_and_columns(grid):
    table, line_wave = nebular_table(grid, EDGES, 0.0, None)
    parts = [rebin(grid.ssp_wave, part.astype(float), EDGES) for part in grid.nebular_continuum]
    n_pixels = len(EDGES) - 1
    on_pixels = ((table.flux[..., :n_pixels] - np.stack(parts)) * WIDTH).sum(-1)
    found = on_pixels + table.flux[..., n_pixels:].sum(-1)
    is_seen = (EDGES[0] < np.log(grid.line_wave)) & (np.log(grid.line_wave) < EDGES[-1])
    energy = grid.line_luminosity.astype(float) * grid.line_wave / SPEED_OF_LIGHT
    np.testing.assert_allclose(found, energy[..., is_seen].sum(-1), rtol=1e-6)
    assert 0 < len(line_wave) < is_seen.sum()


def test_a_faint_line_keeps_its_mean_wavelength_on_pixels():
    grid = toy_gas(lines=[4321.0], energies=np.array([1e-6 * CASE_B]))
    table, line_wave = nebular_table(grid, EDGES, 0.0, None)
    parts = [rebin(grid.ssp_wave, part.astype(float), EDGES) for part in grid.nebular_continuum]
    light = (table.flux - np.stack(parts))[2, 3]
    centres = 0.5 * (EDGES[1:] + EDGES[:-1])
    assert len(line_wave) == 0
    assert (light > 1e-3 * light.max()).sum() == 2
    assert np.exp((light * centres).sum() / light.sum()) == pytest.approx(4321.0, abs=0.1)


def test_strong_lines_are_exact_and_faint_ones_are_not(grid):
    table, line_wave = nebular_table(grid, EDGES, 0.0, None)
    faintest = np.abs(line_wave - 6312.06).min()
    assert faintest > 100  # [S III] 6312 is on pixels
    assert np.abs(line_wave - 6562.8).min() < 0.1
    lines = table.flux[..., len(EDGES) - 1 :]
    behind = table.like[..., len(EDGES) - 1 :] / 0.02
    assert ((lines / behind).max((0, 1)) > STRONG).all()


@pytest.mark.parametrize("redshift", [0.0123, 0.0931, 0.25])
def test_a_line_in_a_narrow_band_is_what_brute_force_says(grid, tmp_path, redshift):
    """A line a thousandth of a pixel wide, on a fine grid, behind both dusts, through a filter."""
    halpha = grid.line_wave[np.abs(grid.line_wave - 6562.8).argmin()]
    seen_at = halpha * (1 + redshift)
    wave = seen_at + np.array([-60.0, -30.0, 20.0, 70.0])
    np.savetxt(tmp_path / "narrow.txt", np.column_stack([wave, [0.0, 1.0, 0.8, 0.0]]))
    path = str(tmp_path / "narrow.txt")
    one = dataclasses.replace(
        grid,
        line_wave=np.array([halpha]),
        line_luminosity=grid.line_luminosity[..., [np.abs(grid.line_wave - halpha).argmin()]],
        nebular_continuum=grid.nebular_continuum * np.float32(0),
    )
    theta = galaxy(redshift=redshift, tau_bc=0.7, tau_ism=0.5, dust_index=-0.4, **YOUNG)
    with_line, without = build(one, [path]), build(one.stars(), [path])
    found = float(with_line(theta) - without(theta))
    spectra = with_line.spectra
    young, _ = spectra.age_weights(theta)
    metal = int(np.abs(grid.ssp_lgmet - grid.log_zsun).argmin())
    luminosity = float(young[0].numpy() @ one.line_luminosity[metal, :, 0])
    fine = np.linspace(seen_at - 0.01, seen_at + 0.01, 2001)
    profile = np.exp(-0.5 * ((fine - seen_at) / 0.002) ** 2)
    profile /= np.trapezoid(profile, fine)
    dust = np.exp(-0.7 * (halpha / 5500) ** -1.0 - 0.5 * attenuation(np.array([halpha]), -0.4)[0])
    curve = load_filter(path)
    response = np.interp(fine, curve.wave, curve.response)
    # L_nu dln(wave) = L_wave wave / c dwave
    seen = np.trapezoid(profile * response * halpha / SPEED_OF_LIGHT, fine) * luminosity * dust
    dense = np.linspace(curve.wave[0], curve.wave[-1], 400_001)
    whole = np.trapezoid(np.interp(dense, curve.wave, curve.response) / dense, dense)
    unit = (1 + redshift) * 10 ** (10.5 + with_line.log_unit - spectra.log_unit)
    distance = float(spectra.cosmology.luminosity_distance(theta.redshift))
    assert found == pytest.approx(seen / whole * unit / distance**2, rel=2e-3)


def test_losing_all_photons_leaves_the_stars(model, stars_only):
    theta = prior_draws(50)
    theta = theta._replace(redshift=theta.redshift.clamp(0.01, 0.39))
    lost = torch.ones(50, dtype=torch.float64)
    torch.testing.assert_close(model(theta, lost), stars_only(theta), rtol=1e-10, atol=0)


def test_light_is_linear_in_what_is_not_lost(model):
    theta = galaxy(**YOUNG)
    whole, half, none = (
        model(theta, torch.tensor(share, dtype=torch.float64)) for share in (0.0, 0.5, 1.0)
    )
    torch.testing.assert_close(half, 0.5 * (whole + none))
    torch.testing.assert_close(model(theta), whole)
    assert (whole > 1.01 * none)[0, 1:].all()


def test_equivalent_widths_add():
    """Two lines brighten a band by the sum of their effects."""
    both, first, second, none = (
        build(toy_gas(lines=[6562.8, 6583.45], energies=CASE_B * np.array(share)), SDSS[2:3])
        for share in ([2.9, 1.2], [2.9, 0.0], [0.0, 1.2], [0.0, 0.0])
    )
    theta = galaxy(redshift=0.02, **YOUNG)
    excess = [float(model(theta) - none(theta)) for model in (both, first, second)]
    assert excess[0] == pytest.approx(excess[1] + excess[2], rel=1e-9)


def test_each_galaxy_may_lose_its_own_share(model):
    theta = prior_draws(3)._replace(redshift=torch.full((3,), 0.1, dtype=torch.float64))
    lost = torch.tensor([0.0, 0.3, 0.9], dtype=torch.float64)
    rows = [model(Theta(*(x[[k]] for x in theta)), lost[k]) for k in range(3)]
    torch.testing.assert_close(model(theta, lost), torch.cat(rows))


def test_the_share_that_is_lost_has_a_gradient(model):
    theta = galaxy(**YOUNG)
    lost = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda share: torch.log10(model(theta, share)), lost)
    model(theta, lost).sum().backward()
    assert lost.grad < 0


def test_large_batches_give_the_same_light_and_gradients(model, monkeypatch):
    theta = from_matrix(to_matrix(prior_draws(40)).clone())
    theta = theta._replace(redshift=theta.redshift.clamp(0.01, 0.39))
    found = {}
    for size in (1000, 16):
        monkeypatch.setattr(synthetic, "MANY", size)
        for kind in (torch.tensor(0.4), torch.linspace(0, 1, 40)):
            lost = kind.double().requires_grad_()
            maggies = model(theta, lost)
            maggies.sum().backward()
            found[size, lost.ndim] = (maggies.detach(), lost.grad)
    for ndim in (0, 1):
        for whole, parts in zip(found[1000, ndim], found[16, ndim], strict=True):
            torch.testing.assert_close(parts, whole)


def test_without_gas_nothing_has_changed(grid, model, stars_only):
    """Bit for bit, and whatever share is lost."""
    theta = prior_draws(30)._replace(redshift=torch.full((30,), 0.1, dtype=torch.float64))
    never = dataclasses.replace(grid.stars())
    maggies = stars_only(theta)
    assert torch.equal(build(never)(theta), maggies)
    assert torch.equal(stars_only(theta, torch.tensor(0.5, dtype=torch.float64)), maggies)
    assert stars_only.projection.table.shape[1] == 120
    assert not stars_only.has_nebular
    assert model.has_nebular


def test_the_factorised_table_changes_magnitudes_by_less_than_a_millimagnitude(grid, model):
    fast = build(grid, tolerance=1e-4)
    theta = prior_draws(300)
    theta = theta._replace(redshift=theta.redshift.clamp(0.01, 0.39))
    error = 2.5 * torch.log10(fast(theta) / model(theta))
    assert error.square().mean().sqrt() < 3e-4
    assert fast.spectra.young_spectra.shape[1] < model.spectra.young_spectra.shape[1]


def test_lines_follow_the_wavelengths_of_dust_not_of_pixels(grid):
    spectra = ExactSpectra(grid, SpectraConfig(), EDGES, max_redshift=0.4, tolerance=None)
    clear, dusty = (
        spectra(galaxy(tau_bc=cloud, tau_ism=screen, dust_index=0.2, **YOUNG))[0, 200:]
        for cloud, screen in ((0.0, 0.0), (0.8, 1.1))
    )
    wave = spectra.line_wave
    expected = np.exp(-0.8 * (wave / 5500) ** -1.0 - 1.1 * attenuation(wave, 0.2))
    np.testing.assert_allclose((dusty / clear).numpy(), expected, rtol=1e-9)


def test_stars_and_gas_together_are_what_the_table_says(grid):
    spectra = ExactSpectra(grid, SpectraConfig(), EDGES, max_redshift=0.4, tolerance=None)
    age = 20
    theta = galaxy(
        f_burst=1.0, t_burst=float(10 ** grid.ssp_lg_age_gyr[age]), tau_bc=0.0, tau_ism=0.0,
        logzsol=float(grid.ssp_lgmet[3] - grid.log_zsun),
    )  # fmt: skip
    found = spectra(theta)[0].numpy() * 10**spectra.log_unit
    stars = rebin(grid.ssp_wave, grid.ssp_flux[3, age].astype(float), EDGES)
    table, _ = nebular_table(grid, EDGES, 0.0, None)
    expected = table.flux[3, age] + np.pad(stars, (0, len(spectra.line_wave)))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_gas_does_not_matter_to_old_galaxies(model, stars_only):
    theta = galaxy(kappa_1=1.0, kappa_2=1.0, kappa_3=1.0, f_burst=0.0)
    assert float((model(theta) / stars_only(theta) - 1).abs().max()) < 1e-3
