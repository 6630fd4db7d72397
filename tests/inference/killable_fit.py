"""A fit to be killed: ``killable_fit.py CHECKPOINT`` saves after every epoch and dawdles."""

import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from toy_world import FIT, make_survey, make_task

from popsed_core.inference.fit import FlowFit, fit_member
from popsed_core.running import loop
from popsed_core.running.runtime import set_threads

N_EPOCHS = 6
LONGER = replace(FIT, n_epochs=N_EPOCHS)
SECONDS = 0.3  # of sleep per epoch, so that the killer arrives in mid-fit


def main() -> None:
    """Fit slowly, with a checkpoint after each epoch."""
    set_threads(1)
    loop.CHECKPOINT_SECONDS = 0.0
    quick = FlowFit.epoch

    def slow(job, index):
        time.sleep(SECONDS if index else 0.0)
        return quick(job, index)

    FlowFit.epoch = slow
    fit_member(make_task(fit=LONGER), make_survey(), Path(sys.argv[1]))


if __name__ == "__main__":
    main()
