"""The configuration is read as intended, or refused with the place of the error."""

import dataclasses
from pathlib import Path

import pytest
import yaml

from popsed_core.config import root
from popsed_core.config.distances import SinkhornConfig
from popsed_core.config.root import Config
from popsed_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ROOT / "config.yaml"


def write(path, tree):
    path.write_text(yaml.safe_dump(tree))
    return path


@pytest.fixture
def overlay(tmp_path):
    return lambda tree: write(tmp_path / "overlay.yaml", tree)


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_overlay_is_valid(path):
    assert isinstance(root.load(DEFAULT, path), Config)


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
