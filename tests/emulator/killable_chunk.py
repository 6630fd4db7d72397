"""A chunk to be killed: ``killable_chunk.py FOLDER`` dawdles after every block."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from chunks import make, make_task

from popsed_core.emulator.training_blocks import Blocks
from popsed_core.stellar.ssp.toy import toy_grid

SECONDS = 1.0  # of sleep per block, so that the killer arrives in time


def main() -> None:
    """Make a chunk slowly."""
    append = Blocks.append

    def slow(self, rows):
        append(self, rows)
        time.sleep(SECONDS)

    Blocks.append = slow
    make(Path(sys.argv[1]), toy_grid((1000.0, 30000.0)), make_task())


if __name__ == "__main__":
    main()
