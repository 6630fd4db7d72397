"""Galaxies to train on follow the prior that they are called after."""

import numpy as np
import pytest
import torch
from test_emulator import BOX

from popsed_core.config.parameters import ParameterConfig
from popsed_core.emulator.training_chunk import INPUTS
from popsed_core.emulator.training_draws import draw_inputs

LOG_BURST = BOX | {"t_burst": ParameterConfig(0.01, 13.27, coordinate="log")}


@pytest.mark.parametrize("draws", ["uniform", "coordinates", "both"])
def test_draws_follow_the_prior_they_are_called_after(draws):
    stream = torch.Generator().manual_seed(1)
    drawn = draw_inputs(LOG_BURST, 20_000, stream, draws)
    burst = drawn[:, INPUTS.index("t_burst")]
    share = (burst < np.sqrt(0.01 * 13.27)).double().mean().item()
    uniform = (np.sqrt(0.01 * 13.27) - 0.01) / 13.26
    wanted = {"uniform": uniform, "coordinates": 0.5, "both": 0.25 + uniform / 2}[draws]
    assert abs(share - wanted) < 0.01
    for name, column in zip(INPUTS, drawn.unbind(1), strict=True):
        assert BOX[name].low <= column.min() < column.max() <= BOX[name].high
