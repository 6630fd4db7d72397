"""The configuration is read as intended, or refused with the place of the error."""

import dataclasses
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from popsed_core.config import base, root
from popsed_core.config.describe import describe, effective, keys
from popsed_core.config.distances import CharacteristicConfig, SinkhornConfig, SlicedConfig
from popsed_core.config.fit import FitConfig
from popsed_core.config.root import Config
from popsed_core.config.surveys import Survey
from popsed_core.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
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


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_overlay_is_valid(path):
    assert isinstance(root.load(DEFAULT, path), Config)


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


def test_an_overlay_changes_only_its_keys(overlay):
    config, default = root.load(DEFAULT, overlay({"fit": {"n_epochs": 7}})), root.load(DEFAULT)
    assert config.fit.n_epochs == 7
    assert dataclasses.replace(config, fit=default.fit) == default


def test_another_kind_replaces_the_section(overlay):
    sinkhorn = {"kind": "sinkhorn", "p": 1}
    config = root.load(DEFAULT, overlay({"fit": {"distance": sinkhorn}}))
    assert config.fit.distance == SinkhornConfig(**sinkhorn)


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ({"fit": {"n_epoch": 3}}, "fit.n_epoch: unknown key"),
        ({"fit": {"flow": {"n_bins": "many"}}}, "fit.flow.n_bins"),
        ({"fit": {"n_members": 0}}, "fit.n_members"),
        ({"fit": {"holdout": 1.5}}, "fit.holdout"),
        ({"fit": {"prior_weight": {"start": 0.0, "end": 1.0}}}, "fit.prior_weight"),
        ({"sede": 1}, "sede: unknown key"),
        ({"survey": "nowhere"}, "nowhere"),
        ({"surveys": {"mine": {"kind": "tabel"}}}, "surveys.mine"),
        (
            {"surveys": {"mine": {"kind": "table", "path": "x", "quantity": "mag"}}},
            "bands: missing",
        ),
        ({"surveys": {"table2_mock": {"noise_from": "realistic_mock"}}}, "noise_from"),
        ({"noise": {"form": "snr_given_flux"}}, "noise: flux: intrinsic needs form"),
        ({"noise": {"form": "snr_given_flux", "flux": "observed"}}, "truncation: cuts needs form"),
        ({"parameters": {"mass": {"low": 0, "high": 1}}}, "mass"),
        ({"parameters": {"redshift": {"low": 2}}}, "parameters.redshift"),
        ({"parameters": {"redshift": {"coordinate": "flat_simplex"}}}, "flat_simplex"),
        ({"spectra": {"engine": "guess"}}, "spectra.engine"),
        ({"training_set": {"wave_low": 7e4}}, "training_set: wave_low"),
        ({"training_set": {"chunk_size": 2, "n_chunks": 1}}, "too few for emulator.n_components"),
        ({"training_set": {"wave_low": 500.0}}, "training_set.wave_low"),
        (
            {"emulator": {"source": "chunks"}, "training_set": {"grid": "ssp"}},
            "emulator.source: chunks of training_set.grid ssp",
        ),
        ({"emulator": {"edges": [1000.0, 900.0]}}, "emulator: edges: expected increasing"),
        ({"emulator": {"n_components": [80, 50]}}, "n_components: got 2, but edges make 5"),
        ({"downloads": {"bc03": {"sha256": "abc"}}}, "downloads.bc03.sha256"),
        (
            {"surveys": {"gama": {"extinction": {}, "bands": ["r", "Y"]}}},
            "surveys.gama.gama_dr3: extinction: ",
        ),
    ],
)
def test_a_mistake_is_named_by_its_dotted_key(overlay, tree, told):
    with pytest.raises(InputError, match=told.replace(".", r"\.")) as error:
        root.load(DEFAULT, overlay(tree))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "no such file"), ("a: [", "not valid YAML"), ("- 1", "expected a mapping")],
)
def test_a_file_that_is_no_configuration_is_named(tmp_path, text, told):
    path = tmp_path / "mine.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=rf"mine\.yaml.*{told}"):
        root.load(path)


def test_text_that_is_no_json_is_refused():
    with pytest.raises(InputError, match="--section: not valid JSON"):
        base.from_json(FitConfig, "{", "--section")


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
