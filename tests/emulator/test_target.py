"""What an emulator learns: light before or behind the screen."""

from dataclasses import replace

import numpy as np
import torch
from chunks import CONFIG, make_task, spectra

from popsed_core.emulator.pca import fit_basis
from popsed_core.emulator.target import make_target
from popsed_core.emulator.training_chunk import name_columns
from popsed_core.emulator.training_set import TOLERANCE, choose_pixels
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.toy import toy_grid


def test_behind_the_screen_is_the_exact_light(training_set):
    grid, task = toy_grid((1000.0, 30000.0)), make_task()
    cut, edges, wave, _ = choose_pixels(grid, task.training)
    exact = ExactSpectra(cut, task.spectra, edges, max_redshift=0.8, tolerance=TOLERANCE)
    inputs, log_lnu = next(training_set.blocks(False, slice(None)))
    found = make_target("behind_screen", wave)(inputs, log_lnu)
    truth = torch.log10(exact.behind_screen(name_columns(inputs))) + exact.log_unit
    assert (found - truth).abs().max() < 3e-3  # the toy's old stars, 15 dex fainter in the UV
    assert (found - truth).square().mean().sqrt() < 1e-5


def test_the_full_target_ends_where_fsps_ends(training_set):
    full = spectra(training_set, 0, target="full")
    assert full.min() == -70
    basis = fit_basis(training_set, 0, replace(CONFIG, target="full"))
    assert basis.target == "full"
    assert np.allclose(basis.mean, full.double().mean(0).numpy())
