"""Every reader of external files, with a good file for it.

What comes of a bad file is a value, or an InputError; anything else is our mistake.
"""

import gzip
import io
import json
import random
import signal
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pyarrow as pa
import synthetic
import torch
import yaml
from astropy.io import fits
from pyarrow import parquet

from popsed_core.config import base, root
from popsed_core.config.downloads import Download
from popsed_core.config.fit import FitConfig
from popsed_core.config.root import Config
from popsed_core.config.surveys import GamaSurvey, KcorrectSurvey, TableBand, TableSurvey
from popsed_core.costs.machine import read_costs
from popsed_core.downloads.web import read_pin
from popsed_core.errors import InputError
from popsed_core.files.artefacts import Provenance, load, save
from popsed_core.inference.samples import PopulationSamples
from popsed_core.provenance.sidecars import read_record
from popsed_core.running.loop import load_plain, save_plain
from popsed_core.stellar.ssp.bc03 import METALLICITIES, read_bc03
from popsed_core.stellar.ssp.dsps import read_dsps
from popsed_core.stellar.ssp.nebular_cloudy import LOG_U, read_images
from popsed_core.stellar.ssp.nebular_fsps import read_table
from popsed_core.stellar.ssp.toy import toy_grid
from popsed_core.surveys.build import build_catalogue
from popsed_core.surveys.catalogue import Catalogue

ROOT = Path(__file__).resolve().parents[2]
N = 30
RANGE = (1500.0, 20000.0)
DEADLINE = 30  # [s] of one file: longer is a hang
TABLE = TableSurvey(
    kind="table", path="unused", quantity="mag",
    bands={name: TableBand(filter=f"sdss2010-{name}", value=f"mag_{name}", error=f"error_{name}")
           for name in "gr"},
    reference={"redshift": "z_spec"},
)  # fmt: skip


class Reader(NamedTuple):
    """A file name, a good file, and its reader."""

    name: str
    make: Callable[[Path], None]
    read: Callable[[Path], Any]


def columns() -> dict[str, np.ndarray]:
    draws = np.random.default_rng(5)
    mag = draws.uniform(15, 20, (N, 2))
    return {
        "mag_g": mag[:, 0], "error_g": np.full(N, 0.05), "mag_r": mag[:, 1],
        "error_r": np.full(N, 0.03), "z_spec": draws.uniform(0, 1, N),
    }  # fmt: skip


def make_csv(path: Path) -> None:
    rows = np.column_stack(list(columns().values()))
    lines = ["# a comment", ",".join(columns()), *(",".join(map(str, row)) for row in rows)]
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def make_fits(path: Path) -> None:
    made = [fits.Column(name, "D", array=values) for name, values in columns().items()]
    buffer = io.BytesIO()
    fits.BinTableHDU.from_columns(made).writeto(buffer)
    content = buffer.getvalue()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def make_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name, values in columns().items():
            file[name] = values


def make_parquet(path: Path) -> None:
    parquet.write_table(pa.table(columns()), path)


def make_kcorrect(path: Path) -> None:
    flux = np.tile([10.0, 50.0, 100.0, 150.0, 200.0], (N, 1))
    table = {
        "MODELFLUX": flux, "MODELFLUX_IVAR": (20 / flux) ** 2, "EXTINCTION": 0.1 + 0 * flux,
        "Z": np.full(N, 0.1), "J_M_EXT": np.full(N, 15.0), "K_M_EXT": np.full(N, 14.0),
    }  # fmt: skip
    made = [fits.Column(key, f"{values[0].size}E", array=values) for key, values in table.items()]
    fits.BinTableHDU.from_columns(made, name="GSTTEST").writeto(path)


def make_gama(path: Path) -> None:
    table = {"CATAID": np.arange(N, dtype=np.int32), "Z": np.full(N, 0.1),
             "logmintsfh": np.full(N, 10.0)}  # fmt: skip
    for band in "ugrizYJHK":
        table |= {f"{kind}_AUTO_{band}": np.full(N, value) for kind, value in (
            ("MAG", 18.0), ("MAGERR", 0.05), ("FLUX", 100.0), ("FLUXERR", 5.0))}  # fmt: skip
    made = [
        fits.Column(key, "J" if x.dtype == np.int32 else "D", array=x) for key, x in table.items()
    ]
    fits.BinTableHDU.from_columns(made).writeto(path)


def make_bc03(path: Path) -> None:
    age = np.array([0.0, 1e5, 1e7, 1e9, 1e10, 1.4e10, 2e10])
    wave = np.geomspace(500.0, 50000.0, 100)
    light = (1 + np.arange(age.size))[:, None] / wave**2
    images = {f"ZMET_{name}ZSOL": float(name) * light for name in [*METALLICITIES, "5.000"]}
    fractions = 1 - 0.05 * np.arange(age.size)[:, None] - 0.001 * np.arange(7)
    images["LIV_MSTAR_FRAC"] = np.column_stack([np.log10(np.maximum(age, 1.0)), fractions])
    images |= {"STELLAR_AGE_YR": age, "WAVELENGTHS_AA": wave}
    hdus = [fits.ImageHDU(data, name=name) for name, data in images.items()]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)


IMAGES = [[0, 1]] * len(METALLICITIES)  # the lowest ionisation parameters of each


def make_cloudy(path: Path) -> None:
    table = np.arange(12.0).reshape(3, 4)
    names = [f"ZMET_{metals}_LOGU_{log_u:.1f}" for metals in METALLICITIES for log_u in LOG_U]
    hdus = [fits.ImageHDU(table, name=name) for name in names]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)


def make_nebular_fsps(path: Path) -> None:
    points = [f"{z} {age} {u}" for z in (-1, 0) for age in (1e6, 2e6) for u in (-3, -2)]
    path.write_text("#\n100. 200. 300. 400.\n" + "".join(f"{x}\n4*1e-9\n" for x in points))


def make_dsps(path: Path) -> None:
    grid = toy_grid((1000.0, 30000.0))
    pixels = slice(None, None, 40)
    with h5py.File(path, "w") as file:
        file["ssp_lgmet"], file["ssp_lg_age_gyr"] = grid.ssp_lgmet, grid.ssp_lg_age_gyr
        file["ssp_wave"], file["ssp_flux"] = grid.ssp_wave[pixels], grid.ssp_flux[..., pixels]
        file.attrs["imf"] = "Chabrier"


def make_yaml(path: Path) -> None:
    path.write_text((ROOT / "config.yaml").read_text())


def make_member(path: Path) -> None:
    save_plain({"weights": torch.arange(20.0), "provenance": asdict(Provenance())}, path)


READERS = {
    reader.name: reader
    for reader in (
        Reader("table.csv", make_csv, lambda path: build_catalogue(TABLE, path)),
        Reader("table.csv.gz", make_csv, lambda path: build_catalogue(TABLE, path)),
        Reader("table.fits", make_fits, lambda path: build_catalogue(TABLE, path)),
        Reader("table.fits.gz", make_fits, lambda path: build_catalogue(TABLE, path)),
        Reader("table.h5", make_hdf5, lambda path: build_catalogue(TABLE, path)),
        Reader("table.parquet", make_parquet, lambda path: build_catalogue(TABLE, path)),
        Reader(
            "kcorrect.fits", make_kcorrect,
            lambda path: build_catalogue(KcorrectSurvey(kind="kcorrect_sdss"), path),
        ),
        Reader(
            "gama.fits", make_gama,
            lambda path: build_catalogue(GamaSurvey(kind="gama_dr3"), path, path),
        ),
        Reader("bc03.fits", make_bc03, lambda path: read_bc03(path, RANGE)),
        Reader("cloudy.fits", make_cloudy, lambda path: read_images(path, IMAGES)),
        Reader("fsps.lines", make_nebular_fsps, read_table),
        Reader("dsps.h5", make_dsps, lambda path: read_dsps(path, RANGE)),
        Reader(
            "samples.h5",
            lambda path: save(synthetic.make_samples(n_draws=20), path, Provenance()),
            lambda path: load(path, PopulationSamples),
        ),
        Reader(
            "catalogue.h5",
            lambda path: save(synthetic.make_observed(n=50)[0], path, Provenance()),
            lambda path: load(path, Catalogue),
        ),
        Reader("member.pt", make_member, load_plain),
        Reader("config.yaml", make_yaml, root.load),
        Reader(
            "downloads.lock.json",
            lambda path: path.write_text(json.dumps(
                {"x.fits": {"sha256": 64 * "a", "size": 3, "url": "http://example.org/x.fits"}})),
            lambda path: read_pin(
                Download(urls=("http://example.org/x.fits",)), "x.fits", path),
        ),
        Reader(
            "costs.json",
            lambda path: path.write_text(json.dumps({"machine": {"device": "x"}, "recipes": {}})),
            lambda path: read_costs(path, "popsed bench step", "recipes"),
        ),
        Reader(
            "section.json",
            lambda path: path.write_text(
                base.to_json(root.load(ROOT / "config.yaml").fit)),
            lambda path: base.from_json(
                FitConfig, path.read_text(errors="replace"), "--section"),
        ),
        Reader("record.pt", make_member, read_record),
    )
}  # fmt: skip


def damage(data: bytes, draws: random.Random) -> bytes:
    """Return a file after one to five accidents: flips, cuts, repeats, other bytes."""
    found = bytearray(data)
    for _ in range(draws.randint(1, 5)):
        if not found:
            break
        start = draws.randrange(len(found))
        stop = min(len(found), start + draws.choice((1, 2, 8, 64, 512)))
        accident = draws.randrange(7)
        if accident == 0:
            found[start] ^= 1 << draws.randrange(8)
        elif accident == 1:
            del found[start:]
        elif accident == 2:
            del found[start:stop]
        elif accident == 3:
            found[start:start] = found[start:stop]
        elif accident == 4:
            found[start:stop] = draws.randbytes(stop - start)
        elif accident == 5:
            found[start:stop] = bytes([draws.choice((0, 255, 32, 10, 48))]) * (stop - start)
        else:
            other = draws.randrange(len(found))
            found[start:stop] = found[other : other + stop - start]
    return bytes(found)


JUNK = (
    None, True, False, 0, -1, 1, 2**80, -(2**80), 1e400, float("nan"), 1e-320, "", " ", "nan",
    "1e3", "\0", "ä", "a" * 10_000, [], {}, [[]], [None], {"kind": "none"}, {"": 1}, [1, 2, 3],
    {"low": 1, "high": 0}, "../../etc", "$(id)", b"bytes", (1, 2),
)  # fmt: skip


def junk(tree: Any, draws: random.Random) -> Any:
    """Return a configuration in which one to three values are something else, gone, or nested."""
    found = json.loads(json.dumps(tree))
    for _ in range(draws.randint(1, 3)):
        node, key = found, draws.choice(list(found))
        while isinstance(node[key], dict) and node[key] and draws.random() < 0.8:
            node, key = node[key], draws.choice(list(node[key]))
        choice = draws.randrange(5)
        if choice == 0:
            del node[key]
        elif choice == 1:
            node[draws.choice(("new", "kind", f"{key}x", 3))] = draws.choice(JUNK)
        elif choice == 2:
            node[key] = [node[key]]
        else:
            node[key] = draws.choice(JUNK)
        if not found:
            break
    return found


@contextmanager
def deadline(seconds: int = DEADLINE):
    """Raise TimeoutError in whatever takes longer."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"longer than {seconds} s")

    old = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


def outcome(read: Callable[[], Any]) -> str:
    """Return the outcome of reading: ``accepted`` or ``told`` (InputError); others are raised."""
    with deadline(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read()
        except InputError:
            return "told"
    return "accepted"


def read_tree(tree: Any) -> Any:
    """Read a configuration from a tree of plain values."""
    return base.parse(Config, tree, "configuration")


def whole_tree() -> Any:
    """Return the default configuration as plain values."""
    return yaml.safe_load((ROOT / "config.yaml").read_text())
