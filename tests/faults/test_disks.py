"""A disk that is full or read-only: one line that says so, nothing half-written, nothing lost."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import synthetic
import torch
from matplotlib.figure import Figure
from overlays import smoke_with
from web_archive import Archive

from popsed_core import cli
from popsed_core.commands.common import write_text
from popsed_core.config.downloads import Download
from popsed_core.diagnostics.tables import write_tables
from popsed_core.downloads.web import fetch_from_web
from popsed_core.emulator.training_blocks import Blocks
from popsed_core.errors import InputError
from popsed_core.figures import style
from popsed_core.files import artefacts
from popsed_core.files.artefacts import Provenance, Stream, save_streamed
from popsed_core.files.lock import one_writer
from popsed_core.running.loop import save_plain

pytestmark = pytest.mark.faults

RANDOM = np.random.default_rng(1)
NOISE = RANDOM.normal(size=(300, 300))  # 720 kB that do not get smaller


@dataclass(frozen=True)
class Large:
    mag: np.ndarray = artefacts.array("mag", "galaxy", "band")


def stream(path):
    size = Stream(NOISE.shape, "f8", (50, 300))
    with save_streamed(Large, path, Provenance(), {}, mag=size) as datasets:
        datasets["mag"][:] = NOISE


def draw(path):
    figure = Figure(figsize=(8, 8))
    noise = np.tile(NOISE, (3, 3)) * RANDOM.random((900, 900))
    figure.subplots().imshow(noise, interpolation="none")
    style.save(figure, path, source="real")


def download(path):
    with Archive({"x.bin": NOISE.tobytes()}).serving() as archive:
        fetch_from_web(Download(urls=(archive.url("x.bin"),)), path, path.parent / "lock.json")


WRITERS = {
    "artefact.h5": lambda path: artefacts.save(Large(NOISE), path, Provenance()),
    "stream.h5": stream,
    "member.pt": lambda path: save_plain({"weights": torch.as_tensor(NOISE)}, path),
    "text.md": lambda path: write_text("text " * 100_000, path),
    "table.fits": lambda path: write_tables(
        synthetic.make_samples(n_draws=9000), 20_000, path, path.with_suffix(".csv")
    ),
    "table.csv": lambda path: write_tables(
        synthetic.make_samples(n_draws=9000), 20_000, path.parents[1] / "t.fits", path
    ),
    "figure.pdf": draw,
    "figure.png": draw,
    "download.bin": download,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_told_and_the_old_file_stays(small_disk, name):
    path = small_disk / name
    path.write_bytes(b"old")
    with pytest.raises(InputError, match=rf"{name}: the disk is full; make room there and rerun"):
        WRITERS[name](path)
    assert path.read_bytes() == b"old"
    left = {file.name for file in small_disk.iterdir()} - {name}
    assert all(file.startswith(".download.bin.") for file in left), "a download goes on from there"


@pytest.mark.parametrize("name", WRITERS)
def test_a_read_only_disk_is_told(read_only_disk, name):
    with pytest.raises(InputError, match=rf"{name}: cannot be written, the disk is read-only"):
        WRITERS[name](read_only_disk / name)
    assert [file.name for file in read_only_disk.iterdir()] == ["old.h5"]


def test_a_read_only_disk_has_no_place_for_a_lock(read_only_disk):
    with (
        pytest.raises(InputError, match=r"x\.pt: cannot be written"),
        one_writer(read_only_disk / "x.pt"),
    ):
        pass


def write_blocks(folder, rows, number):
    blocks = Blocks(folder, "for")
    for _ in range(number):
        blocks.append(rows)


def test_blocks_that_do_not_fit_are_told_and_those_before_are_kept(small_disk):
    folder, rows = small_disk / "chunk", NOISE[:100].astype("f4")
    with pytest.raises(InputError, match=r"block_\d\.pt: the disk is full; make room there"):
        write_blocks(folder, rows, 50)
    blocks = Blocks(folder, "for")
    assert blocks.n_rows >= 100
    assert np.array_equal(blocks.rows(0, 100), rows)
    assert {path.suffix for path in folder.iterdir()} == {".pt"}


@pytest.mark.parametrize("disk", ["small_disk", "read_only_disk"])
def test_the_command_line_tells_in_one_line(request, capsys, disk):
    folder = request.getfixturevalue(disk)
    output = folder / "results" / "ssp.h5"
    assert cli.main([str(word) for word in ("ssp", "build", *smoke_with(), output)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"popsed: error: {output}: ")
    assert "the disk is" in line
    files = [path.name for path in Path(folder).rglob("*") if path.is_file()]
    assert files == (["old.h5"] if disk == "read_only_disk" else [])
