"""Two-component dust: birth clouds (Charlot & Fall 2000) and a diffuse screen.

The screen has the Calzetti et al. 2000 curve with a slope modifier and a 2175 AA bump tied to it
(Kriek & Conroy 2013), as FSPS computes it for ``dust_type=4``: k(5500 AA) = 1 to 0.2 %.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

WAVE_V = 5500.0  # [AA] where optical depths are given (FSPS)
R_V = 4.05  # Calzetti et al. 2000
CALZETTI_BREAK = 6300.0  # [AA] between the two polynomials (Calzetti et al. 2000)
BUMP_WAVE = 2175.0  # [AA] centre of the UV bump (Kriek & Conroy 2013)
BUMP_WIDTH = 350.0  # [AA] its width (Kriek & Conroy 2013)
BUMP_ZERO = 0.85  # bump strength at dust_index 0 (Kriek & Conroy 2013, eq. 3)
BUMP_SLOPE = -1.9  # change of the bump strength with dust_index (same)
BIRTH_CLOUD_INDEX = -1.0  # power law of the birth clouds (FSPS dust1_index)


def calzetti_curve(wave: np.ndarray) -> np.ndarray:
    """Return the Calzetti et al. 2000 curve, 1 at 5500 AA; never negative (FSPS add_dust.f90)."""
    x = 1e4 / wave
    blue = 1.17 * (-2.156 + 1.509 * x - 0.198 * x**2 + 0.011 * x**3) + 1.78
    red = 1.17 * (-1.857 + 1.04 * x) + 1.78
    curve = np.where(wave <= CALZETTI_BREAK, blue, red) / 0.44 / R_V
    return np.clip(curve, 0.0, None)


def bump_profile(wave: np.ndarray) -> np.ndarray:
    """Return the Drude profile of the UV bump, per unit strength, in units of k(V)."""
    square = (BUMP_WIDTH * wave) ** 2
    return square / ((wave**2 - BUMP_WAVE**2) ** 2 + square) / R_V


class Dust(nn.Module):
    """Transmission of both components on a fixed wavelength grid."""

    def __init__(self, wave: np.ndarray) -> None:
        super().__init__()
        bump = bump_profile(wave)
        tables = {
            "curve": calzetti_curve(wave) + BUMP_ZERO * bump,
            "curve_slope": BUMP_SLOPE * bump,
            "log_wave": np.log(wave / WAVE_V),
            "cloud": (wave / WAVE_V) ** BIRTH_CLOUD_INDEX,
        }
        for name, table in tables.items():
            self.register_buffer(name, torch.as_tensor(table), persistent=False)

    def screen(
        self, tau_ism: Float[Tensor, "galaxy"], dust_index: Float[Tensor, "galaxy"]
    ) -> Float[Tensor, "galaxy wave"]:
        """Return the transmission of the diffuse screen, seen by all stars."""
        return torch.exp(self.log_screen(tau_ism, dust_index))

    def log_screen(
        self, tau_ism: Float[Tensor, "galaxy"], dust_index: Float[Tensor, "galaxy"]
    ) -> Float[Tensor, "galaxy wave"]:
        """Return the natural logarithm of the screen's transmission, which never underflows."""
        index = dust_index[:, None]
        shape = self.curve + index * self.curve_slope
        return -tau_ism[:, None] * shape * torch.exp(index * self.log_wave)

    def birth_cloud(self, tau_bc: Float[Tensor, "galaxy"]) -> Float[Tensor, "galaxy wave"]:
        """Return the transmission of the birth clouds, seen by stars younger than 10^7 yr."""
        return torch.exp(-tau_bc[:, None] * self.cloud)
