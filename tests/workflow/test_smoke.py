"""The whole workflow really runs, twice the same, and has no more to do afterwards."""

import json
import re

import pytest
from workflow_tools import SMOKE, copy_tree, snakemake

RESULTS = "results/table2_mock"


@pytest.mark.slow
def test_everything_promised_is_there(built):
    folder = built / RESULTS
    for name in ("samples.h5", "samples.fits", "samples.csv", "diagnostics.csv", "report.html"):
        assert (folder / name).stat().st_size > 100, name
    assert len(list((folder / "figures").glob("*.pdf"))) == 10
    assert json.loads((folder / "summary.json").read_text())["source"] == "toy"
    assert (folder / "summary.md").read_text().startswith("#")


@pytest.mark.slow
def test_the_second_run_has_nothing_to_do(built):
    assert "Nothing to be done" in snakemake(built, "--cores", "1", *SMOKE)


@pytest.mark.slow
def test_the_report_opens_without_a_network(built):
    html = (built / RESULTS / "report.html").read_text()
    assert not re.findall(r"<(?:script|img|link)[^>]+(?:src|href)=\"https?://[^\"]*\"", html)
    assert "redshift distribution" in html


@pytest.mark.slow
def test_progress_names_the_member(built):
    log = (built / "logs/table2_mock/fit_member_2.log").read_text()
    assert re.search(r"table2_mock member 2: epoch 3/3 .* ETA", log)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(checkout, built, tmp_path):
    again = tmp_path / "popsed"
    copy_tree(checkout, again)
    samples = f"{RESULTS}/samples.h5"
    snakemake(again, "--cores", "2", *SMOKE, "--", samples)
    assert (again / samples).read_bytes() == (built / samples).read_bytes()
