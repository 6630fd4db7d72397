"""The summary as a page: what the prior made is flagged."""

import pytest

from popsed_core.diagnostics.summary import rounded, summarise, write_summary


@pytest.fixture
def summary(samples, catalogue, reference, members):
    return summarise(samples, catalogue, reference, members, seed=0)


def write(summary, folder):
    paths = [folder / name for name in ("summary.json", "summary.md", "diagnostics.csv")]
    write_summary(summary, *paths)
    return paths


def test_markdown_flags_what_the_prior_made(summary, tmp_path):
    lines = write(summary, tmp_path)[1].read_text().splitlines()
    row = next(line for line in lines if line.startswith("| dust_index"))
    assert "prior-dominated" in row
    row = next(line for line in lines if line.startswith("| log_stellar_mass"))
    assert "dex(Msun)" in row
    assert "prior-dominated" not in row
    assert "## Against the reference" in lines


def test_without_a_reference_there_is_no_comparison(samples, catalogue, members, tmp_path):
    summary = summarise(samples, catalogue, None, members, seed=0)
    _, markdown, diagnostics = write(summary, tmp_path)
    assert "## Cost" not in markdown.read_text()
    assert "Against the reference" not in markdown.read_text()
    assert diagnostics.read_text().startswith("name,unit,kind,n_reference,w1,")
    assert len(diagnostics.read_text().splitlines()) == 1


def test_rounding_keeps_five_digits_and_drops_what_is_no_number():
    tree = {"a": [1.234567, float("nan")], "b": (float("inf"), 3, True, "x")}
    assert rounded(tree) == {"a": [1.2346, None], "b": [None, 3, True, "x"]}
