"""Real FSPS on toy data."""

from fsps_tools import fsps_world  # noqa: F401  a fixture
