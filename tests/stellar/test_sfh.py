import numpy as np
import pytest
import torch
from laws_tools import prior_draws
from real_data import SHARED

from popsed_core.stellar.sfh import (
    BinnedStarFormation,
    ExactStarFormation,
    Histories,
    hat_weights,
    simplex_fractions,
)
from popsed_core.stellar.sfh_bases import basis_knots

FSPS_NODES = np.linspace(5.0, 10.3, 107)
AGES = torch.tensor([0.3, 2.0, 5.0, 8.0, 11.0, 13.8], dtype=torch.float64)


def fractions(n: int = len(AGES)):
    return simplex_fractions(prior_draws(n, seed=3))


@pytest.mark.parametrize("kind", [ExactStarFormation, BinnedStarFormation])
def test_weights_are_a_partition_of_the_formed_mass(kind):
    weights = kind(FSPS_NODES)(fractions(), AGES)
    torch.testing.assert_close(weights.sum(1), torch.ones(len(AGES)).double())
    assert weights.min() > -1e-12


@pytest.mark.parametrize("kind", [ExactStarFormation, BinnedStarFormation])
def test_no_star_is_older_than_its_galaxy(kind):
    weights = kind(FSPS_NODES)(fractions(), AGES)
    beyond = torch.as_tensor(FSPS_NODES - 9) > torch.log10(AGES)[:, None] + 0.0501
    assert weights[beyond].abs().max() < 1e-12


def test_exact_weights_equal_a_fine_sum_over_time():
    beta, age = fractions(1), 10.0
    knots, bases = basis_knots()
    edges = np.concatenate([[0.0], np.geomspace(1e-6, age, 2_000_001)])
    time = 0.5 * (edges[1:] + edges[:-1])
    rate = sum(float(b) * np.interp(time, knots, s) for b, s in zip(beta[0], bases, strict=True))
    mass = rate * np.diff(edges)
    x = np.clip(np.log10(time) + 9, FSPS_NODES[0], None)
    cell = np.searchsorted(FSPS_NODES, x, side="right") - 1
    share = (x - FSPS_NODES[cell]) / 0.05
    slow = np.bincount(cell, mass * (1 - share), 107) + np.bincount(cell + 1, mass * share, 107)
    fast = ExactStarFormation(FSPS_NODES)(beta, torch.tensor([age]).double())[0]
    np.testing.assert_allclose(fast, slow / mass.sum(), atol=3e-7)


def test_binned_masses_equal_a_trapezoid_over_each_bin():
    beta, age = fractions(1), torch.tensor([9.0]).double()
    edges = np.concatenate([[0], 10 ** (6.05 + 0.1 * np.arange(41) - 9)])
    edges = np.append(edges[edges < 9.0], 9.0)
    knots, bases = basis_knots()
    rate = beta[0].numpy() @ bases
    masses = [
        np.trapezoid(np.interp(time, knots, rate), time)
        for time in np.linspace(edges[:-1], edges[1:], 5001, axis=1)
    ]
    middle = torch.as_tensor(np.log10(0.5 * (edges[1:] + edges[:-1])) + 9)
    slow = torch.as_tensor(masses) / sum(masses) @ hat_weights(torch.as_tensor(FSPS_NODES), middle)
    fast = BinnedStarFormation(FSPS_NODES)(beta, age)[0]
    torch.testing.assert_close(fast, slow, atol=1e-5, rtol=0)


def test_cumulative_integrals_match_quadrature():
    histories = Histories()
    mass, moment = histories.cumulative(AGES)
    in_time = histories.time_moment(AGES)
    knots, bases = basis_knots()
    for row, age in enumerate(AGES.tolist()):
        time = np.linspace(1e-9, age, 400_001)
        for column in range(4):
            rate = np.interp(time, knots, bases[column])
            assert mass[row, column] == pytest.approx(np.trapezoid(rate, time), abs=1e-7)
            slow = np.trapezoid(rate * (np.log10(time) + 9), time)
            assert moment[row, column] == pytest.approx(slow, abs=1e-5)
            slow = np.trapezoid(rate * time, time)
            assert in_time[row, column] == pytest.approx(slow, abs=1e-7)


def test_uniform_kappa_halves_the_fractions_and_its_powers_level_them():
    v = torch.rand(200_000, 3, generator=torch.Generator().manual_seed(1)).double()
    theta = prior_draws(len(v))
    plain = theta._replace(kappa_1=v[:, 0], kappa_2=v[:, 1], kappa_3=v[:, 2])
    np.testing.assert_allclose(
        simplex_fractions(plain).mean(0), [0.5, 0.25, 0.125, 0.125], atol=3e-3
    )
    flat = theta._replace(kappa_1=v[:, 0] ** (1 / 3), kappa_2=v[:, 1] ** 0.5, kappa_3=v[:, 2])
    np.testing.assert_allclose(simplex_fractions(flat).mean(0), [0.25] * 4, atol=3e-3)


def test_printed_bases_are_the_published_ones():
    path = SHARED / "NMF_2basis_SFH_components_nowgt_lin_Nc4.txt"
    if not path.exists():
        pytest.skip("the published PROVABGS table is not at hand")
    table = np.loadtxt(path)[[2, 0, 1, 3], ::-1]
    _, bases = basis_knots()
    np.testing.assert_allclose(
        bases[:, 1:-1] / table.max(1)[:, None], table / table.max(1)[:, None], atol=2e-4
    )


def test_bases_follow_one_another_in_time():
    knots, bases = basis_knots()
    mean = (bases[:, 1:-1] * knots[1:-1]).sum(1) / bases[:, 1:-1].sum(1)
    np.testing.assert_allclose(mean, [2.5, 5.4, 8.4, 10.7], atol=0.1)
