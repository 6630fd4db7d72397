"""Principal components: the best linear reconstruction, whatever the size of the blocks."""

import numpy as np
import pytest
import torch
from chunks import CONFIG, ORIGIN, spectra

from popsed_core.config.emulator import EmulatorConfig
from popsed_core.emulator.pca import Moments, Projection, SpectrumBasis, fit_basis
from popsed_core.emulator.target import relative_error
from popsed_core.errors import InputError
from popsed_core.files import artefacts


@pytest.mark.parametrize("segment", [0, 1])
def test_components_are_those_of_the_whole_matrix(training_set, segment):
    basis = fit_basis(training_set, segment, CONFIG)
    whole = spectra(training_set, segment).double().numpy()
    centred = whole - whole.mean(0)
    _, weight, rows = np.linalg.svd(centred, full_matrices=False)
    assert np.allclose(basis.mean, whole.mean(0), rtol=1e-12)
    assert np.allclose(basis.std, whole.std(0), rtol=1e-9)
    assert np.allclose(basis.variances, weight[:12] ** 2 / len(whole), rtol=1e-6)
    assert np.allclose(np.abs((basis.components[:6] * rows[:6]).sum(1)), 1, atol=1e-6)
    assert np.allclose(basis.components @ basis.components.T, np.eye(12), atol=1e-12)
    assert basis.n_spectra == 5000


def test_moments_do_not_depend_on_the_blocks(training_set):
    whole = spectra(training_set, 0)
    once, twice = Moments(), Moments()
    once.add(whole)
    for block in whole.split(333):
        twice.add(block)
    for a, b in zip(once.result(), twice.result(), strict=True):
        assert torch.allclose(a, b, rtol=1e-12, atol=1e-14)


def test_projecting_undoes_reconstructing(training_set):
    basis = fit_basis(training_set, 1, CONFIG)
    projection = Projection(basis.mean, basis.components)
    coefficients = torch.randn(5, 12, dtype=torch.float64)
    again = projection.project(projection.reconstruct(coefficients))
    assert torch.allclose(again, coefficients, atol=1e-12)


def test_the_stored_error_is_that_of_the_validation_spectra(training_set):
    basis = fit_basis(training_set, 1, CONFIG)
    truth = spectra(training_set, 1, is_validation=True).double()
    projection = Projection(basis.mean, basis.components)
    error = relative_error(projection.reconstruct(projection.project(truth)), truth)
    assert np.allclose(basis.error_68, np.quantile(error, 0.68, axis=0), rtol=1e-4, atol=1e-9)
    assert np.all(basis.error_68 < basis.error_95)
    assert basis.error_68.max() < 2e-3


def test_more_components_reconstruct_better(training_set):
    few = EmulatorConfig(edges=CONFIG.edges, n_components=(4, 4))
    for segment in (0, 1):
        rough, fine = (fit_basis(training_set, segment, config) for config in (few, CONFIG))
        assert fine.error_68.max() < rough.error_68.max() / 3


def test_a_basis_survives_a_file(training_set, tmp_path):
    basis = fit_basis(training_set, 0, CONFIG)
    artefacts.save(basis, tmp_path / "basis.h5", ORIGIN)
    again = artefacts.load(tmp_path / "basis.h5", SpectrumBasis)
    assert np.array_equal(again.components, basis.components)
    assert again.segment == 0


def test_too_few_pixels_are_told(training_set):
    many = EmulatorConfig(edges=CONFIG.edges, n_components=(500, 12))
    with pytest.raises(InputError, match=r"emulator\.n_components: segment 0 has \d+ pixels"):
        fit_basis(training_set, 0, many)


def test_a_segment_that_is_not_there_is_told(training_set):
    with pytest.raises(InputError, match=r"segment: got 2, but emulator\.edges make 2"):
        fit_basis(training_set, 2, CONFIG)
