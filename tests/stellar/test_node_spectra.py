"""Spectra of nodes: a linear map, whose factorised table is the plain one up to its tolerance."""

import numpy as np
import torch

from popsed_core.stellar.node_spectra import NodeSpectra, NodeTable

RANDOM = np.random.default_rng(3)
STARS = 10 ** RANDOM.normal(size=(4, 9, 2)) @ 10 ** RANDOM.normal(size=(2, 30))  # of rank two
GAS = RANDOM.uniform(0, 1, size=(4, 9, 12))


def weights(n=6):
    ages, metals = RANDOM.uniform(size=(n, 9)), RANDOM.uniform(size=(n, 4))
    return torch.as_tensor(ages), torch.as_tensor(metals)


def by_hand(flux, ages, metals):
    return torch.einsum("ga,gm,map->gp", ages, metals, torch.as_tensor(flux))


def test_a_plain_table_is_summed_as_it_stands():
    ages, metals = weights()
    found = NodeSpectra(NodeTable(STARS, None), n_pixels=30)(ages, metals)
    torch.testing.assert_close(found, by_hand(STARS, ages, metals), rtol=1e-10, atol=0)


def test_a_table_of_low_rank_is_kept_in_as_few_vectors():
    ages, metals = weights()
    fast = NodeSpectra(NodeTable(STARS, 1e-4), n_pixels=30)
    assert len(fast.pixels) == 2
    torch.testing.assert_close(fast(ages, metals), by_hand(STARS, ages, metals), rtol=1e-3, atol=0)


def test_tables_add_and_a_short_one_is_dark_beyond_its_end():
    ages, metals = weights()
    both = NodeSpectra(NodeTable(STARS, None), NodeTable(GAS, None), n_pixels=30)(ages, metals)
    gas = both - by_hand(STARS, ages, metals)
    torch.testing.assert_close(gas[:, :12], by_hand(GAS, ages, metals), rtol=1e-8, atol=1e-8)
    assert gas[:, 12:].abs().max() < 1e-8


def test_lost_photons_dim_gas_and_never_stars():
    ages, metals = weights(2)
    model = NodeSpectra(NodeTable(STARS, None), NodeTable(GAS, None, is_gas=True), n_pixels=30)
    lost = torch.tensor([0.25, 1.0], dtype=torch.float64)
    expected = by_hand(STARS, ages, metals)
    expected[:, :12] += (1 - lost)[:, None] * by_hand(GAS, ages, metals)
    torch.testing.assert_close(model(ages, metals, lost), expected)
    everywhere = model(ages, metals, lost[0])
    torch.testing.assert_close(everywhere[0], expected[0])
