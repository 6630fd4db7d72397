"""Theta: the physical parameters of many galaxies, one tensor per column, named."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.parameters import NAMES

Column = Float[Tensor, "galaxy"]


class Theta(NamedTuple):
    """Physical parameters, one entry per galaxy; meanings and units in ``parameters.py``."""

    redshift: Column
    log_stellar_mass: Column
    kappa_1: Column
    kappa_2: Column
    kappa_3: Column
    t_burst: Column
    f_burst: Column
    logzsol: Column
    dust_index: Column
    tau_bc: Column
    tau_ism: Column


assert Theta._fields == NAMES


def from_matrix(matrix: Float[Tensor, "galaxy parameter"]) -> Theta:
    """Name the columns of a matrix ordered as ``parameters.NAMES``."""
    return Theta(*matrix.unbind(1))


def to_matrix(theta: Theta) -> Float[Tensor, "galaxy parameter"]:
    """Stack the columns in the order of ``parameters.NAMES``."""
    return torch.stack(tuple(theta), dim=1)
