"""The settings of the workflow's jobs, and the user's own afterwards."""

import pytest
import torch

from popsed_core.running.borrowed import DENORMAL, as_in_the_workflow


def is_flushed():
    return not bool(torch.tensor(DENORMAL, dtype=torch.float64) * 1.0)


def fail(seen):
    seen.append((torch.get_num_threads(), is_flushed()))
    raise KeyboardInterrupt


@pytest.mark.parametrize("before", [True, False])
def test_denormals_and_threads_are_given_back(before):
    torch.set_num_threads(2)
    torch.set_flush_denormal(before)
    seen = []
    with pytest.raises(KeyboardInterrupt), as_in_the_workflow(1):
        fail(seen)
    assert seen == [(1, True)]
    assert (torch.get_num_threads(), is_flushed()) == (2, before)
