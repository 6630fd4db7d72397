"""Centre, covariance and width that a few wrong rows do not dominate."""

import numpy as np
import pytest

from popsed_core.photometry.robust import robust_covariance, robust_width

WIDTHS = np.array([2.0, 0.4, 0.1, 0.06, 0.02])


def normal(n=10_000, seed=0, n_columns=5):
    """Return correlated normal rows about 18, and the matrix that gives them unit covariance."""
    random = np.random.default_rng(seed)
    widths = np.resize(WIDTHS, n_columns)
    axes = np.linalg.qr(random.normal(size=(n_columns, n_columns)))[0]
    return 18 + random.normal(size=(n, n_columns)) * widths @ axes, axes.T / widths


def widths_of(covariance, whitening):
    return np.sqrt(np.linalg.eigvalsh(whitening.T @ covariance @ whitening))


@pytest.mark.parametrize("n_columns", [1, 2, 5, 10])
def test_of_normal_data_the_covariance_is_the_plain_one(n_columns):
    values, whitening = normal(100_000, n_columns=n_columns)
    centre, covariance = robust_covariance(values)
    plain = np.cov(values, rowvar=False).reshape(n_columns, n_columns)
    found = whitening.T @ (covariance - plain) @ whitening
    np.testing.assert_allclose(found, 0, atol=4 * np.sqrt(2 / 100_000))
    np.testing.assert_allclose((centre - values.mean(0)) @ whitening, 0, atol=4 / 100_000**0.5)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("offset", [5.0, 1e2, 1e5])
@pytest.mark.parametrize("n_columns", [2, 5, 10])
def test_a_wrong_row_in_10_000_and_one_per_cent_of_them_are_bounded(n_columns, offset, seed):
    values, _ = normal(seed=seed, n_columns=n_columns)
    clean = np.linalg.cholesky(np.linalg.inv(robust_covariance(values)[1]))
    for n_wrong, most in ((1, 0.002), (100, 0.12)):
        wrong = values.copy()
        wrong[:n_wrong, 1] += offset
        found = widths_of(robust_covariance(wrong)[1], clean)
        np.testing.assert_allclose(found, 1, atol=most)


def test_a_plain_covariance_is_ruled_by_one_row():
    values, _ = normal()
    values[0, 1] += 100
    assert np.sqrt(np.cov(values, rowvar=False)[1, 1]) > 1.4 * values[1:, 1].std()


def test_an_affine_map_of_the_data_maps_the_result():
    values, _ = normal()
    values[:50] += np.random.default_rng(1).normal(size=(50, 5)) * 10
    matrix = np.random.default_rng(2).normal(size=(5, 5))
    centre, covariance = robust_covariance(values)
    moved_centre, moved = robust_covariance(values @ matrix + 3)
    np.testing.assert_allclose(moved_centre, centre @ matrix + 3, rtol=1e-5)
    np.testing.assert_allclose(moved, matrix.T @ covariance @ matrix, rtol=1e-3, atol=1e-7)


def test_the_order_of_the_rows_does_not_matter():
    values, _ = normal()
    for one, other in zip(robust_covariance(values), robust_covariance(values[::-1]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_bands_that_are_equal_or_constant_have_no_width_apart():
    values, _ = normal()
    values[:, 1] = values[:, 0]
    values[:, 2] = 20.0
    covariance = robust_covariance(values)[1]
    assert covariance[2, 2] == pytest.approx(0, abs=1e-20)
    assert covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1] == pytest.approx(0, abs=1e-12)
    assert np.sqrt(covariance[3, 3]) == pytest.approx(values[:, 3].std(), rel=0.05)


def test_rows_that_are_all_the_same_have_no_width():
    np.testing.assert_allclose(robust_covariance(np.full((50, 3), 18.3))[1], 0, atol=1e-25)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_width_is_a_normals_standard_deviation_and_bounded(seed):
    values = np.random.default_rng(seed).normal(3, 0.2, 100_000)
    assert robust_width(values) == pytest.approx(0.2, rel=0.01)
    clean = robust_width(values)
    values[:1000] = -1e6
    assert robust_width(values) == pytest.approx(clean, rel=0.03)
