"""Whatever is in a file, a reader returns a value or raises InputError.

``python -m tests.bars.bar_fuzz`` tries thousands of each.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .readers import JUNK, READERS, damage, junk, outcome, read_tree, whole_tree

pytestmark = pytest.mark.fuzz

N_EXAMPLES = 25
quick = settings(max_examples=N_EXAMPLES, derandomize=True, database=None)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A folder with a good file for each reader."""
    folder = tmp_path_factory.mktemp("fuzz")
    for name, reader in READERS.items():
        reader.make(folder / name)
    return folder


@pytest.mark.parametrize("name", READERS)
def test_a_good_file_is_read(good, name):
    assert outcome(lambda: READERS[name].read(good / name)) == "accepted"


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_told(good, tmp_path_factory, name):
    folder, whole = tmp_path_factory.mktemp("damaged"), (good / name).read_bytes()
    path = folder / name

    @quick
    @given(st.integers(0, 2**32))
    def check(seed):
        path.write_bytes(damage(whole, random.Random(seed)))
        outcome(lambda: READERS[name].read(path))
        assert [file.name for file in folder.iterdir()] == [name], "nothing else is written"

    check()


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"\xff\xfe" * 300, b"{", b"[]", b"null\n"])
def test_a_file_of_something_else_is_told(good, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    is_empty_list = name == "downloads.lock.json" and content in (b"", b"[]")
    is_default = name == "config.yaml" and content in (b"", b"null\n")
    found = outcome(lambda: READERS[name].read(path))
    assert found == "told" or is_empty_list or is_default


@settings(max_examples=8 * N_EXAMPLES, derandomize=True, database=None)
@given(st.integers(0, 2**32))
def test_a_configuration_with_wrong_values_is_read_or_told(seed):
    outcome(lambda: read_tree(junk(whole_tree(), random.Random(seed))))


anything = st.recursive(
    st.sampled_from(JUNK[:18]) | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=4 * N_EXAMPLES, derandomize=True, database=None)
@given(anything)
def test_a_configuration_of_anything_is_told(tree):
    assert outcome(lambda: read_tree(tree)) == "told"


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("table.fits.gz", 10_000_581),  # an HDU of negative size
        ("table.parquet", 10_001_938),  # the name of a column is no UTF-8
        ("dsps.h5", 10_000_306),  # the root is no group
        ("dsps.h5", 10_000_983),
    ],
)
def test_what_was_found_once_stays_told(good, tmp_path, name, seed):
    path = tmp_path / name
    path.write_bytes(damage((good / name).read_bytes(), random.Random(seed)))
    assert outcome(lambda: READERS[name].read(path)) == "told"
