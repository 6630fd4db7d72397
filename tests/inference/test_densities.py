"""One-dimensional prior densities: normalised over the range, each the law of its name."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from boxes import COSMOLOGY, PARAMETERS, RICH, column_density
from scipy import integrate

from popsed_core.config.parameters import (
    ComovingVolume,
    FlatSimplex,
    ParameterConfig,
    Schechter,
    Tabulated,
    TruncatedNormal,
    Uniform,
)
from popsed_core.errors import InputError
from popsed_core.inference.priors.prior import PopulationPrior

DENSITIES = {
    "uniform": ("tau_bc", Uniform()),
    "simplex": ("kappa_1", FlatSimplex()),
    "normal": ("tau_bc", TruncatedNormal(kind="truncated_normal", mean=1.0, sigma=0.8)),
    "normal_far_below": ("tau_bc", TruncatedNormal(kind="truncated_normal", mean=-9, sigma=0.5)),
    "normal_far_above": ("tau_bc", TruncatedNormal(kind="truncated_normal", mean=9, sigma=0.5)),
    "tabulated": ("tau_bc", Tabulated(kind="tabulated", x=(0, 1, 3), density=(0.0, 2.0, 1.0))),
    "volume": ("redshift", ComovingVolume("comoving_volume")),
    "schechter": (
        "log_stellar_mass",
        Schechter(kind="schechter", log_knee=10.66, slope=(-0.35, -1.47), weight=(3.96, 0.79)),
    ),
}


@pytest.mark.parametrize("case", DENSITIES)
def test_density_integrates_to_one_over_the_box(case):
    name, density = DENSITIES[case]
    box = replace(RICH[name], prior=density)
    prior = PopulationPrior({**RICH, name: box}, COSMOLOGY)
    x = np.linspace(box.low, box.high, 20_001)
    total = integrate.simpson(column_density(prior, name, x), x=x)
    assert total == pytest.approx(1, abs=2e-5)


def test_redshift_density_is_the_comoving_volume_of_astropy():
    redshift = np.geomspace(0.001, 0.8, 200)
    density = column_density(PopulationPrior(RICH, COSMOLOGY), "redshift", redshift)
    cosmology = FlatLambdaCDM(H0=COSMOLOGY.hubble, Om0=COSMOLOGY.omega_m)
    expected = cosmology.differential_comoving_volume(redshift).value * 4 * np.pi
    ends = cosmology.comoving_volume(np.array([0.001, 0.8])).value
    total = ends[1] - ends[0]
    np.testing.assert_allclose(density, expected / total, rtol=1e-4)


def test_mass_density_falls_off_as_schechter():
    mass = np.array([9.0, 11.0])
    density = column_density(PopulationPrior(RICH, COSMOLOGY), "log_stellar_mass", mass)
    expected = 10 ** (0.2 * 2) * np.exp(-0.01) / np.exp(-1)  # slope -1.2, knee 11, per dex
    assert density[0] / density[1] == pytest.approx(expected)


def _with_prior(name: str, prior, **box: float) -> dict[str, ParameterConfig]:
    return {**PARAMETERS, name: replace(PARAMETERS[name], prior=prior, **box)}


def test_table_that_is_zero_inside_the_box_names_the_remedy():
    table = Tabulated(kind="tabulated", x=(0.0, 1.0), density=(1.0, 1.0))
    with pytest.raises(InputError, match=r"parameters.tau_bc.prior: density is zero .* narrow"):
        PopulationPrior(_with_prior("tau_bc", table), COSMOLOGY)


def test_table_out_of_order_is_refused():
    table = Tabulated(kind="tabulated", x=(1.0, 0.0), density=(1.0, 1.0))
    with pytest.raises(InputError, match=r"tau_bc.prior: x must increase"):
        PopulationPrior(_with_prior("tau_bc", table), COSMOLOGY)


def test_schechter_terms_must_match():
    prior = Schechter(kind="schechter", log_knee=11.0, slope=(-1.0, -0.5), weight=(1.0,))
    with pytest.raises(InputError, match="2 slopes and 1 weights"):
        PopulationPrior(_with_prior("log_stellar_mass", prior), COSMOLOGY)


def test_negative_redshift_has_no_volume():
    boxes = _with_prior("redshift", ComovingVolume("comoving_volume"), low=-0.1)
    with pytest.raises(InputError, match=r"parameters.redshift.low"):
        PopulationPrior(boxes, COSMOLOGY)


def test_law_of_another_parameter_is_refused():
    boxes = _with_prior("tau_bc", ComovingVolume("comoving_volume"))
    with pytest.raises(
        InputError, match=r"tau_bc.prior.kind: comoving_volume is a law of redshift"
    ):
        PopulationPrior(boxes, COSMOLOGY)


def test_schechter_far_above_its_knee_is_still_normalised():
    boxes = _with_prior("log_stellar_mass", PARAMETERS["log_stellar_mass"].prior, low=14, high=14.1)
    x = np.linspace(14, 14.1, 200_001)
    density = column_density(PopulationPrior(boxes, COSMOLOGY), "log_stellar_mass", x)
    assert integrate.simpson(density, x=x) == pytest.approx(1, abs=5e-3)
