"""A clean copy of the checkout, and one in which the smoke configuration has run."""

import shutil

import pytest
from filelock import FileLock
from workflow_tools import LEFT_OUT, ROOT, SMOKE, TARGETS, call, copy_tree, pending


def pytest_collection_modifyitems(items):
    here = str(ROOT / "tests" / "workflow")
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.workflow)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """A copy without results, to plan in."""
    folder = tmp_path_factory.mktemp("checkout") / "popsed"
    shutil.copytree(ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return folder


@pytest.fixture(scope="session")
def built(checkout, tmp_path_factory, worker_id):
    """A copy in which the whole smoke workflow has run, once for all workers: change a ``repo``."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared if worker_id == "master" else shared.parent
    folder, unfinished = shared / "built" / "popsed", shared / "unfinished" / "popsed"
    with FileLock(shared / "built.lock"):
        if not folder.exists():
            unfinished.parent.mkdir()  # a second try after a failure fails at once
            copy_tree(checkout, unfinished)
            # each job logs what it imports
            words = ("--cores", "2", *SMOKE, "--", *TARGETS)
            call(unfinished, *words, PYTHONPROFILEIMPORTTIME="1")
            assert pending(unfinished) == set()
            unfinished.parent.rename(folder.parent)
    return folder


@pytest.fixture
def repo(built, tmp_path):
    """A copy of the built tree to change."""
    folder = tmp_path / "popsed"
    copy_tree(built, folder)
    return folder
