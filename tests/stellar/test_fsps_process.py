"""A child that ends without a word has not finished, whatever its exit status says."""

from pathlib import Path

import numpy as np
import pytest

import popsed_core.stellar.ssp.fsps_process as module
from popsed_core.errors import InputError
from popsed_core.stellar.ssp.fsps_process import FSPSChild, leave_result, run_child

CHILD = """
import os, sys, time
from pathlib import Path
import numpy as np
from popsed_core.stellar.ssp.fsps_process import leave_result
task, request, folder = sys.argv[1:]
if task == "answer":
    leave_result(Path(folder), {"home": np.array(os.environ["SPS_HOME"]), "got": np.array(request)})
elif task == "stop":
    print("first line"); print("STOP: no such file"); sys.stdout.flush(); os._exit(0)
elif task == "absent":
    print("ModuleNotFoundError: No module named 'fsps'"); sys.exit(1)
elif task == "killed":
    os.kill(os.getpid(), 9)
else:
    time.sleep(100)
"""


@pytest.fixture
def child(tmp_path, monkeypatch):
    """FSPS's place is taken by a program that does as it is told."""
    (tmp_path / "pretender.py").write_text(CHILD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(module, "DOORWAY", "pretender")


def test_a_child_gives_its_arrays_and_knows_where_the_data_are(child):
    found = run_child("answer", {"imf": 1}, Path("/data/of/fsps"))
    assert str(found["home"]) == "/data/of/fsps"
    assert str(found["got"]) == '{"imf": 1}'


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ("stop", r"SPS_HOME=/here: FSPS stopped before its stop was complete \(exit status 0\); "
                 r"it said: first line \| STOP: no such file; `popsed doctor`"),
        ("killed", "FSPS was killed by SIGKILL before its killed was complete.*it said: nothing"),
        ("absent", "python-fsps is not installed: pip install"),
    ],
)  # fmt: skip
def test_a_child_that_did_not_finish_is_one_line_with_its_last_words(child, task, told):
    with pytest.raises(InputError, match=told):
        run_child(task, {}, Path("/here"))


def test_a_child_that_is_not_needed_any_more_is_ended(child, tmp_path):
    running = FSPSChild("sleep", {}, tmp_path, tmp_path)
    assert running.process.poll() is None
    running.stop()
    assert running.process.poll() == -9
    running.stop()


def test_a_result_is_whole_when_it_has_its_name(tmp_path):
    leave_result(tmp_path, {"x": np.arange(3)})
    assert [path.name for path in tmp_path.iterdir()] == [module.RESULT]
