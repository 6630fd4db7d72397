import csv
import dataclasses
import json

import numpy as np
import pytest

from popsed_core.config.noise import NoiseConfig
from popsed_core.diagnostics.markdown import as_markdown
from popsed_core.diagnostics.summary import summarise, write_summary
from popsed_core.surveys.noise_fit import fit_noise


@pytest.fixture
def summary(samples, catalogue, reference, members):
    return summarise(samples, catalogue, reference, members, seed=0)


def write(summary, folder):
    paths = [folder / name for name in ("summary.json", "summary.md", "diagnostics.csv")]
    write_summary(summary, *paths)
    return paths


def test_summary_says_what_the_samples_hold(summary, samples):
    redshift = summary["quantities"]["redshift"]
    values = samples.column("redshift")
    assert redshift["percentiles"]["50"] == pytest.approx(np.median(values), rel=1e-4)
    assert redshift["percentiles"]["2.5"] == pytest.approx(np.percentile(values, 2.5), rel=1e-4)
    medians = np.median(values, axis=1).astype(float)
    assert redshift["member_scatter"]["50"] == pytest.approx(medians.std(), rel=1e-3)
    assert summary["sizes"] == {
        "catalogue": 1500, "members": 3, "draws_per_member": 600, "prior_draws": 1200,
    }  # fmt: skip


def test_cost_is_summed_over_members(samples, catalogue, members, tmp_path):
    costs = [{"seconds": 120.5, "peak_memory_mb": 700.0 + 50 * k} for k in range(3)]
    summary = summarise(samples, catalogue, None, members, seed=0, costs=costs)
    assert summary["fit"]["seconds_total"] == pytest.approx(361.5)
    assert summary["fit"]["peak_memory_mb"] == 800
    assert "## Cost" in write(summary, tmp_path)[1].read_text()


def test_last_epoch_of_each_member_is_kept(summary, members):
    last = members[1]["history"]["validation"][-1]
    assert summary["fit"]["final"][1]["validation"] == pytest.approx(last, rel=1e-4)


def test_json_gives_back_the_summary(summary, tmp_path):
    path, _, _ = write(summary, tmp_path)
    assert json.loads(path.read_text()) == json.loads(json.dumps(summary))
    text = path.read_text()
    assert text.index('"source"') < text.index('"comparison"') < text.index('"fit"')


def test_json_keeps_the_order_of_the_bands(summary, samples, tmp_path):
    written = json.loads(write(summary, tmp_path)[0].read_text())
    assert list(samples.bands) != sorted(samples.bands)
    assert tuple(written["zero_points"]) == samples.bands


def test_diagnostics_have_a_row_per_compared_quantity(summary, samples, tmp_path):
    rows = list(csv.DictReader(write(summary, tmp_path)[2].read_text().splitlines()))
    assert [row["name"] for row in rows] == [*samples.names, *samples.derived_names]
    by_name = {row["name"]: row for row in rows}
    assert float(by_name["redshift"]["w1"]) == summary["comparison"]["redshift"]["w1"]
    assert len(by_name["redshift"]["w1_members"].split()) == 3
    assert by_name["dust_index"]["is_prior_dominated"] == "True"


def test_a_classifier_and_the_offsets_over_one_plus_z_are_told(summary, tmp_path):
    _, markdown, diagnostics = write(summary, tmp_path)
    text = markdown.read_text()
    assert f"accuracy {summary['classifier']['accuracy']:.3f}, prior" in text
    assert f"mean {summary['comparison']['redshift']['mean_offset_1pz']:+.4f}" in text
    rows = {row["name"]: row for row in csv.DictReader(diagnostics.read_text().splitlines())}
    assert float(rows["redshift"]["std_offset_1pz"]) != 0
    assert rows["logzsol"]["std_offset_1pz"] == ""


def test_each_number_of_the_fit_stands_beside_its_priors(summary, samples, tmp_path):
    _, markdown, diagnostics = write(summary, tmp_path)
    row = summary["comparison"]["redshift"]
    assert row["prior"]["w1"] > row["w1"]
    assert row["is_better_than_prior"] is True
    prior = summary["quantities"]["redshift"]["prior"]
    assert prior["percentiles"]["50"] == pytest.approx(
        np.median(samples.prior_column("redshift")), rel=1e-4
    )
    text = markdown.read_text()
    assert f"n(z), prior W1 {row['prior']['w1']:.3g}, fit W1 {row['w1']:.3g}." in text
    lines = [line for line in text.splitlines() if line.startswith("| redshift |")]
    assert "| narrower than its prior |" in lines[0]
    assert [line.split(" | ")[1] for line in lines[1:]] == ["fit", "prior"]
    distance = summary["photometric_distance"]
    assert f"prior {distance['prior']:.3g}; floor" in text
    cells = next(csv.DictReader(diagnostics.read_text().splitlines()))
    assert float(cells["prior_w1"]) == row["prior"]["w1"]
    assert cells["against_prior"] == "narrower than its prior"
    assert cells["is_better_than_prior"] == "True"


def test_the_noise_is_held_to_the_catalogue_where_it_is_given(summary, samples, observed, members):
    assert summary["noise"] == {}
    catalogue, reference = observed
    noise = fit_noise(catalogue, NoiseConfig(n_bins=10))
    checked = summarise(samples, catalogue, reference, members, seed=0, noise=noise)
    assert tuple(checked["noise"]) == samples.bands
    assert all(0 < row["ks"] < 0.4 for row in checked["noise"].values())
    row = checked["noise"]["r"]
    text = as_markdown(checked)
    assert f"| r | {row['n_galaxies']:,} | {row['ks']:.3g} |" in text


def test_a_band_with_errors_that_cannot_be_right_is_warned_of(samples, observed, members):
    catalogue, reference = observed
    wrong = catalogue.mag_error.copy()
    wrong[::50, 2] = 1e-6
    catalogue = dataclasses.replace(catalogue, mag_error=wrong)
    noise = fit_noise(catalogue, NoiseConfig(n_bins=10))
    found = summarise(samples, catalogue, reference, members, seed=0, noise=noise)["warnings"]
    assert "band r: 2 % of the errors are more than ten times" in found[-1]


def test_same_inputs_same_bytes(samples, catalogue, reference, members, tmp_path):
    texts = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        paths = write(summarise(samples, catalogue, reference, members, seed=0), folder)
        texts.append([path.read_bytes() for path in paths])
    assert texts[0] == texts[1]
