"""Dust: the printed formulas, and their normalisation."""

import numpy as np
import pytest
import torch
from laws_tools import attenuation

from popsed_core.stellar.dust import Dust


def double(value: float) -> torch.Tensor:
    return torch.tensor([value], dtype=torch.float64)


def test_dust_is_the_printed_formula():
    wave = np.linspace(1200, 20000, 500)
    dust = Dust(wave)
    for index in (-2.0, -0.3, 0.0, 0.8):
        screen = dust.screen(double(1.0), double(index))
        np.testing.assert_allclose(screen[0], np.exp(-attenuation(wave, index)), rtol=1e-10)
    cloud = dust.birth_cloud(double(2.0))[0]
    np.testing.assert_allclose(cloud, np.exp(-2 * 5500 / wave))


def test_the_screen_has_unit_optical_depth_at_5500_angstrom():
    screen = Dust(np.array([5500.0])).screen(double(1.0), double(-0.2))
    assert -np.log(screen.item()) == pytest.approx(1.0, rel=2e-3)
