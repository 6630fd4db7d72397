"""The four bases of star-formation histories: what was printed, and nothing below zero."""

import numpy as np
import pytest

from popsed_core.stellar.sfh_bases import PEAK, SHAPE, TIME_FIRST, TIME_LAST, TIME_STEP, basis_knots


def test_a_basis_peaks_at_its_height_where_it_was_printed():
    knots, bases = basis_knots()
    for basis, peak, shape in zip(bases, PEAK, SHAPE, strict=True):
        top = int(np.argmax(shape))
        assert basis.max() == pytest.approx(peak)
        assert knots[basis.argmax()] == pytest.approx(TIME_FIRST + TIME_STEP * top)


def test_knots_run_from_now_to_before_the_birth_of_any_universe():
    knots, bases = basis_knots()
    assert knots[0] == 0
    assert knots[-1] == TIME_LAST
    assert (np.diff(knots) > 0).all()
    assert bases.shape == (4, len(knots))


def test_bases_are_never_negative_and_sum_to_one_over_their_nodes():
    _, bases = basis_knots()
    assert bases.min() >= 0
    np.testing.assert_allclose(bases[:, 1:-1].sum(1), 1, rtol=2e-3)


def test_bases_are_in_the_order_of_their_ages():
    knots, bases = basis_knots()
    mean = (bases * knots).sum(1) / bases.sum(1)
    assert mean.tolist() == sorted(mean.tolist())
