"""Settings of the whole process for the time of a block: a notebook gets its own back."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from popsed_core.running.runtime import set_threads

DENORMAL = 1e-310  # [-] zero where denormals are flushed


@contextmanager
def as_in_the_workflow(n_threads: int) -> Iterator[None]:
    """Compute with the threads and the denormals of the workflow's jobs: the same bits.

    Args:
        n_threads: CPU threads.
    """
    before = torch.get_num_threads()
    was_flushed = not bool(torch.tensor(DENORMAL, dtype=torch.float64) * 1.0)
    set_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(was_flushed)
