"""The committed toy survey is what its script writes."""

import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"
sys.path.insert(0, str(DATA))

import make_toy_survey  # noqa: E402


def test_the_toy_survey_is_what_its_script_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(make_toy_survey, "PATH", tmp_path / "again.csv")
    make_toy_survey.main()
    assert (tmp_path / "again.csv").read_text() == (DATA / "toy_survey.csv").read_text()
