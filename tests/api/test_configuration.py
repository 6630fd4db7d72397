"""Configurations: a file over the defaults, or the defaults with a few changes."""

from pathlib import Path

import pytest

import popsed_core as popsed
from popsed_core.config.root import load

ROOT = Path(__file__).resolve().parents[2]
BANDS = {"g": {"filter": "sdss2010-g", "value": "g", "error": "ge"}}


def test_a_few_lines_are_merged_over_the_defaults(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("fit: {n_epochs: 3}\n")
    config, default = popsed.load_config(path), load(ROOT / "config.yaml")
    assert config.fit.n_epochs == 3
    assert config.parameters == default.parameters


def test_a_whole_configuration_stands_for_itself(tmp_path):
    path = tmp_path / "whole.yaml"
    path.write_text((ROOT / "config.yaml").read_text().replace("seed: 20231016", "seed: 5"))
    assert popsed.load_config(path).seed == 5
    assert popsed.load_config(path).surveys == load(ROOT / "config.yaml").surveys


def test_the_defaults_are_those_of_the_workflow():
    assert popsed.defaults() == load(ROOT / "config.yaml")
    assert popsed.defaults("gama").survey == "gama"


def test_a_survey_of_ones_own_is_a_section():
    config = popsed.defaults({"bands": BANDS, "quantity": "mag"}, name="ours", seed=3)
    assert (config.survey, config.seed) == ("ours", 3)
    assert config.bands_of("ours") == ("g",)


@pytest.mark.parametrize(
    ("survey", "sections", "text"),
    [
        ({"bands": BANDS, "quantity": "magnitude"}, {}, "surveys.mine.table.quantity"),
        ("nowhere", {}, "survey 'nowhere' is not one of surveys"),
        (None, {"fit": {"n_epoch": 3}}, "fit.n_epoch: unknown key"),
    ],
)
def test_a_mistake_names_its_key(survey, sections, text):
    with pytest.raises(popsed.InputError, match=text):
        popsed.defaults(survey, **sections)


def test_another_survey_is_named_among_those_there_are(config):
    with pytest.raises(popsed.InputError, match="no survey 'x', expected one of"):
        popsed.read_survey(config, name="x")


def test_an_emulator_is_asked_for_where_the_engine_needs_one(tmp_path, mine):
    overlay = tmp_path / "emulator.yaml"
    overlay.write_text("spectra: {engine: emulator}\n")
    with pytest.raises(popsed.InputError, match="emulator or ssp is not given; name both files"):
        popsed.read_survey(popsed.load_config(mine, overlay))
