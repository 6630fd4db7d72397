"""An emulator that has learnt nothing yet, to time its steps."""

from pathlib import Path

import pytest
import torch
from laws_tools import SDSS
from toy_world import GRID

from popsed_core.config.root import load
from popsed_core.emulator.training_draws import draw_theta
from popsed_core.emulator.untrained import untrained_emulator
from popsed_core.photometry.synthetic import build_photometry

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "config.yaml", ROOT / "config" / "smoke.yaml"


@pytest.mark.parametrize("inputs", ["literal", "physical"])
def test_an_untrained_emulator_predicts_finite_photometry_of_every_galaxy(inputs, tmp_path):
    overlay = tmp_path / "inputs.yaml"
    overlay.write_text(f"emulator: {{inputs: {inputs}}}\nspectra: {{engine: emulator}}\n")
    config = load(*OURS, overlay)
    segments = untrained_emulator(GRID, config)
    assert [segment["segment"] for segment in segments] == [0, 1]
    photometry = build_photometry(GRID, SDSS, config.spectra, (0.001, 0.8), segments).float()
    theta = draw_theta(config.parameters, 50, torch.Generator().manual_seed(1))
    maggies = photometry(theta)
    assert maggies.shape == (50, 5)
    assert torch.isfinite(maggies).all()
    assert (maggies > 0).all()
