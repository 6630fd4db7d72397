import numpy as np
import pytest

from popsed_core.diagnostics import metrics as distances


@pytest.fixture
def cloud():
    return np.random.default_rng(0).normal(2.0, 1.5, 4001)


@pytest.mark.parametrize("shift", [-0.7, 0.0, 3.0])
def test_wasserstein1_of_shifted_samples_is_the_shift(cloud, shift):
    assert distances.wasserstein1(cloud + shift, cloud) == pytest.approx(abs(shift), abs=1e-12)


def test_wasserstein1_is_the_integral_of_the_cdf_difference():
    random = np.random.default_rng(1)
    a, b = random.normal(0, 1, 300), random.normal(0.5, 2, 500)
    grid = np.linspace(-12, 12, 200_001)
    steps = [np.searchsorted(np.sort(x), grid, side="right") / x.size for x in (a, b)]
    integral = np.abs(steps[0] - steps[1]).sum() * (grid[1] - grid[0])
    assert distances.wasserstein1(a, b) == pytest.approx(integral, rel=1e-3)


def test_kolmogorov_smirnov_is_zero_for_the_same_and_one_for_disjoint_samples(cloud):
    assert distances.kolmogorov_smirnov(cloud, cloud[::-1]) == 0
    assert distances.kolmogorov_smirnov(cloud, cloud + 1000) == 1


def test_kolmogorov_smirnov_of_uniforms_is_the_shift_in_steps():
    a = (np.arange(1000) + 0.5) / 1000
    assert distances.kolmogorov_smirnov(a + 0.2505, a) == pytest.approx(0.251)


def test_offsets_of_shifted_samples_are_the_shift(cloud):
    assert distances.mean_offset(cloud + 0.3, cloud) == pytest.approx(0.3)
    assert distances.median_offset(cloud - 0.3, cloud) == pytest.approx(-0.3)
    assert distances.quantile_offset(cloud + 0.3, cloud, 0.84) == pytest.approx(0.3)


def test_width_ratio_is_the_stretch(cloud):
    assert distances.width_ratio(3 * cloud + 1, cloud) == pytest.approx(3)
    assert distances.width_ratio(cloud, np.ones(5)) == np.inf
