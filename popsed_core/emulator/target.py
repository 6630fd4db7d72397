"""The target of an emulator: the light before the diffuse screen, or the full spectrum."""

import math
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.emulator.training_chunk import name_columns
from popsed_core.stellar.dust import Dust

LOG10_E = math.log10(math.e)
FAINTEST = -70.0  # [dex(Lsun / Hz / Msun)] FSPS's tiny_number, its faintest spectrum


@runtime_checkable
class Target(Protocol):
    """From log spectra with all dust to the target."""

    def __call__(
        self, inputs: Float[Tensor, "spectrum 10"], log_lnu: Float[Tensor, "spectrum pixel"]
    ) -> Float[Tensor, "spectrum pixel"]:
        """Return the target [dex(Lsun / Hz / Msun)]; inputs in the order of ``INPUTS``."""


class BehindScreen:
    """Ours: the light before the diffuse screen, which is then multiplied by the exact one."""

    def __init__(self, wave: np.ndarray) -> None:
        self.dust = Dust(wave)

    def __call__(
        self, inputs: Float[Tensor, "spectrum 10"], log_lnu: Float[Tensor, "spectrum pixel"]
    ) -> Float[Tensor, "spectrum pixel"]:
        """Return the target [dex(Lsun / Hz / Msun)], the screen removed exactly as added."""
        theta = name_columns(inputs.to(log_lnu.dtype))
        screen = self.dust.to(dtype=log_lnu.dtype).log_screen(theta.tau_ism, theta.dust_index)
        return log_lnu - LOG10_E * screen


class Full:
    """The paper's: the full spectrum, down to the faintest of FSPS."""

    def __init__(self, wave: np.ndarray) -> None:
        """Take the wavelengths [AA], which it does not need."""

    def __call__(
        self, inputs: Float[Tensor, "spectrum 10"], log_lnu: Float[Tensor, "spectrum pixel"]
    ) -> Float[Tensor, "spectrum pixel"]:
        """Return the target [dex(Lsun / Hz / Msun)]."""
        return log_lnu.clamp(min=FAINTEST)


TARGETS = {"behind_screen": BehindScreen, "full": Full}


def make_target(kind: str, wave: np.ndarray) -> Target:
    """Return the target called ``behind_screen`` or ``full`` at the wavelengths [AA]."""
    return TARGETS[kind](wave)


def relative_error(
    found: Float[Tensor, "spectrum pixel"], truth: Float[Tensor, "spectrum pixel"]
) -> Float[Tensor, "spectrum pixel"]:
    """Return |L / L_true - 1| from log10 of both."""
    return torch.expm1((found - truth) / LOG10_E).abs()
