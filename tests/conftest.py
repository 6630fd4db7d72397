import importlib
import os
import sys
from collections import Counter

import hypothesis
import pytest

# a busy machine must not fail tests: they do not test timing
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

pytest_plugins = ("tiers",)
NOT_GIVEN = pytest.mark.skip(reason="reads real data: make test-real")


def pytest_collection_modifyitems(items):
    """Skip tests of real data unless it is given, whatever the checkout holds.

    Put the files with most slow tests first, so that none is left alone with one at the end.

    Before them all goes the one that waits for a cluster.
    """
    for item in items:
        if item.get_closest_marker("real") and not os.environ.get("POPSED_REAL_DATA"):
            item.add_marker(NOT_GIVEN)
    n_slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: (item.path.name != "test_slurm.py", -n_slow[item.path]))


@pytest.fixture(scope="module", autouse=True)
def as_before():
    """Restore threads and denormal handling, which the verbs set for the whole process."""
    torch = sys.modules.get("torch")  # not there where no test needs it
    before = torch.get_num_threads() if torch else 1
    yield
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)


@pytest.fixture
def synthetic():
    """Import on request: the process that distributes tests runs none."""
    return importlib.import_module("synthetic")


@pytest.fixture
def samples(synthetic):
    return synthetic.make_samples()


@pytest.fixture
def observed(synthetic):
    return synthetic.make_observed()


@pytest.fixture
def catalogue(observed):
    return observed[0]


@pytest.fixture
def reference(observed):
    return observed[1]


@pytest.fixture
def members(synthetic):
    return synthetic.make_members()
