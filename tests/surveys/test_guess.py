"""`popsed init`: tables named as surveys name them, and what is said of each guess."""

import re

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table

from popsed_core import cli
from popsed_core.config.read import read_config
from popsed_core.errors import InputError
from popsed_core.surveys.build import build_catalogue
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.guess import guess

N = 50
MAG = np.linspace(17.0, 19.0, N)
CASES = {  # survey: value, error, bands, zero point (None: magnitudes), filter of the r band
    "SDSS": ("modelMag_{}", "modelMagErr_{}", "ugriz", None, "sdss2010-r"),
    "DES": ("MAG_AUTO_{}", "MAGERR_AUTO_{}", "GRIZY", None, "decam2014-r"),
    "DES flux": ("BDF_FLUX_{}", "BDF_FLUX_ERR_{}", "GRIZ", 30.0, "decam2014-r"),
    "KiDS": ("MAG_GAAP_{}", "MAGERR_GAAP_{}", ("u", "g", "r", "i", "Z", "Y", "J", "H", "Ks"), None,
             "sdss2010-r"),
    "HSC": ("{}_cmodel_flux", "{}_cmodel_fluxerr", "grizy", 31.4, "hsc2017-r"),
    "HSC mag": ("{}_cmodel_mag", "{}_cmodel_magsigma", "grizy", None, "hsc2017-r"),
    "LSST": ("{}_cModelFlux", "{}_cModelFluxErr", "ugrizy", 31.4, "lsst2023-r"),
    "DC2": ("mag_{}_cModel", "magerr_{}_cModel", "ugrizy", None, "lsst2023-r"),
    "COSMOS2020": ("{}_FLUX", "{}_FLUXERR", ("CFHT_u", "HSC_g", "HSC_r", "UVISTA_Ks"), 23.9,
                   "hsc2017-r"),
    "COSMOS2020 mag": ("{}_MAG_AUTO", "{}_MAGERR_AUTO", ("HSC_g", "HSC_r", "HSC_i"), None,
                       "hsc2017-r"),
    "plain": ("mag_{}", "mag_err_{}", "griz", None, "sdss2010-r"),
    "plain flux": ("flux_{}", "flux_err_{}", "grz", 22.5, "sdss2010-r"),
    "bare": ("{}", "e_{}", "griz", None, "sdss2010-r"),
}  # fmt: skip


def table_of(case):
    """Return a table of N galaxies at the magnitudes above, with a redshift and a name."""
    value, error, bands, zero_point, _ = CASES[case]
    columns = {"id": np.arange(N), "name": np.array(["x"] * N)}
    for band in bands:
        flux = None if zero_point is None else 10 ** (-0.4 * (MAG - zero_point))
        columns[value.format(band)] = MAG if flux is None else flux
        columns[error.format(band)] = np.full(N, 0.02) if flux is None else 0.02 * flux
    columns["z_spec"] = np.linspace(0.1, 0.5, N)
    return columns


def write(columns, path, **units):
    """Write a table in the format of its suffix."""
    table = Table(columns, units=units or None)
    if path.suffix == ".parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.table(dict(columns)), path)
    elif path.suffix == ".h5":
        import h5py

        with h5py.File(path, "w") as file:
            for name, values in columns.items():
                file[name] = values if values.dtype.kind != "U" else values.astype("S")
    else:
        table.write(path)
    return path


def init(table, output, *words):
    return cli.main(["init", *map(str, (table, output, *words))])


def read_back(output):
    """Return the survey's section, and the catalogue as the workflow would read it."""
    config = read_config(output)
    section = config.surveys[config.survey]
    return section, build_catalogue(section, *map(str_path, section.paths))[0]


def str_path(text):
    from pathlib import Path

    return Path(text)


@pytest.mark.parametrize("case", CASES)
def test_a_table_of_a_known_survey_reads_back_as_its_magnitudes(tmp_path, case):
    output = tmp_path / "mine.yaml"
    assert init(write(table_of(case), tmp_path / "galaxies.fits"), output) == 0
    section, catalogue = read_back(output)
    _, _, bands, zero_point, filter_of_r = CASES[case]
    assert isinstance(catalogue, Catalogue)
    assert len(section.bands) == len(bands)
    assert filter_of_r in {band.filter for band in section.bands.values()}
    if zero_point is not None:
        assert section.zero_point == zero_point
    offsets = np.array([band.offset for band in section.bands.values()])
    np.testing.assert_allclose(catalogue.mag, MAG[:, None] + offsets, atol=1e-6)
    assert section.reference == {"redshift": "z_spec"}


@pytest.mark.parametrize("ending", ["fits", "csv", "ecsv", "h5", "parquet"])
def test_every_format_of_tables_is_guessed_alike(tmp_path, ending):
    output = tmp_path / "mine.yaml"
    assert init(write(table_of("LSST"), tmp_path / f"galaxies.{ending}"), output) == 0
    section, _ = read_back(output)
    assert (section.quantity, section.zero_point) == ("flux", 31.4)


@pytest.mark.parametrize(("unit", "zero_point"), [("nJy", 31.4), ("uJy", 23.9), ("Jy", 8.9)])
def test_a_unit_in_the_table_is_the_zero_point(tmp_path, unit, zero_point):
    columns = table_of("plain flux")
    hdu = fits.BinTableHDU(Table(columns))
    for column in hdu.columns:
        column.unit = unit if column.name.startswith("flux") else None
    hdu.writeto(tmp_path / "galaxies.fits")
    output = tmp_path / "mine.yaml"
    assert init(tmp_path / "galaxies.fits", output) == 0
    assert read_config(output).surveys["galaxies"].zero_point == zero_point
    assert f"the unit of flux_g is {unit}" in output.read_text()


@pytest.mark.parametrize("delimiter", [" ", ","])
def test_units_and_gaps_of_an_ecsv_table_are_read(tmp_path, delimiter):
    columns = table_of("plain flux")
    flux = np.ma.masked_array(columns["flux_g"] * 10**3.56, np.arange(N) < 3)
    table = Table(columns | {"flux_g": flux, "note": np.array(["a b"] * N)})
    for name in table.colnames:
        table[name].unit = "nJy" if name.startswith("flux") else None
    table.write(tmp_path / "galaxies.ecsv", format="ascii.ecsv", delimiter=delimiter)
    output = tmp_path / "mine.yaml"
    assert init(tmp_path / "galaxies.ecsv", output) == 0
    section, catalogue = read_back(output)
    assert section.zero_point == 31.4
    assert len(catalogue.mag) == N - 3
    np.testing.assert_allclose(catalogue.mag[:, 0], MAG[3:], atol=1e-3)


def test_a_zero_point_is_never_assumed_in_silence(tmp_path):
    output = tmp_path / "mine.yaml"
    init(write(table_of("plain flux"), tmp_path / "galaxies.fits"), output)
    text = " ".join(output.read_text().replace("#", " ").split())
    assert "guess of the zero point: ASSUMED: the table has no unit" in text
    assert "23.9 uJy, 31.4 nJy" in text
    assert "nothing says which telescope" in text


def test_every_column_is_used_or_listed(tmp_path):
    columns = table_of("DES") | {"odd column: 1": np.zeros(N)}
    output = tmp_path / "mine.yaml"
    init(write(columns, tmp_path / "galaxies.fits"), output)
    text = output.read_text()
    assert all(name in text for name in columns)
    assert yaml.safe_load(text)["survey"] == "galaxies"


def test_values_that_several_rows_share_are_missing(tmp_path):
    columns = table_of("SDSS")
    columns["modelMag_u"] = np.where(np.arange(N) < 5, 999.0, MAG)
    output = tmp_path / "mine.yaml"
    init(write(columns, tmp_path / "galaxies.fits"), output)
    section, catalogue = read_back(output)
    assert 999.0 in section.missing
    assert len(catalogue.mag) == N - 5


def test_a_photometric_redshift_is_no_truth(tmp_path):
    columns = table_of("SDSS")
    columns["photoz"] = columns.pop("z_spec")
    output = tmp_path / "mine.yaml"
    init(write(columns, tmp_path / "galaxies.fits"), output)
    assert re.search(r"redshift: photoz  # guess: photometric, so no truth", output.read_text())


def test_the_redshift_is_not_taken_for_the_z_band(tmp_path):
    columns = table_of("bare")
    found = guess(columns, {}, tmp_path / "galaxies.fits")
    assert [band.value for band in found.bands] == list("griz")
    assert found.reference["redshift"][0] == "z_spec"


def test_a_file_that_is_there_is_not_replaced(tmp_path, capsys):
    output = tmp_path / "mine.yaml"
    output.write_text("mine")
    assert init(write(table_of("SDSS"), tmp_path / "galaxies.fits"), output) == 1
    assert "is there already" in capsys.readouterr().err
    assert output.read_text() == "mine"


def test_a_table_without_bands_says_what_to_write(tmp_path, capsys):
    table = write({"id": np.arange(N), "ra": np.zeros(N)}, tmp_path / "galaxies.fits")
    assert init(table, tmp_path / "mine.yaml") == 1
    error = capsys.readouterr().err
    assert "galaxies.fits: no columns with a flux or magnitude and its error" in error
    assert "g: {filter: decam2014-g, value: flux_g, error: flux_err_g}" in error
    assert not (tmp_path / "mine.yaml").exists()


def test_bands_that_no_library_has_are_named(tmp_path):
    columns = {"mag_k": MAG, "mag_err_k": MAG}
    with pytest.raises(InputError, match="no filter is known for the columns mag_k"):
        guess({"mag_ks": MAG, "mag_err_ks": MAG}, {}, tmp_path / "x.fits")
    assert guess(columns, {}, tmp_path / "x.fits").bands[0].filter == "ukirt_wfcam_K"
