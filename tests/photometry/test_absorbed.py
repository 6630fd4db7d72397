"""Photometry behind intergalactic hydrogen, against integrals by brute force."""

import dataclasses

import numpy as np
import pytest
import torch
from laws_tools import SDSS, galaxy, make_cosmology, prior_draws, refined, slow_spectrum

from popsed_core.config.spectra import CosmologyConfig, SpectraConfig
from popsed_core.config.ssp import SSPConfig
from popsed_core.constants import AB_ZERO_POINT, MEGAPARSEC
from popsed_core.photometry.coverage import SHIFT_STEP
from popsed_core.photometry.filters import load_filter
from popsed_core.photometry.igm import LYMAN_ALPHA, LYMAN_LIMIT, transmission
from popsed_core.photometry.noise import NoiseModel, NoiseTable
from popsed_core.photometry.projection import Projection
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.running.runtime import generator
from popsed_core.stellar.ssp.coverage import trim
from popsed_core.stellar.ssp.toy import toy_grid
from popsed_core.stellar.wavelength import log_edges, log_integral

LSST = tuple(f"lsst2023-{band}" for band in "ugrizy")
FAR = (0.001, 6.0)
WAVE_RANGE = (SSPConfig().wave_low, SSPConfig().wave_high)
U, G = (load_filter(name) for name in LSST[:2])


@pytest.fixture(scope="module")
def grid():
    return toy_grid(WAVE_RANGE)


# --- the table ------------------------------------------------------------------------------


def test_without_hydrogen_the_table_is_that_of_the_filters_alone():
    edges = log_edges(700.0, 20000.0, 120)
    at = edges + SHIFT_STEP * np.arange(len(Projection([U], edges, 4.0).table))[:, None]
    integral = log_integral(U.wave, U.response, at.ravel()).reshape(at.shape)
    whole = log_integral(U.wave, U.response, np.log(U.wave[-1:]))
    found = Projection([U], edges, 4.0, igm="none").table[..., 0].numpy()
    np.testing.assert_array_equal(found, np.diff(integral, axis=1) / whole)


def test_pixels_redward_of_lyman_alpha_are_not_touched():
    edges = log_edges(912.0, 20000.0, 120)
    empty, full = (Projection([U, G], edges, 4.0, igm=igm).table for igm in ("none", "inoue14"))
    n_absorbed = np.searchsorted(edges, np.log(LYMAN_ALPHA))
    assert torch.equal(empty[:, n_absorbed:], full[:, n_absorbed:])
    assert (full[:, :n_absorbed] <= empty[:, :n_absorbed] + 1e-15).all()
    assert (full[2000:, :n_absorbed].sum((1, 2)) < empty[2000:, :n_absorbed].sum((1, 2))).all()


@pytest.mark.parametrize("row", [1500, 1900, 2400, 2600])
def test_a_row_is_the_mean_of_response_times_transmission(row):
    """Pixels as wide as the default's, with the jump at 1216 AA inside of one."""
    edges = log_edges(880.0, 1500.0, 80)
    redshift = np.expm1(SHIFT_STEP * row)
    found = Projection([G, U], edges, 4.0, igm="inoue14").table[row].numpy()
    for band, curve in enumerate((G, U)):
        fine = np.linspace(edges[0], edges[-1], 80 * 6000 + 1)
        rest = np.exp(0.5 * (fine[1:] + fine[:-1]))
        seen = np.interp(rest * (1 + redshift), curve.wave, curve.response, left=0, right=0)
        seen = seen * transmission(rest * (1 + redshift), redshift) * (rest >= LYMAN_LIMIT)
        whole = log_integral(curve.wave, curve.response, np.log(curve.wave[-1:]))
        slow = seen.reshape(80, -1).sum(1) * (fine[1] - fine[0]) / whole
        np.testing.assert_allclose(found[:, band], slow, rtol=2e-4, atol=1e-9)


@pytest.mark.parametrize(
    ("redshift", "lost"), [(1.5, 0.0), (1.75, 0.001), (2.0, 0.043), (2.25, 0.152), (3.0, 0.341)]
)
def test_light_lost_in_lsst_u(redshift, lost):
    """Numbers of BC03 with stars forming; what lies below the limit is never counted.

    Here f_nu is flat, with .046 and .349 mag at redshifts 2 and 3; in f_lambda .041 and .345.
    """
    edges = log_edges(LYMAN_LIMIT, 5000.0, 400)
    flat, at = torch.ones(1, 400).double(), torch.tensor([redshift]).double()
    seen = [Projection([U], edges, 3.5, igm=igm)(flat, at) for igm in ("inoue14", "none")]
    assert -2.5 * torch.log10(seen[0] / seen[1]).item() == pytest.approx(lost, abs=0.009)


# --- galaxies -------------------------------------------------------------------------------


@pytest.mark.parametrize("redshift", [2.0, 3.3, 5.2])
def test_distant_galaxies_equal_the_sum_by_brute_force(grid, redshift):
    model = build_synthetic_photometry(grid, LSST, SpectraConfig(n_pixels=1500), FAR)
    one = galaxy(redshift=redshift, t_burst=0.3, tau_ism=0.1, tau_bc=0.1)
    rest, lnu = slow_spectrum(one, grid, SpectraConfig())
    wave = refined(rest, 5e-5)
    light = np.interp(wave, rest, lnu) * (wave >= LYMAN_LIMIT)
    light *= transmission(wave * (1 + redshift), redshift)
    distance = make_cosmology(CosmologyConfig()).luminosity_distance(redshift).value * MEGAPARSEC
    unit = 10**10.5 * grid.lsun * (1 + redshift) / (4 * np.pi * distance**2) / AB_ZERO_POINT
    for band, name in enumerate(LSST):
        curve = load_filter(name)
        seen = np.interp(wave * (1 + redshift), curve.wave, curve.response, left=0, right=0)
        whole = log_integral(curve.wave, curve.response, np.log(curve.wave[-1:]))[0]
        slow = unit * np.trapezoid(seen * light, np.log(wave)) / whole
        assert model(one)[0, band].item() == pytest.approx(slow, rel=1e-3, abs=1e-16)


def test_a_box_up_to_redshift_six_is_finite_with_finite_gradients(grid):
    model = build_synthetic_photometry(grid, LSST, SpectraConfig(), FAR).float()
    draws = prior_draws(500, seed=3)
    theta = draws._replace(redshift=draws.redshift * 7.4)
    leaf = [column.float().requires_grad_() for column in theta]
    maggies = model(type(theta)(*leaf))
    assert torch.isfinite(maggies).all()
    assert (maggies[theta.redshift < 2.5] > 0).float().mean() > 0.99
    (maggies + 1e-15).log().sum().backward()
    assert all(torch.isfinite(column.grad).all() for column in leaf)


@pytest.mark.parametrize("igm", ["inoue14", "none"])
def test_nearby_photometry_feels_neither_hydrogen_nor_where_the_table_begins(grid, igm):
    """Redshift below 0.8, the default: tables from 912 and from 1000 AA give the same."""
    pixels = trim(grid.ssp_wave, (1000.0, 30000.0), "table")
    short = dataclasses.replace(
        grid, ssp_wave=grid.ssp_wave[pixels], ssp_flux=grid.ssp_flux[..., pixels]
    )
    near, theta = (0.001, 0.8), prior_draws(200, seed=5)
    today = build_synthetic_photometry(short, SDSS, SpectraConfig(igm="none"), near, tolerance=None)
    ours = build_synthetic_photometry(grid, SDSS, SpectraConfig(igm=igm), near, tolerance=None)
    torch.testing.assert_close(ours(theta), today(theta), rtol=1e-9, atol=0)
    assert torch.equal(ours.projection.table, today.projection.table)


@pytest.mark.parametrize("form", ["error_given_flux", "snr_given_flux", "log_snr_given_flux"])
def test_a_dark_band_is_observed_as_noise(form):
    ramp = np.linspace(18.0, 26.0, 9)[None]
    median = {"error_given_flux": -10 - 0.05 * ramp, "snr_given_flux": 60 - 2 * ramp}
    median["log_snr_given_flux"] = 4.5 - 0.17 * ramp
    table = NoiseTable(ramp, median[form], 0 * ramp + 0.01, np.array([[18.0, 26.0]]), ("u",), form)
    noisy, sigma = NoiseModel(table).observe(torch.zeros(50, 1).double(), generator(1, "dark"), 1.0)
    assert (noisy > 0).all()
    assert torch.isfinite(noisy).all()
    assert torch.isfinite(sigma).all()
