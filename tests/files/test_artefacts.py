"""Files on disk: complete or absent, and the same bytes for the same content."""

from dataclasses import dataclass

import numpy as np
import pytest

from popsed_core.errors import InputError
from popsed_core.files import artefacts as a


@dataclass(frozen=True)
class Toy:
    flux: np.ndarray = a.array("maggies", "galaxy", "band")
    error: np.ndarray = a.array("maggies", "galaxy", "band")
    bands: tuple[str, ...] = ()
    edges: tuple[tuple[float, float], ...] = ()
    scale: float = 1.0

    def __post_init__(self):
        a.check_axes(self)


@dataclass(frozen=True)
class Other:
    flux: np.ndarray = a.array("maggies", "galaxy", "band")


def make_toy(n_galaxies=600):
    random = np.random.default_rng(1)
    flux, error = random.normal(size=(2, n_galaxies, 3))
    return Toy(flux, error.astype(np.float32), ("g", "r", "i"), ((0.0, 1.0), (1.0, 2.5)), 2.5)


def write_half(path):
    with a.atomic_path(path) as partial:
        partial.write_text("half")
        raise ValueError("halfway")


ORIGIN = a.Provenance(source="mock", config='{"n": 1}', seed=7, inputs={"ssp": "ab", "noise": "cd"})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "toy.h5"


def test_large_arrays_are_mapped_from_their_file_and_small_ones_read(path, monkeypatch):
    monkeypatch.setattr(a, "MAPPED", 1700)
    toy = make_toy()
    a.save(toy, path, ORIGIN)
    large = a.load(path, Toy)
    assert isinstance(large.flux, np.memmap)
    assert not large.flux.flags.writeable
    assert large.flux.dtype == toy.flux.dtype
    assert large.error.dtype == toy.error.dtype
    assert np.array_equal(large.flux, toy.flux)
    assert np.array_equal(large.error, toy.error)
    monkeypatch.setattr(a, "MAPPED", 1800)  # values: read it, though it is not compressed
    assert not isinstance(a.load(path, Toy).flux, np.memmap)


def test_a_mapped_array_survives_the_replacement_of_its_file(path, monkeypatch):
    monkeypatch.setattr(a, "MAPPED", 1700)
    toy = make_toy()
    a.save(toy, path, ORIGIN)
    large = a.load(path, Toy)
    a.save(make_toy(700), path, ORIGIN)
    assert np.array_equal(large.flux, toy.flux)


def test_what_is_saved_is_loaded(path):
    toy = make_toy()
    a.save(toy, path, ORIGIN)
    found = a.load(path, Toy)
    np.testing.assert_array_equal(found.flux, toy.flux)
    np.testing.assert_array_equal(found.error, toy.error)
    assert found.error.dtype == np.float32
    assert (found.bands, found.edges, found.scale) == (toy.bands, toy.edges, toy.scale)


def test_provenance_is_saved_with_it(path):
    a.save(make_toy(), path, ORIGIN)
    assert a.load_provenance(path) == ORIGIN


def test_an_artefact_with_a_source_keeps_its_provenance_too(path):
    from popsed_core.surveys.catalogue import Catalogue

    mag = np.ones((2, 1))
    catalogue = Catalogue(mag, mag, np.array([2]), ("r",), ("sdss2010-r",), ("read",), "mock")
    a.save(catalogue, path, ORIGIN)
    assert a.load(path, Catalogue).source == "mock"
    assert a.load_provenance(path) == ORIGIN


def test_units_and_axes_are_in_the_file(path):
    a.save(make_toy(), path, ORIGIN)
    with a.open_hdf5(path) as file:
        assert file["flux"].attrs["unit"] == b"maggies"
        assert file["flux"].attrs["axes"] == b'["galaxy", "band"]'


def test_the_same_content_gives_the_same_bytes(path, tmp_path):
    again = tmp_path / "again.h5"
    a.save(make_toy(), path, ORIGIN)
    a.save(make_toy(), again, ORIGIN)
    assert path.read_bytes() == again.read_bytes()


def test_other_content_gives_other_bytes(path):
    a.save(make_toy(), path, ORIGIN)
    before = a.sha256(path)
    a.save(make_toy(601), path, ORIGIN)
    assert a.sha256(path) != before


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_refused_by_name(path, share):
    a.save(make_toy(), path, ORIGIN)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"toy\.h5.*rerun"):
        a.load(path, Toy)


def test_another_kind_of_artefact_is_refused(path):
    a.save(make_toy(), path, ORIGIN)
    with pytest.raises(InputError, match="holds Toy, expected Other"):
        a.load(path, Other)


def test_a_missing_file_is_named(path):
    with pytest.raises(InputError, match=r"toy\.h5: no such file"):
        a.load(path, Toy)


def test_a_file_that_lacks_a_field_is_refused(path):
    import h5py

    a.save(make_toy(), path, ORIGIN)
    with h5py.File(path, "a") as file:
        del file["error"]
    with pytest.raises(InputError, match="field error"):
        a.load(path, Toy)


def test_a_failed_write_leaves_the_old_file_and_no_other(path):
    a.save(make_toy(), path, ORIGIN)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="halfway"):
        write_half(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_axes_must_agree():
    with pytest.raises(ValueError, match=r"Toy\.error: axis galaxy is 3, elsewhere 2"):
        Toy(np.zeros((2, 3)), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="got 1 axes"):
        Toy(np.zeros(2), np.zeros((2, 3)))
