"""Shared by the tests of fits: the toy survey, and one thread, as on the command line."""

import pytest
from toy_world import make_survey

from popsed_core.running.runtime import set_threads


@pytest.fixture(scope="module")
def one_thread():
    """Sums over other numbers of threads differ in the last bit."""
    set_threads(1)


@pytest.fixture(scope="module")
def survey():
    """The toy survey, seen through a forward model of toy spectra."""
    return make_survey()
