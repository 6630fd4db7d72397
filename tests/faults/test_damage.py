"""A damaged byte is reported before the file is used."""

import numpy as np
import pytest
import synthetic
import torch

from popsed_core.emulator.pca import SpectrumBasis
from popsed_core.emulator.training_blocks import Blocks
from popsed_core.errors import InputError
from popsed_core.files import artefacts
from popsed_core.files.artefacts import Provenance, Stream, load, load_slice, save, save_streamed
from popsed_core.inference.samples import PopulationSamples
from popsed_core.running.loop import load_plain, save_plain
from popsed_core.surveys.catalogue import Catalogue

pytestmark = pytest.mark.faults

N_FLIPS = 150
RANDOM = np.random.default_rng(7)


def flips(path, n=N_FLIPS):
    """Yield positions in a file, each with one bit flipped there, one after the other."""
    whole = path.read_bytes()
    for place in RANDOM.choice(len(whole), min(n, len(whole)), replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << RANDOM.integers(8)
        path.write_bytes(damaged)
        yield int(place)
    path.write_bytes(whole)


def same(one, other):
    """Return whether two artefacts have the same values."""
    for name in one.__dataclass_fields__:
        a, b = getattr(one, name), getattr(other, name)
        is_number = isinstance(a, np.ndarray) and a.dtype.kind == "f"
        if not (np.array_equal(a, b, equal_nan=is_number) if isinstance(a, np.ndarray) else a == b):
            return False
    return True


def attempt(read):
    """Return the value that is read, or the error message."""
    try:
        return read(), ""
    except InputError as error:
        return None, str(error)


ARTEFACTS = {
    "samples": lambda: synthetic.make_samples(n_draws=100),
    "catalogue": lambda: synthetic.make_observed(n=200)[0],
    "basis": lambda: synthetic.make_bases()[0],
}


@pytest.mark.parametrize("is_mapped", [False, True])
@pytest.mark.parametrize("name", ARTEFACTS)
def test_a_flipped_bit_of_an_artefact_is_told_or_is_in_no_value(
    tmp_path, monkeypatch, name, is_mapped
):
    monkeypatch.setattr(artefacts, "MAPPED", 10 if is_mapped else artefacts.MAPPED)
    wanted, path = ARTEFACTS[name](), tmp_path / "x.h5"
    save(wanted, path, Provenance())
    n_told = 0
    for place in flips(path):
        found, told = attempt(lambda: load(path, type(wanted)))
        n_told += bool(told)
        assert (str(path) in told and "rerun" in told) if told else same(found, wanted), place
    assert n_told > N_FLIPS // 4
    assert same(load(path, type(wanted)), wanted)


@pytest.mark.parametrize("is_mapped", [False, True])
def test_every_array_is_held_to_its_checksum(tmp_path, monkeypatch, is_mapped):
    monkeypatch.setattr(artefacts, "MAPPED", 10 if is_mapped else artefacts.MAPPED)
    samples, path = synthetic.make_samples(n_draws=5), tmp_path / "x.h5"  # too small to be packed
    save(samples, path, Provenance())
    whole, values = path.read_bytes(), samples.theta.tobytes()
    place = whole.index(values) + len(values) // 2
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(InputError, match=r"x\.h5: field theta .* \(its values do not match"):
        load(path, PopulationSamples)
    with pytest.raises(InputError, match="field theta cannot be read"):
        load_slice(path, PopulationSamples, "theta", slice(1))


def test_a_flipped_bit_of_a_streamed_array_is_told(tmp_path):
    basis, path = synthetic.make_bases()[0], tmp_path / "x.h5"
    name = "components"
    values = {key: getattr(basis, key) for key in basis.__dataclass_fields__ if key != name}
    large = getattr(basis, name)
    stream = {name: Stream(large.shape, str(large.dtype), (1, large.shape[1]))}
    with save_streamed(SpectrumBasis, path, Provenance(), values, **stream) as datasets:
        datasets[name][:] = large
    for place in flips(path):
        found, told = attempt(lambda: load_slice(path, SpectrumBasis, name, slice(None)))
        assert "rerun" in told if told else np.array_equal(found, large), place


def _is(found, value):
    is_same = found["history"] == value["history"]
    return is_same and torch.equal(found["weights"], value["weights"])


def test_a_flipped_bit_of_a_member_is_told_or_is_in_no_value(tmp_path):
    path, value = (
        tmp_path / "x.pt",
        {"weights": torch.arange(500.0), "history": {"loss": [1.0] * 50}},
    )
    save_plain(value, path)
    n_told = 0
    for place in flips(path):
        found, told = attempt(lambda: load_plain(path))
        n_told += bool(told)
        assert "x.pt: unreadable" in told if told else _is(found, value), place
    assert n_told > N_FLIPS // 4


def test_an_artefact_of_which_the_end_is_lost_is_told(tmp_path):
    catalogue, path = synthetic.make_observed(n=200)[0], tmp_path / "x.h5"
    save(catalogue, path, Provenance())
    whole = path.read_bytes()
    for size in RANDOM.choice(len(whole), 30, replace=False):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="rerun"):
            load(path, Catalogue)


def write_blocks(folder, purpose, rows):
    blocks = Blocks(folder, purpose)
    for block in rows:
        blocks.append(block)
    return blocks


@pytest.mark.parametrize("damage", ["flipped", "cut off"])
def test_a_damaged_block_and_those_after_it_are_made_again(tmp_path, caplog, damage):
    rows = RANDOM.normal(size=(4, 10, 3)).astype("f4")
    write_blocks(tmp_path, "purpose", rows)
    path = tmp_path / "block_2.pt"
    whole = path.read_bytes()
    place = whole.index(rows[1].tobytes()) + 5
    flipped = whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]
    path.write_bytes(flipped if damage == "flipped" else whole[:place])
    blocks = Blocks(tmp_path, "purpose")
    assert "block_2.pt: unreadable" in caplog.text
    assert blocks.n_rows == 10
    assert np.array_equal(blocks.rows(0, 10), rows[0])
    for block in rows[1:]:
        blocks.append(block)
    assert np.array_equal(blocks.rows(5, 37), np.concatenate(rows)[5:37])
    assert path.read_bytes() == whole


def test_blocks_that_are_damaged_while_they_are_used_are_told(tmp_path):
    blocks = write_blocks(tmp_path, "purpose", RANDOM.normal(size=(2, 10, 3)).astype("f4"))
    (tmp_path / "block_2.pt").write_bytes(b"no zip")
    assert len(blocks.rows(0, 10)) == 10
    with pytest.raises(InputError, match=r"block_2\.pt: unreadable"):
        blocks.rows(5, 15)


def test_rows_are_read_across_blocks_of_any_size(tmp_path):
    rows = RANDOM.normal(size=(30, 3)).astype("f4")
    write_blocks(tmp_path, "purpose", np.split(rows, [4, 5, 20]))
    blocks = Blocks(tmp_path, "purpose")
    assert blocks.n_rows == 30
    for start in range(30):
        for stop in range(start + 1, 31):
            assert np.array_equal(blocks.rows(start, stop), rows[start:stop])


def test_blocks_for_another_purpose_are_replaced(tmp_path):
    rows = RANDOM.normal(size=(2, 10, 3)).astype("f4")
    write_blocks(tmp_path, "purpose", rows)
    assert Blocks(tmp_path, "another").n_rows == 0
    write_blocks(tmp_path, "another", rows[1:])
    assert Blocks(tmp_path, "another").n_rows == 10
    assert np.array_equal(Blocks(tmp_path, "another").rows(0, 10), rows[1])
