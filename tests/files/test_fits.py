import numpy as np
import pytest
from astropy.io import fits

from popsed_core.errors import InputError
from popsed_core.files.fits import hdu_data, open_fits


@pytest.fixture
def path(tmp_path):
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.arange(5000.0), name="A"), fits.ImageHDU(name="B")]
    fits.HDUList(hdus).writeto(tmp_path / "file.fits")
    return tmp_path / "file.fits"


def test_data_are_read_by_hdu_name(path):
    with open_fits(path) as hdus:
        np.testing.assert_array_equal(hdu_data(hdus, "A", path), np.arange(5000.0))


@pytest.mark.parametrize("name", ["B", "C"])
def test_empty_and_absent_hdu_are_named_with_those_found(path, name):
    with (
        open_fits(path) as hdus,
        pytest.raises(InputError, match=rf"file\.fits: HDU {name} is missing or empty.*'A', 'B'"),
    ):
        hdu_data(hdus, name, path)


@pytest.mark.parametrize("size", [0, 100, 3000, 8000, 40000])
def test_cut_anywhere_inside_a_header_or_data_is_noticed(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match=r"file\.fits: .*delete it"), open_fits(path):
        pass


def test_text_is_not_fits(path):
    path.write_text("redshift,mass\n" * 1000)
    with pytest.raises(InputError, match="not a readable FITS file"), open_fits(path):
        pass


def test_missing_file_is_named(tmp_path):
    with (
        pytest.raises(InputError, match=r"file\.fits: no such file"),
        open_fits(tmp_path / "file.fits"),
    ):
        pass


@pytest.mark.parametrize("axis", ["NAXIS1", "NAXIS2"])
def test_a_table_of_negative_size_is_refused(tmp_path, axis):
    """Its end lies before its beginning, so a search for the next HDU would never end."""
    path = tmp_path / "file.fits"
    table = fits.BinTableHDU.from_columns([fits.Column("X", "D", array=np.arange(1000.0))])
    table.writeto(path)
    size = table.header[axis]
    good, bad = (f"{axis:8}= {number:20}".encode() for number in (size, -size))
    assert path.read_bytes().count(good) == 1
    path.write_bytes(path.read_bytes().replace(good, bad))
    with pytest.raises(InputError, match=r"file\.fits: not a readable FITS file"), open_fits(path):
        pass
