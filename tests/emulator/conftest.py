"""Real FSPS on toy data, once per session and version."""

import pytest
from fsps_tools import LAYOUTS, make_world


@pytest.fixture(scope="session", params=LAYOUTS)
def fsps_world(request, tmp_path_factory):
    """Each supported python-fsps in turn."""
    return make_world(request.param, tmp_path_factory.mktemp(f"fsps-{request.param}"))
