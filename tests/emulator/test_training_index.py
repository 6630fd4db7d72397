"""The index of the training set: chunks unchanged, validation chunks never trained on."""

import numpy as np
import pytest
import torch
from chunks import ORIGIN, make, make_task

from popsed_core.emulator.training_chunk import TrainingChunk
from popsed_core.emulator.training_index import TrainingSet, make_index
from popsed_core.emulator.training_set import make_chunk
from popsed_core.errors import InputError
from popsed_core.files import artefacts
from popsed_core.files.artefacts import Provenance
from popsed_core.stellar.ssp.toy import toy_grid


@pytest.fixture(scope="module")
def grid():
    return toy_grid((1000.0, 30000.0))


@pytest.fixture
def chunks(tmp_path, grid):
    return [make(tmp_path / "chunks", grid, make_task(chunk=k)) for k in (1, 2, 3)]


@pytest.fixture
def training_set(tmp_path, chunks):
    artefacts.save(make_index(chunks[::-1], 1, tmp_path), tmp_path / "index.h5", ORIGIN)
    return TrainingSet(tmp_path / "index.h5")


def read(training_set, is_validation=False, pixels=slice(None)):
    blocks = list(training_set.blocks(is_validation, pixels))
    return [torch.cat(parts).numpy() for parts in zip(*blocks, strict=True)]


def test_training_and_validation_are_all_chunks_in_order(training_set, chunks):
    whole = [artefacts.load(path, TrainingChunk) for path in chunks]
    inputs, log_lnu = read(training_set)
    assert np.array_equal(inputs, np.concatenate([whole[0].theta, whole[1].theta]))
    assert np.array_equal(log_lnu, np.concatenate([whole[0].log_lnu, whole[1].log_lnu]))
    assert np.array_equal(read(training_set, True)[1], whole[2].log_lnu)


def test_a_segment_is_read_without_the_rest(training_set):
    pixels = training_set.pixels(2000.0, 3600.0)
    wave = training_set.index.wave
    assert np.all((wave[pixels] >= 2000) & (wave[pixels] < 3600))
    assert len(wave[pixels]) == ((wave >= 2000) & (wave < 3600)).sum()
    assert np.array_equal(read(training_set, pixels=pixels)[1], read(training_set)[1][:, pixels])


def test_a_training_set_can_be_moved(training_set, tmp_path, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "set"
    expected = read(training_set)[1]
    tmp_path.rename(elsewhere)
    assert np.array_equal(read(TrainingSet(elsewhere / "index.h5"))[1], expected)
    elsewhere.rename(tmp_path)


def test_a_missing_chunk_is_named(training_set, chunks):
    chunks[1].unlink()
    with pytest.raises(InputError, match=r"chunk_2\.h5: this chunk of the training set is missing"):
        read(training_set)


@pytest.mark.parametrize("how", ["cut", "another", "rewritten"])
def test_an_altered_chunk_is_named(training_set, chunks, grid, how):
    if how == "cut":
        chunks[1].write_bytes(chunks[1].read_bytes()[:-100])
    elif how == "another":
        chunks[1].write_bytes(chunks[0].read_bytes())
    else:
        task = make_task(chunk=2, seed=7)
        make_chunk(task, grid, chunks[1], chunks[1].with_name("partial"), ORIGIN)
    with pytest.raises(InputError, match=r"chunk_2\.h5: this chunk was changed"):
        read(training_set)


def test_chunks_of_different_settings_do_not_mix(tmp_path, chunks, grid):
    other = Provenance(source="toy", inputs={"ssp": "def"})
    make_chunk(make_task(chunk=2), grid, chunks[1], tmp_path / "partial", other)
    with pytest.raises(InputError, match=r"chunk_2\.h5: was made with other settings.*chunk_1"):
        make_index(chunks, 1, tmp_path)


def test_a_chunk_counts_once(tmp_path, chunks):
    with pytest.raises(InputError, match="is chunk 1, as is"):
        make_index([*chunks, chunks[0]], 1, tmp_path)


def test_something_is_left_to_train_on(tmp_path, chunks):
    with pytest.raises(InputError, match="n_validation_chunks: 3 of 3"):
        make_index(chunks, 3, tmp_path)
