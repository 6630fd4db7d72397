"""The tiers of the tests: which of them ``make test`` leaves to ``make test-all``, and says so.

A test with the mark of a later tier, on itself or its file, or with a fixture that only such tests
have, is left out by ``pytest --quick``; the summary names every tier that was left out, and counts
its tests.  The marks are those of pyproject.toml whose description begins with "tier".
"""

from collections import Counter

import pytest

BEGINS = "tier: "
LEFT_OUT = pytest.StashKey[Counter]()
WORD = "left_out"  # for the same between processes
# fixtures for which a whole workflow, or FSPS, runs: whatever asks for one is of that tier
BY_FIXTURE = {"built": "runs", "made": "runs", "fsps_world": "fsps"}


def pytest_addoption(parser):
    """Add the option that ``make test`` runs with."""
    parser.addoption("--quick", action="store_true", help="leave later tiers to make test-all")


def tiers(config):
    """Return what each later tier is, by its mark."""
    marks = (line.partition(": ") for line in config.getini("markers"))
    return {name: text.removeprefix(BEGINS) for name, _, text in marks if text.startswith(BEGINS)}


def tier_of(item, names):
    """Return the first of the tiers whose mark a test has, or None."""
    return next((name for name in names if item.get_closest_marker(name)), None)


def pytest_configure(config):
    """Begin to count."""
    config.stash[LEFT_OUT] = Counter()


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(config, items):
    """Leave out the later tiers where only the first is asked for, and count them."""
    for item in items:
        for fixture in BY_FIXTURE.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(BY_FIXTURE[fixture])
    if not config.getoption("quick"):
        return
    names = tiers(config)
    later = [item for item in items if tier_of(item, names)]
    config.stash[LEFT_OUT] = Counter(tier_of(item, names) for item in later)
    config.hook.pytest_deselected(items=later)
    items[:] = [item for item in items if not tier_of(item, names)]


def pytest_sessionfinish(session):
    """Tell the process that hands out tests what this one has left out: each collects all."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[WORD] = dict(session.config.stash[LEFT_OUT])


class FromWorkers:
    """Hears what the processes of pytest-xdist have left out."""

    def __init__(self, config):
        self.config = config

    def pytest_testnodedown(self, node):
        found = getattr(node, "workeroutput", {}).get(WORD, {})
        self.config.stash[LEFT_OUT] |= Counter(found)


def pytest_sessionstart(session):
    """Listen to other processes where there are any."""
    if session.config.pluginmanager.hasplugin("dsession"):
        session.config.pluginmanager.register(FromWorkers(session.config))


def pytest_terminal_summary(terminalreporter, config):
    """Say what was left out, and how to run it."""
    found = config.stash[LEFT_OUT]
    if not found:
        return
    terminalreporter.section("tiers that were not run (make test-all runs them)")
    for name, text in tiers(config).items():
        if found[name]:
            terminalreporter.line(f"{name}: {found[name]} tests: {text}")
