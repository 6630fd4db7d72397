"""The prior's own uncertainty: drawn with its published width, and nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest
from boxes import COSMOLOGY, PARAMETERS
from galaxies import GALAXIES, stream

from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.inference.priors.prior_draws import draw_parameters


def values(parameters):
    """Return every value that has an error, with it."""
    kappa_1, logzsol = parameters["kappa_1"].prior, parameters["logzsol"].prior
    return {
        "knee": (parameters["log_stellar_mass"].prior.log_knee, 0.1),
        "sequence": (kappa_1.sequence.rate, 0.1),
        "quiescent": (kappa_1.quiescent.log_ssfr, 0.2),
        "fraction": (kappa_1.fraction.log_mass, 0.15),
        "metals": (logzsol.star_forming.median[2], 0.1),
        "metals of quiescent": (logzsol.quiescent.median[2], 0.1),
        "dust": (parameters["tau_ism"].prior.star_forming.median[0], 0.1),
        "slope": (parameters["dust_index"].prior.median[0], 0.15),
    }


def test_each_zero_is_drawn_with_its_stated_width_about_its_value():
    draws = stream(1)
    drawn = [values(draw_parameters(GALAXIES, draws)) for _ in range(1000)]
    columns = np.array([[value for value, _ in row.values()] for row in drawn])
    for name, column in zip(drawn[0], columns.T, strict=True):
        centre, width = values(GALAXIES)[name]
        assert column.mean() == pytest.approx(centre, abs=4 * width / 1000**0.5), name
        assert column.std() == pytest.approx(width, rel=0.1), name
    assert np.abs(np.corrcoef(columns.T) - np.eye(columns.shape[1])).max() < 0.15


def test_a_relation_is_shifted_as_a_whole():
    drawn = draw_parameters(GALAXIES, stream(2))["logzsol"].prior.star_forming.median
    shift = np.subtract(drawn, GALAXIES["logzsol"].prior.star_forming.median)
    np.testing.assert_allclose(shift, shift[0], atol=1e-12)
    assert shift[0] != 0


def test_a_prior_without_errors_is_drawn_as_it_is():
    assert draw_parameters(PARAMETERS, stream(3)) == PARAMETERS


def test_a_draw_is_decided_by_the_stream():
    assert draw_parameters(GALAXIES, stream(4)) == draw_parameters(GALAXIES, stream(4))
    assert draw_parameters(GALAXIES, stream(4)) != draw_parameters(GALAXIES, stream(5))


def test_one_error_more_does_not_change_the_other_draws():
    knee = replace(GALAXIES["log_stellar_mass"].prior, log_knee_error=0.0)
    other = {**GALAXIES, "log_stellar_mass": replace(GALAXIES["log_stellar_mass"], prior=knee)}
    one, two = (draw_parameters(boxes, stream(6)) for boxes in (GALAXIES, other))
    assert one["kappa_1"] == two["kappa_1"]
    assert one["log_stellar_mass"] != two["log_stellar_mass"]


def test_a_drawn_prior_is_a_prior():
    theta = PopulationPrior(draw_parameters(GALAXIES, stream(7)), COSMOLOGY).sample(100, stream(8))
    for name, column in theta._asdict().items():
        assert (column >= GALAXIES[name].low).all()
        assert (column <= GALAXIES[name].high).all()
