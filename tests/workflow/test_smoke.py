"""The whole workflow really runs, twice the same, and has no more to do afterwards."""

import json
import re

import pytest
from browser_tools import WITHIN, page_in_a_browser, text_of
from workflow_tools import SMOKE, copy_tree, snakemake

from popsed_core.figures.names import FIGURES
from popsed_core.files.artefacts import sha256

RESULTS = "results/table2_mock"
CHAPTERS = (
    "1 Data", "2 Noise", "3 Spectra", "4 Training", "5 Photometry", "6 Population",
    "7 All parameters", "8 Numbers", "9 Provenance",
)  # fmt: skip


@pytest.fixture(scope="module")
def page(built):
    """The report as a browser shows it that finds no other host."""
    return page_in_a_browser(built / RESULTS / "report.html")


@pytest.mark.slow
def test_everything_promised_is_there(built):
    folder = built / RESULTS
    for name in ("samples.h5", "samples.fits", "samples.csv", "diagnostics.csv", "report.html"):
        assert (folder / name).stat().st_size > 100, name
    assert len(list((folder / "figures").glob("*.pdf"))) == 10
    assert json.loads((folder / "summary.json").read_text())["source"] == "toy"
    assert (folder / "summary.md").read_text().startswith("#")


@pytest.mark.slow
def test_the_second_run_has_nothing_to_do(repo):
    assert "Nothing to be done" in snakemake(repo, "--cores", "1", *SMOKE)


@pytest.mark.slow
def test_the_report_opens_without_a_network(built):
    html = (built / RESULTS / "report.html").read_text()
    assert not re.findall(r"<(?:script|img|link)[^>]+(?:src|href)=\"https?://[^\"]*\"", html)
    assert "redshift distribution" in html


@pytest.mark.slow
def test_a_browser_shows_every_chapter_from_top_to_bottom(page):
    assert re.findall(r"<h2>(.*?)</h2>", page) == list(CHAPTERS)
    text = text_of(page)
    assert "An ensemble of normalizing flows over the physical parameters of galaxies" in text
    assert "toy stellar-population table: not for science" in text
    for table in ("SNR > 1 in every band", "Against the reference", "Zero points fitted"):
        assert table in text


@pytest.mark.slow
def test_a_browser_shows_every_figure_with_a_caption(page):
    names = {f"{name.replace('_', ' ')}, table2_mock" for name in FIGURES}
    figures = re.findall(r"<figure>(.*?)</figure>", page, re.DOTALL)
    assert {re.findall(r'alt="(.*?)"', figure)[0] for figure in figures} == names
    for figure in figures:
        assert 'src="data:image/png' in figure
        assert len(text_of(figure)) > 60


@pytest.mark.slow
def test_the_report_says_what_it_was_made_from(page, built):
    text = text_of(page)
    for name in ("tests/data/toy_survey.csv", "results/ssp.h5", f"{RESULTS}/members/member_2.pt"):
        assert sha256(built / name) in text, name
    assert "survey.cuts.min_snr 1.0" in text
    assert 'spectra.engine "exact"' in text


@pytest.mark.slow
def test_a_browser_has_nothing_to_ask_of_other_hosts(page):
    asked = re.findall(r'(?:src|href|action|data)="(.*?)"', page)
    assert asked
    assert [link for link in asked if not link.startswith(WITHIN)] == []


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
