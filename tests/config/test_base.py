"""Sections as JSON and as trees: nothing is lost, the overlay wins."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from popsed_core.config import base, root
from popsed_core.config.distances import CharacteristicConfig, SinkhornConfig, SlicedConfig
from popsed_core.config.fit import FitConfig
from popsed_core.config.root import Config
from popsed_core.config.surveys import Survey
from popsed_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ROOT / "config.yaml"
numbers = st.floats(1e-6, 1e6, allow_subnormal=False)
counts = st.integers(1, 10**6)
trees = st.recursive(
    st.integers() | st.text(max_size=3) | st.none(),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
).filter(lambda value: isinstance(value, dict))
distances = st.one_of(
    st.builds(SlicedConfig, kind=st.just("sliced"), n_pool=counts, n_step=counts),
    st.builds(
        CharacteristicConfig,
        n_pool=counts,
        low=st.floats(1e-6, 1, allow_subnormal=False),
        high=st.floats(2, 1e6, allow_subnormal=False),
    ),
    st.builds(SinkhornConfig, kind=st.just("sinkhorn"), p=st.sampled_from([1, 2])),
)
fits = st.builds(FitConfig, n_members=counts, max_gradient=numbers, distance=distances)


def write(path, tree):
    path.write_text(yaml.safe_dump(tree))
    return path


@pytest.fixture
def overlay(tmp_path):
    return lambda tree: write(tmp_path / "overlay.yaml", tree)


@given(fits)
def test_a_section_survives_json(section):
    assert base.from_json(FitConfig, base.to_json(section)) == section


def test_json_keeps_the_order_of_bands_and_cuts(overlay):
    bands = {
        name: {"filter": f"sdss2010-{name}", "value": f"mag_{name}", "error": f"error_{name}"}
        for name in "ugriz"
    }
    mine = {"kind": "table", "path": "x.csv", "quantity": "mag", "bands": bands}
    mine["cuts"] = {"max_mag": {"z": 20.0, "g": 21.0}}
    path = overlay({"surveys": {"mine": mine}})
    path.write_text(yaml.safe_dump({"surveys": {"mine": mine}}, sort_keys=False))
    survey = base.from_json(Survey, base.to_json(root.load(DEFAULT, path).surveys["mine"]))
    assert "".join(survey.bands) == "ugriz"
    assert list(survey.cuts.max_mag) == ["z", "g"]


def test_the_whole_configuration_survives_json():
    config = root.load(DEFAULT)
    assert base.from_json(Config, base.to_json(config)) == config


@given(trees)
def test_merging_nothing_or_itself_changes_nothing(tree):
    assert base.merge(tree, {}) == base.merge({}, tree) == base.merge(tree, tree) == tree


@given(trees, trees)
@settings(max_examples=50)
def test_the_overlay_wins_and_what_is_below_is_left_alone(below, over):
    kept = base.to_plain(below)
    merged = base.merge(below, over)
    assert below == kept
    leaves = {key for key, value in over.items() if not isinstance(value, dict)}
    assert all(merged[key] == over[key] for key in leaves)


def test_text_that_is_no_json_is_refused():
    with pytest.raises(InputError, match="--section: not valid JSON"):
        base.from_json(FitConfig, "{", "--section")


def leaves(tree, path=""):
    """Every value of a tree by dotted path; empty mappings are values."""
    if not isinstance(tree, dict) or not tree:
        return {path: tree}
    return {
        inner: value
        for key, child in tree.items()
        for inner, value in leaves(child, f"{path}.{key}".lstrip(".")).items()
    }
