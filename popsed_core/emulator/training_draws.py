"""Galaxies to train an emulator on, of one solar mass, drawn from the boxes of the parameters."""

import dataclasses
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.config.parameters import ParameterConfig
from popsed_core.coordinates import make_coordinate
from popsed_core.emulator.training_chunk import INPUTS, name_columns
from popsed_core.theta import Theta


def draw_inputs(
    parameters: Mapping[str, ParameterConfig],
    n: int,
    generator: torch.Generator,
    draws: str = "uniform",
) -> Float[Tensor, "galaxy 10"]:
    """Draw galaxies in double precision.

    Args:
        parameters: box and coordinate of each.
        n: how many.
        generator: of the random numbers.
        draws: ``uniform`` in the boxes (Li et al. 2023, section 2.2 and Table 1), uniform in the
            ``coordinates`` of the flow, where its galaxies begin, or ``both`` in turn.

    Returns:
        Columns in the order of ``INPUTS``.
    """
    u = torch.randn(n, len(INPUTS), generator=generator, dtype=torch.float64)
    boxes = {name: dataclasses.replace(parameters[name], coordinate="linear") for name in INPUTS}
    if draws == "uniform":
        return _physical(boxes, u)
    if draws == "coordinates":
        return _physical(parameters, u)
    values = _physical(boxes, u)
    values[1::2] = _physical(parameters, u[1::2])
    return values


def _physical(
    parameters: Mapping[str, ParameterConfig], u: Float[Tensor, "galaxy 10"]
) -> Float[Tensor, "galaxy 10"]:
    columns = [
        make_coordinate(name, parameters[name]).physical(column)
        for name, column in zip(INPUTS, u.unbind(1), strict=True)
    ]
    return torch.stack(columns, dim=1)


def draw_theta(
    parameters: Mapping[str, ParameterConfig],
    n: int,
    generator: torch.Generator,
    draws: str = "uniform",
) -> Theta:
    """Draw as :func:`draw_inputs` does, but return theta in single precision."""
    return name_columns(draw_inputs(parameters, n, generator, draws).float())
