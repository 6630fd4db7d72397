"""The parameters of a galaxy: one name each, the same everywhere."""

import pytest
import torch
from astropy import units

from popsed_core.config.base import to_json
from popsed_core.config.parameters import (
    ParameterConfig,
    TruncatedNormal,
    Uniform,
    parameters_from_json,
)
from popsed_core.errors import InputError
from popsed_core.parameters import DERIVED, NAMES, PARAMETERS, SIMPLEX_POWER
from popsed_core.theta import Theta, from_matrix, to_matrix


def test_every_quantity_has_a_name_of_its_own_and_a_unit_that_astropy_knows():
    rows = (*PARAMETERS, *DERIVED)
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        units.Unit(row.unit)
        assert row.description


def test_theta_has_a_column_for_each_parameter_in_their_order():
    matrix = torch.arange(2.0 * len(NAMES)).reshape(2, -1)
    theta = from_matrix(matrix)
    assert Theta._fields == NAMES
    assert theta.tau_ism.tolist() == [10.0, 21.0]
    assert torch.equal(to_matrix(theta), matrix)


def test_powers_make_three_fractions_flat():
    assert [SIMPLEX_POWER[f"kappa_{k}"] for k in (1, 2, 3)] == [3, 2, 1]


def test_boxes_come_back_from_json_with_their_priors():
    prior = TruncatedNormal("truncated_normal", 0.3, 0.2)
    boxes = {name: ParameterConfig(0.1, 0.9, prior=Uniform()) for name in NAMES}
    boxes["tau_ism"] = ParameterConfig(0.0, 3.0, prior=prior)
    assert parameters_from_json(to_json(boxes), "--parameters") == boxes
    del boxes["tau_bc"]
    with pytest.raises(InputError, match=r"--parameters.*tau_bc"):
        parameters_from_json(to_json(boxes), "--parameters")


def test_a_box_has_a_width():
    with pytest.raises(ValueError, match=r"low 1\.0 is not below high 1\.0"):
        ParameterConfig(1.0, 1.0)
