"""Random streams by name: the same numbers for ever, and no stream that is another's."""

import numpy as np
import pytest
import torch

from popsed_core.errors import InputError
from popsed_core.running.runtime import (
    Streams,
    entropy,
    generator,
    normal_like,
    numpy_generator,
    peak_memory_mb,
    pick_device,
    set_threads,
    uniform_like,
)


def test_the_numbers_of_a_stream_are_those_that_were_published():
    """Of torch and of numpy: other numbers here are other fits everywhere."""
    assert entropy(1, "fit", "sdss_demo", 3) == [1, 1347160907, 1727375488, 1842515611]
    torch_stream, numpy_stream = (
        make(1, "fit", "sdss_demo", 3) for make in (generator, numpy_generator)
    )
    drawn = torch.randint(10**6, (3,), generator=torch_stream)
    assert drawn.tolist() == [865442, 212395, 183314]
    assert numpy_stream.integers(10**6, size=3).tolist() == [789367, 966557, 566523]


def test_streams_of_other_names_have_nothing_in_common():
    names = [(1, "a"), (2, "a"), (1, "b"), (1, "a", 1), (1, "a", 2), (1, "a", "b"), (1, "b", "a")]
    draws = torch.stack([torch.randn(4000, generator=generator(*name)) for name in names])
    apart = np.corrcoef(draws.numpy()) - np.eye(len(names))
    assert abs(apart).max() < 5 / 4000**0.5


def test_a_stream_does_not_depend_on_what_was_drawn_elsewhere():
    one = torch.randn(5, generator=generator(3, "x"))
    torch.manual_seed(99)
    torch.randn(1000)
    generator(3, "y")
    assert torch.equal(torch.randn(5, generator=generator(3, "x")), one)


@pytest.mark.parametrize("draw", [normal_like, uniform_like])
def test_each_of_several_streams_makes_its_part_of_the_rows(draw):
    values = torch.zeros(6, 2)
    found = draw(values, Streams([generator(1, k) for k in range(3)]))
    parts = [draw(values[:2], generator(1, k)) for k in range(3)]
    assert torch.equal(found, torch.cat(parts))


def test_draws_have_the_shape_and_type_that_is_asked_for():
    like = torch.zeros(1000, 3, dtype=torch.float64)
    uniform = uniform_like(like, generator(1))
    assert uniform.dtype == like.dtype
    assert 0 <= uniform.min() < uniform.max() < 1
    assert abs(normal_like(like, generator(1)).std().item() - 1) < 0.05


def test_threads_are_set_and_denormals_are_flushed():
    set_threads(1)
    assert torch.get_num_threads() == 1
    assert (torch.tensor([1e-38]) * 1e-3).item() == 0


def test_a_gpu_that_is_not_there_is_refused_and_auto_takes_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto") == pick_device("cpu") == torch.device("cpu")
    with pytest.raises(InputError, match=r"runtime\.device: got cuda:1, .*`popsed doctor`"):
        pick_device("cuda:1")


def test_the_peak_of_memory_never_falls():
    before = peak_memory_mb()
    block = np.ones(30_000_000)  # 240 MB
    high = peak_memory_mb()
    del block
    assert before <= high <= peak_memory_mb()
    assert high > 240
