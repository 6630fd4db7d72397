"""The measured accuracy of an emulator is what its user gets."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from laws_tools import WAVE_RANGE
from nebular_tools import toy_gas
from overlays import overlay
from toy_world import (
    FIT,
    PARAMETERS,
    SPECTRA,
    TOY,
    base_catalogue,
    make_task,
    noise_table,
)

from popsed_core import cli
from popsed_core.config.emulator import EmulatorConfig, TrainingSetConfig
from popsed_core.config.schedules import LearningRate
from popsed_core.config.spectra import SpectraConfig
from popsed_core.diagnostics.emulator_accuracy import (
    FILTERS,
    N_REDSHIFT_BINS,
    Comparison,
    EmulatorAccuracy,
    measure,
)
from popsed_core.diagnostics.emulator_report import accuracy_markdown, summarise_accuracy
from popsed_core.emulator.data import SegmentTask
from popsed_core.emulator.fit import fit_segment
from popsed_core.files.artefacts import Provenance, load, load_provenance, save, sha256
from popsed_core.photometry.synthetic import build_emulated_photometry, build_synthetic_photometry
from popsed_core.running.loop import save_plain
from popsed_core.stellar.ssp.toy import toy_grid

GRID = toy_grid(WAVE_RANGE)
EMULATOR = EmulatorConfig(
    edges=(1000, 3600, 60000), n_components=(8, 8), n_hidden=24, n_layers=3, n_epochs=3,
    n_steps=60, batch_size=200, learning_rate=LearningRate(3e-4, 5e-3, 1e-5, 0.1),
)  # fmt: skip
N = 600


def train(ssp_sha256):
    task = SegmentTask(
        0, 3, EMULATOR, TrainingSetConfig(n_pixels=300), SpectraConfig(), make_task().parameters
    )
    return [fit_segment(replace(task, segment=k), GRID, ssp_sha256) for k in (0, 1)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """An emulator and everything that a fit with it reads."""
    folder = tmp_path_factory.mktemp("emulator")
    names = ("ssp.h5", "catalogue.h5", "noise.h5", "emulator.pt")
    ssp, catalogue, noise, emulator = (folder / name for name in names)
    save(GRID, ssp, Provenance("toy"))
    save(base_catalogue(), catalogue, Provenance("toy"))
    save(noise_table(base_catalogue()), noise, Provenance("toy"))
    save_plain({"segments": train(sha256(ssp))}, emulator)
    return {"ssp": ssp, "catalogue": catalogue, "noise": noise, "emulator": emulator}


@pytest.fixture(scope="module")
def segments(files):
    return torch.load(files["emulator"], weights_only=True)["segments"]


@pytest.fixture(scope="module")
def accuracy(segments):
    return measure(segments, GRID, N)


def validate(files, folder):
    words = ["emulator", "validate", "--n-spectra", N]
    for name in ("ssp", "emulator"):
        words += [f"--{name}", files[name]]
    words += ["--json", folder / "accuracy.json", "--markdown", folder / "accuracy.md"]
    return cli.main([str(word) for word in (*words, folder / "accuracy.h5")])


def shifted(segments, factor):
    """The same emulator, brighter by a factor."""
    parts = []
    for segment in segments:
        network = dict(segment["network"])
        network["mean"] = network["mean"] + np.log10(factor)
        parts.append({**segment, "network": network})
    return parts


def test_errors_of_magnitudes_are_those_of_the_photometry_a_fit_uses(segments):
    pair = Comparison(segments, GRID)
    theta = pair.draw(200, "test")
    _, _, error = pair.errors(theta)
    box = PARAMETERS["redshift"]
    settings = SpectraConfig(n_pixels=2000), (box.low, box.high)
    exact = build_synthetic_photometry(GRID, FILTERS, *settings, tolerance=None).float()
    emulated = build_emulated_photometry(segments, GRID, FILTERS, *settings).float()
    expected = -2.5 * torch.log10(emulated(theta) / exact(theta))
    # the exact engine has finer pixels than the emulator here
    torch.testing.assert_close(error, expected, atol=0.02, rtol=0.02)


def test_gas_is_on_both_sides_and_dilutes_the_errors_of_stars(segments):
    """Magnitudes are more accurate where part of the light is exact; spectra are of stars."""
    gas = toy_gas()
    pairs = [Comparison(segments, grid) for grid in (gas, gas.stars())]
    theta = pairs[0].draw(200, "test")
    (spectrum, _, with_gas), (alone, _, stars) = (pair.errors(theta) for pair in pairs)
    torch.testing.assert_close(spectrum, alone)
    share = 1 - 10 ** (-0.4 * stars)  # errors of magnitudes, as shares of the stars' light
    box = PARAMETERS["redshift"]
    settings = SpectraConfig(n_pixels=2000), (box.low, box.high)
    light = [
        build_synthetic_photometry(grid, FILTERS, *settings).float()(theta)
        for grid in (gas, gas.stars())
    ]
    expected = 1 - 10 ** (-0.4 * with_gas)
    is_bright = light[1] > 0
    diluted = (share * light[1] / light[0])[is_bright]
    torch.testing.assert_close(expected[is_bright], diluted, atol=2e-3, rtol=0.02)


def test_a_brighter_emulator_has_the_bias_it_was_given(segments, accuracy):
    brighter = measure(shifted(segments, 1.01), GRID, N)
    np.testing.assert_allclose(brighter.bias, 1.01 * (1 + accuracy.bias) - 1, atol=1e-5)
    shift = -2.5 * np.log10(1.01)
    np.testing.assert_allclose(brighter.rest_mag, accuracy.rest_mag + shift, atol=1e-5)
    np.testing.assert_allclose(brighter.correlation, accuracy.correlation, atol=1e-3)


def test_quantiles_are_ordered_and_the_pool_is_that_of_its_pixels(accuracy):
    assert (accuracy.spectrum[0] <= accuracy.spectrum[1]).all()
    for (low, high), pooled in zip(((1000, 3000), (3000, 12000)), accuracy.pooled, strict=True):
        inside = (low <= accuracy.wave) & (accuracy.wave < high)
        assert accuracy.spectrum[0, inside].min() <= pooled[0] <= accuracy.spectrum[0, inside].max()
    assert accuracy.mag_binned.shape == (2, N_REDSHIFT_BINS, 5)
    assert np.isfinite(accuracy.by_age).all()


def test_validation_galaxies_are_nobody_else_s(segments):
    pair = Comparison(segments, GRID)
    draws = [pair.draw(5, purpose).redshift for purpose in ("uniform", "bursts")]
    assert not torch.equal(*draws)
    torch.testing.assert_close(pair.draw(5, "uniform").redshift, draws[0])


def test_the_certificate_names_the_emulator_it_belongs_to(files, accuracy, tmp_path):
    assert validate(files, tmp_path) == 0
    path = tmp_path / "accuracy.h5"
    found = {name: sha256(files[name]) for name in ("emulator", "ssp")}
    assert load_provenance(path).inputs == found
    assert load(path, EmulatorAccuracy).source == "toy"
    np.testing.assert_array_equal(load(path, EmulatorAccuracy).spectrum, accuracy.spectrum)
    numbers = json.loads((tmp_path / "accuracy.json").read_text())
    assert numbers["emulator"] == found["emulator"]
    assert set(numbers["spectrum"]) == {"1000-3000", "3000-12000"}
    rates = numbers["throughput"]["photometry_forward_backward"]
    assert rates["ratio"] == pytest.approx(rates["emulator"] / rates["exact"], rel=1e-3)
    assert "| 3000-12000 |" in (tmp_path / "accuracy.md").read_text()


def test_the_certificate_says_how_slow_fsps_is(accuracy):
    rates = {
        name: {"exact": 8000.0, "emulator": 2000.0}
        for name in ("spectra_forward", "photometry_forward")
    }
    plain = accuracy_markdown(summarise_accuracy(accuracy, rates, "abc"))
    assert "FSPS" not in plain
    rates["spectra_forward"]["fsps"] = 4.0
    told = accuracy_markdown(summarise_accuracy(accuracy, rates, "abc"))
    assert "FSPS itself makes 4 spectra per second" in told
    assert "emulator is 500 times as fast, the exact engine 2,000 times" in told


def test_the_fit_logs_the_certificate_and_refuses_another_emulator_s(
    files, tmp_path, caplog, capsys
):
    assert validate(files, tmp_path) == 0
    spectra = replace(SPECTRA, engine="emulator")
    given = overlay(
        fit=replace(FIT, n_epochs=1), spectra=spectra, parameters=PARAMETERS,
        surveys={"toy": TOY},
    )  # fmt: skip
    words = ["fit", "member", "--config", given, "--survey", "toy", "--member", "1"]
    words += ["--device", "cpu"]
    for name, path in files.items():
        words += [f"--{name}", path]
    words += ["--accuracy", tmp_path / "accuracy.json", "--checkpoint", tmp_path / "half.pt"]
    words = [str(word) for word in (*words, "--cost", tmp_path / "c.json", tmp_path / "m.pt")]
    with caplog.at_level(logging.INFO):
        assert cli.main(words) == 0
    assert "errors of spectra at 1000-3000 AA" in caplog.text
    text = (tmp_path / "accuracy.json").read_text()
    (tmp_path / "accuracy.json").write_text(text.replace(sha256(files["emulator"]), "0" * 64))
    assert cli.main(words) == 1
    assert "accuracy.json: of the emulator 000000000000, not of" in capsys.readouterr().err


def test_an_emulator_of_another_table_is_not_certified(files, tmp_path, capsys):
    other = tmp_path / "other.h5"
    save(toy_grid((1000.0, 29000.0)), other, Provenance("toy"))
    assert validate({**files, "ssp": other}, tmp_path) == 1
    error = capsys.readouterr().err
    assert "emulator.pt: trained on the SSP table" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "accuracy.h5").exists()
