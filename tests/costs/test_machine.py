"""A cost says on which machine it was measured, and a file without costs is refused."""

import json

import pytest
import torch

from popsed_core.costs.machine import described, machine, processor, read_costs
from popsed_core.errors import InputError


def test_a_cpu_is_named_and_its_clock_counts_processor_time():
    found = machine("cpu", 3)
    assert found["device"] == processor() != ""
    assert (found["is_gpu"], found["clock"], found["n_threads"]) == (False, "processor time", 3)
    assert described(found) == f"{processor()}, 3 thread(s), torch {torch.__version__}"


def test_a_gpu_is_named_and_its_clock_counts_all_time(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    found = machine("auto", 1)
    assert (found["device"], found["is_gpu"], found["clock"]) == ("Some GPU", True, "elapsed")
    assert not machine("cpu", 1)["is_gpu"]


def test_costs_come_back_and_nested_keys_are_looked_for(tmp_path):
    path = tmp_path / "costs.json"
    costs = {"machine": {"device": "x"}, "galaxies": {"n": [1]}}
    path.write_text(json.dumps(costs))
    assert read_costs(path, "popsed bench galaxies", "galaxies.n") == costs
    with pytest.raises(InputError, match=r"lacks the costs; make it with `popsed bench x`"):
        read_costs(path, "popsed bench x", "galaxies.seconds")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '{"galaxies": {}}'])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "costs.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"costs\.json: lacks the costs"):
        read_costs(path, "popsed bench galaxies")
