"""A configuration described in words: every key, one line each, with the values in force."""

import dataclasses
import json
from pathlib import Path

import pytest
import yaml

from popsed_core.config import root
from popsed_core.config.describe import describe, effective, keys
from popsed_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ROOT / "config.yaml"


def write(path, tree):
    path.write_text(yaml.safe_dump(tree))
    return path


@pytest.fixture
def overlay(tmp_path):
    return lambda tree: write(tmp_path / "overlay.yaml", tree)


def test_the_description_has_every_key_of_the_default_configuration():
    described = {key.path for key in keys()}
    for section in ("ssp", "spectra", "training_set", "emulator", "noise", "products", "runtime"):
        for item in dataclasses.fields(getattr(root.load(DEFAULT), section)):
            start = f"{section}.{item.name}"
            assert any(path == start or path.startswith(f"{start}.") for path in described)
    assert {
        "fit.n_epochs",
        "fit.distance[sliced].n_pool",
        "surveys.<name>[table].path",
    } <= described


def test_the_description_is_one_line_per_key():
    lines = describe().splitlines()
    assert len(lines) == len(keys()) + 1
    assert any("[AA] rest frame" in line for line in lines)


# --- the description of a configuration -------------------------------------------------------
def values(survey=None, *overlays):
    config = root.load(DEFAULT, *overlays)
    return {key.path: key.value for key in keys(effective(config, survey or config.survey))}


def leaves(tree, path=""):
    """Every value of a tree by dotted path; empty mappings are values."""
    if not isinstance(tree, dict) or not tree:
        return {path: tree}
    return {
        inner: value
        for key, child in tree.items()
        for inner, value in leaves(child, f"{path}.{key}".lstrip(".")).items()
    }


def test_the_described_values_are_those_of_the_file():
    found = values()
    del (tree := yaml.safe_load(DEFAULT.read_text()))["surveys"]
    for path, value in leaves(tree).items():
        text = value if isinstance(value, str) else json.dumps(value)
        assert found[path].removesuffix("...") == text[: len(found[path].removesuffix("..."))]


def test_the_described_values_of_a_survey_have_its_changes():
    plain, mock = values(), values("table2_mock")
    changed = {path for path in plain if path in mock and plain[path] != mock[path]}
    assert mock["fit.distance.kind"] == "expected"
    assert mock["parameters.logzsol.prior.kind"] == "uniform"
    assert {"survey", "fit.model_error", "fit.distance.kind"} <= changed
    assert "fit.n_epochs" not in changed


def test_what_the_prior_of_observed_galaxies_needs_is_described(overlay):
    assert values()["fit.selection.quantile"] == "0.99"
    off = values(None, overlay({"fit": {"selection": None}}))
    assert off["fit.selection"] == "null"


def test_a_survey_that_is_not_there_is_not_described():
    with pytest.raises(InputError, match=r"survey: got 'andromeda', expected one of \['sdss_demo'"):
        describe(root.load(DEFAULT), "andromeda")
