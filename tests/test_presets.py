"""The overlays in config/ agree with their sources."""

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from popsed_core.config.root import load
from popsed_core.surveys.build import build_catalogue

ROOT = Path(__file__).resolve().parent.parent
BASE, PAPER, RELEASED, STANDIN = (
    ROOT / name
    for name in (
        "config.yaml", "config/paper.yaml", "config/released_code.yaml", "config/gama_standin.yaml",
    )
)  # fmt: skip
SURVEYS = ("table2_mock", "gama")


def steps(fit):
    """Return each blur with the step from which it holds."""
    n_steps = fit.n_epochs * fit.n_steps
    return n_steps, [(round(share * n_steps, 6), blur) for share, blur in fit.distance.blur]


@pytest.mark.parametrize("survey", SURVEYS)
def test_the_paper_s_training_is_that_of_section_2_5(survey):
    fit = load(BASE, PAPER).fit_for(survey)
    assert fit.n_members == {"table2_mock": 10, "gama": 30}[survey]
    blurs = (0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.002)
    assert steps(fit) == (800, [(60 * k, blur) for k, blur in enumerate(blurs)])
    assert fit.distance.p == 2
    assert (fit.flow.n_blocks, fit.flow.n_bins, fit.flow.n_hidden) == (20, 60, 100)
    rate, annealing = fit.learning_rate, fit.noise_annealing
    assert (rate.start, rate.peak, rate.end) == (3e-5, 3e-4, 3e-6)
    assert (annealing.amplitude, annealing.rate) == (30, 12)
    assert (fit.prior_weight.start, fit.prior_weight.end, fit.selection) == (0, 0, None)
    assert (fit.zero_point_error, fit.model_error, fit.members) == (0, 0, "restarts")


def test_the_paper_has_stars_alone_and_the_default_has_gas():
    assert load(BASE).ssp.nebular.kind == "cloudy"
    overlays = (PAPER, RELEASED, ROOT / "config/paper_emulator.yaml", ROOT / "config/smoke.yaml")
    assert {load(BASE, overlay).ssp.nebular.kind for overlay in overlays} == {"none"}


@pytest.mark.parametrize("survey", SURVEYS)
def test_the_released_training_is_that_of_its_code(survey):
    settings = load(BASE, PAPER, RELEASED)
    fit = settings.fit_for(survey)
    wanted = [(0, 0.3), (60, 0.2), (120, 0.1), (210, 0.05), (300, 0.002)]
    assert steps(fit) == (1200, wanted)
    assert (fit.distance.p, fit.distance.scaling, fit.features.kind) == (1, 0.9, "zscored")
    assert (fit.n_samples, fit.distance.n_data, fit.flow.start_jitter) == (10_000, 10_000, 0.1)
    assert (fit.learning_rate.start, fit.learning_rate.end) == (3e-5, 3e-7)
    assert settings.noise.form == "log_snr_given_flux"


@pytest.mark.parametrize("survey", SURVEYS)
def test_all_priors_of_the_paper_are_uniform_in_its_box(survey):
    parameters = load(BASE, PAPER).parameters_for(survey)
    assert {item.prior.kind for item in parameters.values()} == {"uniform"}
    assert parameters["t_burst"].coordinate == "linear"
    assert parameters["kappa_1"].coordinate == "flat_simplex"
    assert (parameters["redshift"].high, parameters["log_stellar_mass"].low) == (0.8, 7.5)


def test_the_paper_s_galaxies_are_cut_as_its_text_says_and_the_code_s_as_its_notebook_does():
    paper, released = load(BASE, PAPER), load(BASE, PAPER, RELEASED)
    mock, cuts = paper.surveys["table2_mock"], paper.surveys["gama"].cuts
    assert (mock.n_galaxies, mock.noise_from, mock.cuts.min_snr) == (100_863, "gama", 1)
    assert (mock.joint, mock.limit_mag) == ("reference", None)
    assert (cuts.min_snr, cuts.min_j_minus_k, cuts.also_bands, cuts.max_mag) == (1, 0.025, (), {})
    cuts = released.surveys["gama"].cuts
    assert (cuts.min_snr, cuts.min_j_minus_k, cuts.min_log_mass) == (1, 0.025, 0)
    assert (cuts.also_bands, cuts.max_mag) == (("Y", "J", "H", "K"), {"u": 30})


def test_the_paper_s_spectra_know_no_intergalactic_hydrogen():
    emulator = ROOT / "config" / "paper_emulator.yaml"
    for overlays in ((PAPER,), (PAPER, RELEASED), (emulator,)):
        assert load(BASE, *overlays).spectra.igm == "none"
    assert load(BASE).spectra.igm == "inoue14"


def test_presets_and_stand_ins_go_together():
    settings = load(BASE, PAPER, RELEASED, STANDIN)
    assert settings.survey == "gama"
    assert settings.surveys["gama"].paths[0].startswith("resources/standin/")
    assert settings.surveys["gama"].cuts.also_bands


def test_the_later_release_has_fluxes_in_jansky(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "filters").mkdir()
    for band in "ugri":
        curve = "3999 0\n4000 1\n5000 1\n5001 0\n"
        (tmp_path / "filters" / f"omegacam_{band}.txt").write_text(curve)
    survey = load(BASE, ROOT / "config" / "gama_dr4.yaml").surveys["gama_dr4"]
    table = {"Z": [0.1, 0.2]}
    for band in "ugri":
        table |= {f"flux_{band}t": [3631.0e-6, -999.0], f"flux_err_{band}t": [36.31e-6, 1e-6]}
    Table(table).write(tmp_path / "dr4.fits")
    catalogue, _ = build_catalogue(survey, tmp_path / "dr4.fits")
    np.testing.assert_allclose(catalogue.mag, 15.0, atol=1e-3)
    assert catalogue.mag.shape == (1, 4)
