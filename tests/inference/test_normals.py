"""Normal densities cut at the ends of a range, and their means that follow another parameter."""

import numpy as np
import pytest
from boxes import COSMOLOGY, RICH, column_density, stream
from scipy import integrate, stats

from popsed_core.inference.priors.prior import PopulationPrior


@pytest.mark.parametrize("mass", [7.5, 10.5, 13.0])
def test_conditional_density_integrates_to_one_for_each_value_of_the_other(mass):
    x = np.linspace(RICH["logzsol"].low, RICH["logzsol"].high, 20_001)
    density = column_density(PopulationPrior(RICH, COSMOLOGY), "logzsol", x, log_stellar_mass=mass)
    assert integrate.simpson(density, x=x) == pytest.approx(1, abs=1e-5)


def test_conditional_mean_follows_the_other_parameter():
    theta = PopulationPrior(RICH, COSMOLOGY).sample(100_000, stream())
    near = (theta.log_stellar_mass - 9.5).abs() < 0.1
    ends = (np.array([-2.6, 0.3]) - (-0.6)) / 0.3
    assert theta.logzsol[near].mean().item() == pytest.approx(
        stats.truncnorm.mean(*ends, loc=-0.6, scale=0.3), abs=0.02
    )


def test_truncated_normal_equals_scipy():
    x = np.linspace(-3, 1, 50)
    density = column_density(PopulationPrior(RICH, COSMOLOGY), "dust_index", x)
    expected = stats.truncnorm.pdf(x, (-3 - 2) / 2, (1 - 2) / 2, loc=2, scale=2)
    np.testing.assert_allclose(density, expected, rtol=1e-10)
