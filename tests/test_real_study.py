"""The study of real surveys: its configuration, its tables, and a run on a tiny synthetic one."""

import json

import numpy as np
import pytest
import yaml
from real_data import ROOT
from studies import run_real

from popsed_core.config import base
from popsed_core.config.root import Config
from popsed_core.photometry.filters import load_filter
from popsed_core.surveys.table_files import read_columns

STUDY = base.read_yaml(ROOT / "tests/studies/real.yaml")
TABLES = sorted(STUDY["tables"])
ABSENT = run_real.parse(["--members", "1", "--epochs", "2"])


def touched(folder):
    """A folder with an empty table of each name."""
    (folder / "surveys").mkdir()
    for name, table in STUDY["tables"].items():
        columns = STUDY["inverse_variances"].get(name, {}).values()
        (folder / "surveys" / table).write_text(",".join(columns) + "\n" + "1.0," * len(columns))
    return folder


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    study = STUDY | {"inverse_variances": {}}
    overlay = run_real.overlay_of(study, touched(folder), folder, ABSENT)
    tree = base.merge(base.read_yaml(ROOT / "config.yaml"), overlay)
    return base.parse(Config, tree, "real.yaml")


@pytest.mark.parametrize("name", TABLES)
def test_every_survey_of_the_study_is_a_valid_configuration(settings, name):
    survey = settings.surveys[name]
    assert set(survey.reference) == {"redshift"}
    for band in survey.bands.values():
        assert load_filter(band.filter).effective_wave > 3000
    assert settings.fit_for(name).n_members == 1
    assert settings.parameters_for(name)["redshift"].high > 1


def test_surveys_that_are_not_there_are_left_out(tmp_path):
    overlay = run_real.overlay_of(STUDY, tmp_path, tmp_path, ABSENT)
    assert set(overlay["surveys"]) & set(TABLES) == set()


def test_an_inverse_variance_becomes_an_error_or_no_measurement(tmp_path):
    source = tmp_path / "one.csv"
    source.write_text("flux,ivar\n1,4\n2,0\n3,-1\n")
    path = run_real.made_table(source, {"error": "ivar"}, tmp_path / "made")
    found = read_columns(path, None)
    np.testing.assert_allclose(np.asarray(found["error"], float), [0.5, np.nan, np.nan])
    np.testing.assert_allclose(np.asarray(found["flux"], float), [1, 2, 3])


def test_a_distribution_is_at_no_distance_from_itself():
    known = np.random.default_rng(0).normal(0.5, 0.1, 1000)
    same = run_real.against(known, known)
    assert (same["redshift_w1"], same["redshift_ks"], same["redshift_mean"]) == (0, 0, 0)
    assert same["redshift_width"] == 1
    moved = run_real.against(known + 0.03, known)
    assert moved["redshift_w1"] == pytest.approx(0.03)
    assert moved["redshift_mean"] == pytest.approx(0.02, rel=0.01)
    assert run_real.against(np.array([0.01, 0.5, 0.9, 0.5]), known)["nearby"] == 0.25


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The study of the toy survey in fluxes with inverse variances, and of one that is absent."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "surveys").mkdir()
    toy = np.genfromtxt(ROOT / "tests/data/toy_survey.csv", delimiter=",", names=True)
    names, columns, bands = ["redshift"], [toy["redshift"]], {}
    for band in "ugriz":
        flux = 10 ** (0.4 * (22.5 - toy[f"mag_{band}"]))
        names += [f"flux_{band}", f"ivar_{band}"]
        columns += [flux, (1.0857 / flux / toy[f"error_{band}"]) ** 2]
        bands[band] = {"filter": f"sdss2010-{band}", "value": f"flux_{band}", "error": f"e_{band}"}
    columns[2][:3] = 0  # no measurement in u
    np.savetxt(
        folder / "surveys" / "tiny.csv", np.transpose(columns), delimiter=",",
        header=",".join(names), comments="",
    )  # fmt: skip
    section = {"kind": "table", "quantity": "flux", "bands": bands}
    study = {
        "purpose": "A test.", "surveys": ["tiny", "absent"],
        "tables": {"tiny": "tiny.csv", "absent": "absent.csv"},
        "inverse_variances": {"tiny": {f"e_{band}": f"ivar_{band}" for band in bands}},
        "overlay": {"surveys": {
            "tiny": section | {"reference": {"redshift": "redshift"}}, "absent": section}},
    }  # fmt: skip
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    words = ["--study", "study.yaml", "--shared", "", "--work", "work", "--out", "out"]
    words = [str(folder / word) if i % 2 else word for i, word in enumerate(words)]
    smoke = ["--configfile", str(ROOT / "config/smoke.yaml")]
    run_real.main([*words, "--members", "1", "--epochs", "1", *smoke])
    return folder / "out"


@pytest.mark.slow
@pytest.mark.workflow
def test_a_tiny_survey_is_fitted_and_judged(made):
    row, skipped = json.loads((made / "real.json").read_text())["rows"]
    assert (row["n_kept"]["read"], row["n_kept"]["finite photometry"]) == (400, 397)
    assert row["n_members"] == 1
    assert row["spectroscopy"]["redshift_w1"] == 0
    for which in ("fit", "prior"):
        assert 0 < row[which]["redshift_w1"] < 1
    assert list(row["zero_points"]) == list("ugriz")
    assert skipped == {
        "survey": "absent",
        "skipped": "no absent.csv in surveys/ of the shared data",
    }


@pytest.mark.slow
@pytest.mark.workflow
def test_people_read_the_same(made):
    text = (made / "real.md").read_text()
    for part in ("## tiny", "| fit |", "| prior |", "Zero points", "## absent\n\nSkipped: no"):
        assert part in text
