"""Speed of training spectra from the table and from FSPS itself: one core, toy data.

Time is that of the processor, children included, so that other programs do not count.
"""

import dataclasses
import os
import sys
import tempfile
from pathlib import Path

from popsed_core.config import root
from popsed_core.config.emulator import TrainingSetConfig
from popsed_core.config.spectra import SpectraConfig
from popsed_core.config.ssp import FSPSConfig
from popsed_core.emulator.training_set import ChunkTask, make_chunk
from popsed_core.files.artefacts import Provenance
from popsed_core.running.runtime import set_threads
from popsed_core.stellar.ssp.fsps import read_fsps
from tests.bars.tools import ROOT

sys.path.append(str(ROOT / "tests"))  # its helpers import each other by their bare names
from fsps_tools import LAYOUTS, FSPSWorld, make_world

N_TABLE, N_FSPS = 20_000, 100
RANGE = (1000.0, 60_000.0)  # [AA]


def measure() -> dict[str, float]:
    """Return spectra per second and core, by the table and by each version of FSPS."""
    set_threads(1)
    rates = {}
    with tempfile.TemporaryDirectory() as name:
        for version in LAYOUTS:
            folder = Path(name) / version
            folder.mkdir()
            table, fsps = _rates(make_world(version, folder), folder)
            rates[f"FSPS {version}"] = fsps
            rates["table"] = min(table, rates.get("table", table))
    return rates


def _rates(world: FSPSWorld, folder: Path) -> tuple[float, float]:
    with world.installed():
        grid = read_fsps(FSPSConfig(version=world.version), world.home, RANGE)
        parameters = root.load(ROOT / "config.yaml").parameters
        boxes = {
            name: dataclasses.replace(item, coordinate="linear")
            for name, item in parameters.items()
        }
        # below its lowest metallicity FSPS extrapolates, to nothing in the toy library
        boxes["logzsol"] = dataclasses.replace(boxes["logzsol"], low=-2.0)
        boxes["dust_index"] = dataclasses.replace(boxes["dust_index"], low=-1.0)
        found = []
        for method, n in (("table", N_TABLE), ("fsps", N_FSPS)):
            task = ChunkTask(
                chunk=1,
                seed=1,
                training=TrainingSetConfig(method=method, chunk_size=n),
                spectra=SpectraConfig(star_formation="bins", burst="released"),
                parameters=boxes,
                sps_home=str(world.home),
            )
            start = _processor_seconds()
            origin = Provenance(source="toy", inputs={"ssp": "toy"})
            make_chunk(task, grid, folder / f"{method}.h5", folder / f"{method}.blocks", origin)
            found.append(n / (_processor_seconds() - start))
    return found[0], found[1]


def _processor_seconds() -> float:
    return sum(os.times()[:4])
