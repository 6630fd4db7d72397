import numpy as np
import pytest
import torch
from laws_tools import (
    PAPER_COSMOLOGY,
    WAVE_RANGE,
    corner_draws,
    galaxy,
    make_cosmology,
    prior_draws,
    slow_spectrum,
)
from real_data import GRIDS, grid_named

from popsed_core.config.spectra import SpectraConfig
from popsed_core.stellar.burst import ContinuousBurst, ReleasedBurst
from popsed_core.stellar.cosmology import CosmologyTable
from popsed_core.stellar.dust import CALZETTI_BREAK
from popsed_core.stellar.sfh_bases import basis_knots
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.toy import toy_grid
from popsed_core.stellar.wavelength import log_edges, rebin
from popsed_core.theta import Theta, to_matrix

EDGES = log_edges(1500.0, 12000.0, 300)


@pytest.fixture(scope="module", params=GRIDS)
def grid(request):
    return grid_named(request.param)


@pytest.fixture(scope="module")
def exact(grid):
    return ExactSpectra(grid, SpectraConfig(), EDGES, max_redshift=0.8, tolerance=None)


def double(value: float) -> torch.Tensor:
    return torch.tensor([value], dtype=torch.float64)


def in_lsun(model: ExactSpectra, theta: Theta) -> np.ndarray:
    return (model(theta) * 10**model.log_unit).detach().numpy()


def test_a_pure_burst_on_a_node_without_dust_is_that_ssp(grid, exact):
    for metal, gyr in ((1, 0.02), (3, 0.1), (4, 0.5)):
        age = int(np.abs(grid.ssp_lg_age_gyr - np.log10(gyr)).argmin())
        theta = galaxy(
            f_burst=1.0,
            t_burst=float(10 ** grid.ssp_lg_age_gyr[age]),
            logzsol=float(grid.ssp_lgmet[metal] - grid.log_zsun),
            tau_bc=0.0,
            tau_ism=0.0,
        )
        ssp = rebin(grid.ssp_wave, grid.ssp_flux[metal, age].astype(float), EDGES)
        np.testing.assert_allclose(in_lsun(exact, theta)[0], ssp, rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_spectra_equal_the_brute_force_twin(grid, seed):
    theta = Theta(*(column[:1] for column in prior_draws(1, seed=seed)))
    edges = log_edges(2500.0, 12000.0, 3000)
    fine = ExactSpectra(grid, SpectraConfig(), edges, max_redshift=0.8, tolerance=None)
    slow = rebin(*slow_spectrum(theta, grid, SpectraConfig()), edges)
    ratio = in_lsun(fine, theta)[0] / slow
    ratio = ratio[np.abs(np.exp(edges[1:]) - CALZETTI_BREAK) > 10]  # a jump inside one pixel
    np.testing.assert_allclose(ratio, 1, atol=1e-3)
    assert abs(np.median(ratio) - 1) < 2e-6


def test_the_factorised_table_changes_spectra_by_less_than_its_tolerance(grid, exact):
    fast = ExactSpectra(grid, SpectraConfig(), EDGES, max_redshift=0.8, tolerance=1e-4)
    theta = prior_draws(300)
    slow, quick = exact(theta), fast(theta)
    error = ((quick - slow) / slow)[slow > 1e-6 * slow.max()]
    assert error.square().mean().sqrt() < 1e-3
    assert sum(fast.old_spectra.shape) < sum(exact.old_spectra.shape)


def test_mass_is_conserved_by_our_burst_and_lost_by_the_released_one():
    theta = prior_draws(2000)
    age = CosmologyTable(PAPER_COSMOLOGY, 0.8).age_gyr(theta.redshift)
    ours, released = ContinuousBurst()(theta, age), ReleasedBurst()(theta, age)
    torch.testing.assert_close(ours.share + ours.smooth_share, torch.ones_like(age))
    lost = 1 - released.share - released.smooth_share
    assert 0.2 < (lost > 0).double().mean() < 0.45
    torch.testing.assert_close(lost[lost > 0], theta.f_burst[lost > 0])


def test_no_burst_precedes_its_galaxy():
    theta = prior_draws(2000)
    age = CosmologyTable(PAPER_COSMOLOGY, 0.8).age_gyr(theta.redshift)
    burst = ContinuousBurst()(theta, age)
    assert (burst.age < age).all()
    early = theta.t_burst < 0.5 * age
    torch.testing.assert_close(burst.age[early], theta.t_burst[early], rtol=5.1e-4, atol=0)


def test_our_spectrum_is_continuous_where_the_burst_meets_the_birth(exact):
    age = float(exact.cosmology.age_gyr(double(0.1))[0])
    below, above = (in_lsun(exact, galaxy(t_burst=age + d)) for d in (-1e-6, 1e-6))
    np.testing.assert_allclose(below, above, rtol=1e-6)


def test_the_released_spectrum_jumps_there(grid):
    model = ExactSpectra(
        grid, SpectraConfig(burst="released", star_formation="bins"), EDGES, max_redshift=0.8,
        tolerance=None,
    )  # fmt: skip
    young, old = (in_lsun(model, galaxy(t_burst=t, f_burst=0.5)) for t in (5.0, 13.2))
    assert old.sum() < 0.9 * young.sum()


@pytest.mark.parametrize("star_formation", ["exact", "bins"])
def test_spectra_are_continuous_when_the_age_crosses_a_node(grid, star_formation):
    model = ExactSpectra(
        grid, SpectraConfig(star_formation=star_formation), EDGES, max_redshift=0.8, tolerance=None
    )
    redshift = np.linspace(0.002, 0.79, 4001)
    age = model.cosmology.age_gyr(torch.as_tensor(redshift)).numpy()
    nodes = 10 ** (np.concatenate([grid.ssp_lg_age_gyr, 6.05 + 0.1 * np.arange(41) - 9]))
    crossed = [
        z
        for node in nodes
        for z in np.interp([-node], -age, redshift)
        if age.min() < node < age.max()
    ]
    assert crossed
    for z in crossed:
        below, above = (in_lsun(model, galaxy(redshift=z + d)) for d in (-1e-7, 1e-7))
        np.testing.assert_allclose(below, above, rtol=1e-5)


def test_every_draw_of_the_box_is_finite_with_finite_gradients(grid):
    model = ExactSpectra(grid, SpectraConfig(), log_edges(1500.0, 12000.0, 60), max_redshift=0.8)
    model = model.float()
    for draws in (prior_draws(20_000, seed=5), corner_draws(5_000, seed=6)):
        matrix = to_matrix(draws).float().requires_grad_()
        light = model(Theta(*matrix.unbind(1)))
        assert torch.isfinite(light).all()
        light.sum().backward()
        assert torch.isfinite(matrix.grad).all()


def test_gradients_equal_finite_differences(exact):
    theta = to_matrix(galaxy()).requires_grad_()
    total = lambda m: exact(Theta(*m.unbind(1))).log().sum()  # noqa: E731
    (slope,) = torch.autograd.grad(total(theta), theta)
    step = 1e-6
    for column in range(theta.shape[1]):
        if Theta._fields[column] == "log_stellar_mass":
            continue  # spectra are per unit mass
        shift = torch.zeros_like(theta)
        shift[0, column] = step
        slow = (total(theta + shift) - total(theta - shift)) / (2 * step)
        assert slope[0, column].item() == pytest.approx(slow.item(), rel=5e-3)


def test_order_and_company_of_galaxies_do_not_matter(exact):
    theta = prior_draws(50)
    order = torch.randperm(50, generator=torch.Generator().manual_seed(0))
    shuffled = exact(Theta(*(column[order] for column in theta)))
    torch.testing.assert_close(shuffled, exact(theta)[order])
    torch.testing.assert_close(exact(Theta(*(column[7:8] for column in theta))), exact(theta)[7:8])


def test_birth_clouds_dim_only_young_stars(exact):
    old = galaxy(kappa_1=1.0, kappa_2=1.0, kappa_3=1.0, f_burst=0.0, tau_bc=0.0)
    dusty = old._replace(tau_bc=double(3.0))
    np.testing.assert_allclose(in_lsun(exact, dusty), in_lsun(exact, old), rtol=2e-3)


@pytest.mark.parametrize(("burst", "depth"), [("continuous", 2.0), ("released", 0.0)])
def test_a_young_burst_sits_in_its_birth_cloud_but_for_the_released_code(grid, burst, depth):
    model = ExactSpectra(grid, SpectraConfig(burst=burst), EDGES, max_redshift=0.8)
    young = {"f_burst": 1.0, "t_burst": 0.01, "logzsol": 0.0}
    clear, dusty = (in_lsun(model, galaxy(tau_bc=tau, **young)) for tau in (0.0, 2.0))
    wave = np.exp(0.5 * (EDGES[1:] + EDGES[:-1]))
    np.testing.assert_allclose(np.log(clear / dusty)[0], depth * 5500 / wave, atol=1e-6)


def test_ages_and_distances_are_astropys():
    table = CosmologyTable(PAPER_COSMOLOGY, 1.6)
    redshift = np.array([1e-3, 0.0313, 0.1, 0.5, 0.8, 1.5])
    cosmology = make_cosmology(PAPER_COSMOLOGY)
    at = torch.as_tensor(redshift)
    np.testing.assert_allclose(table.age_gyr(at), cosmology.age(redshift).value, rtol=1e-6)
    distance = cosmology.luminosity_distance(redshift).value
    np.testing.assert_allclose(table.luminosity_distance(at), distance, rtol=1e-6)


def test_the_bases_reach_back_to_the_birth_of_the_universe():
    """13.835 Gyr at redshift 0: beyond the 13.8 Gyr at which the published tables end."""
    oldest = CosmologyTable(PAPER_COSMOLOGY, 0.8).age_gyr(double(0.0)).item()
    assert oldest == pytest.approx(13.835, abs=1e-3)
    assert basis_knots()[0][-1] > oldest


def test_derived_quantities_have_their_closed_form_for_a_pure_burst():
    model = ExactSpectra(toy_grid(WAVE_RANGE), SpectraConfig(), EDGES, max_redshift=0.8)
    log_sfr, age, by_table, by_fit, burst_age = model.derived(
        galaxy(f_burst=1.0, t_burst=0.05, log_stellar_mass=10.0)
    )[0].tolist()
    assert log_sfr == pytest.approx(10 - 8)  # all mass within 0.1 Gyr
    assert age == pytest.approx(0.05)
    assert burst_age == pytest.approx(0.05)
    assert by_fit == pytest.approx(by_table)  # the toy table uses the fit itself
    assert 9.8 < by_fit < 10


def test_star_formation_rate_is_the_mass_of_the_last_tenth_of_a_gyr(exact):
    theta = galaxy(f_burst=0.0, kappa_1=0.0)
    age = exact.cosmology.age_gyr(theta.redshift).item()
    knots, bases = basis_knots()
    time = np.linspace(0, age, 2_000_001)
    rate = np.interp(time, knots, bases[0])
    share = np.trapezoid(rate[time <= 0.1], time[time <= 0.1]) / np.trapezoid(rate, time)
    slow = 10.5 + np.log10(share / 1e8)
    assert exact.derived(theta)[0, 0].item() == pytest.approx(slow, abs=1e-4)
