"""Training data of the emulator: the stated prior, and chunks that belong to it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_emulator import BOX, EMULATOR, GRID, MAX_ERROR, TASK, exact

from popsed_core.config.emulator import TrainingSetConfig
from popsed_core.config.parameters import ParameterConfig
from popsed_core.emulator.data import ChunkSpectra
from popsed_core.emulator.emulator import EmulatedSpectra, assemble
from popsed_core.emulator.fit import ChunkFiles, SegmentFit, fit_segment, make_source
from popsed_core.emulator.pca import fit_basis
from popsed_core.emulator.training_chunk import ROWS
from popsed_core.emulator.training_draws import draw_theta
from popsed_core.emulator.training_index import TrainingSet, make_index
from popsed_core.emulator.training_set import ChunkTask, make_chunk
from popsed_core.errors import InputError
from popsed_core.files import artefacts
from popsed_core.files.artefacts import Provenance, sha256
from popsed_core.running import loop

CPU = torch.device("cpu")
TABLE = "abc"  # checksum of the SSP table
TRAINING = TrainingSetConfig(chunk_size=5000, n_pixels=80, draws="uniform")
FROM_CHUNKS = replace(TASK, emulator=replace(EMULATOR, source="chunks"), training=TRAINING)


def make_files(folder, seed=1, target="behind_screen"):
    """Make three chunks, their index, and a basis of each segment."""
    paths = []
    for chunk in (1, 2, 3):
        task = ChunkTask(chunk, seed, TRAINING, TASK.spectra, BOX)
        paths.append(folder / f"chunk_{chunk}.h5")
        origin = Provenance(source="toy", inputs={"ssp": TABLE})
        make_chunk(task, GRID, paths[-1], folder / "partial", origin)
    artefacts.save(make_index(paths, 1, folder), folder / "index.h5", origin)
    made_of = Provenance(source="toy", inputs={"training_set": sha256(folder / "index.h5")})
    for segment in range(EMULATOR.n_segments):
        basis = fit_basis(
            TrainingSet(folder / "index.h5"), segment, replace(EMULATOR, target=target)
        )
        artefacts.save(basis, folder / f"basis_{segment}.h5", made_of)
    return [ChunkFiles(folder / "index.h5", folder / f"basis_{k}.h5") for k in (0, 1)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_files(tmp_path_factory.mktemp("set"))


def source(files, segment=0, **changes):
    task = replace(FROM_CHUNKS, segment=segment, **changes)
    return make_source(task, GRID, TABLE, files[segment])


def test_an_emulator_of_chunks_comes_close_to_the_exact_spectra(files):
    task = replace(FROM_CHUNKS, segment=0)
    segments = [fit_segment(replace(task, segment=k), GRID, TABLE, files=files[k]) for k in (0, 1)]
    model = EmulatedSpectra(assemble(segments, ["a", "b"]), GRID, TASK.spectra, max_redshift=0.8)
    truth = exact(model.float().edges)
    theta = draw_theta(BOX, 2000, torch.Generator().manual_seed(1))
    light = truth(theta)
    ratio = model(theta) * 10 ** (model.log_unit - truth.log_unit) / light.clamp(min=1e-30)
    assert (ratio[light > 1e-20] - 1).abs().quantile(0.68) < MAX_ERROR


def test_the_pixels_of_chunks_meet_where_segments_do(files):
    first, second = source(files, 0), source(files, 1)
    assert first.edges[-1] == second.edges[0]
    assert np.allclose(
        np.diff(np.concatenate([first.edges, second.edges[1:]])), np.diff(first.edges)[0]
    )


def test_all_blocks_are_seen_before_one_comes_again(files):
    chunks = source(files)
    n = 10_000  # of two chunks to train on
    for _ in range(3):
        features = torch.cat([b.features for b in chunks.blocks(n, torch.Generator(), CPU)])
        assert len(features) == n
        assert len(features.unique(dim=0)) == n
    few = list(chunks.blocks(ROWS, torch.Generator().manual_seed(2), CPU))
    assert len(few) == 1
    twice = torch.cat([b.features for b in chunks.blocks(2 * n, torch.Generator(), CPU)])
    assert len(twice) == 2 * n
    assert len(twice.unique(dim=0)) == n


def test_validation_spectra_are_never_trained_on(files):
    chunks = source(files)
    seen = torch.cat([b.features for b in chunks.blocks(10_000, torch.Generator(), CPU)])
    held_out = chunks.validation(CPU).features
    assert len(held_out) == 5000
    assert len(torch.cat([seen, held_out]).unique(dim=0)) == 15_000


def test_resumed_training_on_chunks_equals_uninterrupted_bit_for_bit(files, tmp_path):
    task = replace(FROM_CHUNKS.emulator, n_epochs=3, n_steps=5)
    task = replace(FROM_CHUNKS, emulator=task)
    whole = SegmentFit(task, make_source(task, GRID, TABLE, files[0]))
    loop.run(whole)
    half = SegmentFit(task, make_source(task, GRID, TABLE, files[0]))
    half.n_epochs = 2
    loop.run(half, tmp_path / "half.pt", "same")
    rest = SegmentFit(task, make_source(task, GRID, TABLE, files[0]))
    loop.run(rest, tmp_path / "half.pt", "same")
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, rest.network.state_dict()[name])


def test_chunks_of_another_table_or_box_are_refused(files):
    with pytest.raises(InputError, match=r"index\.h5: made with the SSP table abc, not with"):
        ChunkSpectra(FROM_CHUNKS, GRID, "other", *files[0])
    with pytest.raises(InputError, match=r"redshift was drawn in 0\.001-0\.8, but .* 0\.001-1\.5"):
        source(files, parameters=BOX | {"redshift": ParameterConfig(0.001, 1.5)})


def test_a_basis_of_another_set_segment_or_target_is_refused(files, tmp_path):
    other = make_files(tmp_path, seed=2, target="full")
    with pytest.raises(InputError, match=r"basis_0\.h5: of a training set other than"):
        ChunkSpectra(FROM_CHUNKS, GRID, TABLE, files[0].index, other[0].basis)
    with pytest.raises(InputError, match=r"basis_1\.h5: segment, target and number .* \(1, "):
        ChunkSpectra(FROM_CHUNKS, GRID, TABLE, files[0].index, files[1].basis)
    with pytest.raises(InputError, match=r"basis_0\.h5: .* expected \(0, 'behind_screen', 10\)"):
        ChunkSpectra(FROM_CHUNKS, GRID, TABLE, *other[0])


def test_chunks_that_are_not_given_are_asked_for():
    with pytest.raises(InputError, match="chunks needs a training set and a basis"):
        make_source(FROM_CHUNKS, GRID, TABLE)
