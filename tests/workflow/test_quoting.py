"""No name of a file and no value of the configuration is ever a command."""

import re
import shutil

import pytest
import yaml
from workflow_tools import ROOT, SMOKE, call, copy_tree

NASTY = 'it\'s "my" $(touch pwned) `touch pwned`; touch pwned & {x} *'
QUOTED_BY = {  # unquoted where a rule uses it: quoted where it is made, or no text at all
    "resources.workflow": "shlex", "params.members": "numbers", "params.texts": "a hash",
    "params.name": "a name of our own", "wildcards.download": "letters, by the schema",
    "params.survey": "letters, by the schema", "wildcards.survey": "letters, by the schema",
    "wildcards.chunk": "a number", "wildcards.segment": "a number",
    "threads": "a number",
}  # fmt: skip


def placeholders():
    """Return what the rules' commands put in, without the names of rules and messages."""
    found = {}
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        text = path.read_text()
        bodies = re.findall(r'(?:shell:|_COMMAND = \()\n((?: +".*"\n)+)', text)
        assert bodies or "shell:" not in text, path
        for name in re.findall(r"(?<!\{)\{([\w.]+(?::q)?)\}", "".join(bodies)):
            found.setdefault(name, path.name)
    return found


def test_every_file_and_section_is_quoted_in_every_command():
    names = placeholders()
    assert len(names) > 40
    bare = {name for name in names if not name.endswith(":q")}
    assert bare - set(QUOTED_BY) == set()
    assert not [name for name in bare if name.startswith(("input", "output", "log"))]


def test_what_is_excused_is_used():
    assert set(QUOTED_BY) <= set(placeholders())


@pytest.mark.parametrize("name", [NASTY, "a b", "../up", "$(id)", "a;b", "-x", "", "ä"])
def test_a_survey_s_name_is_made_of_letters(checkout, tmp_path, name):
    overlay = tmp_path / "overlay.yaml"
    section = yaml.safe_load((checkout / SMOKE[1]).read_text())["surveys"]["toy_survey"]
    overlay.write_text(yaml.safe_dump({"surveys": {name: section}}))
    done = call(checkout, "-n", "--configfile", SMOKE[1], overlay, is_error=True)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "popsed: error" in line]
    assert len(lines) == 1
    assert "surveys" in lines[0]


@pytest.mark.slow
@pytest.mark.runs
def test_a_run_in_a_folder_and_on_a_table_with_any_name_runs_nothing_else(checkout, tmp_path):
    folder = tmp_path / NASTY.replace("/", "").replace("{x}", "")
    folder.mkdir()
    copy = folder / "popsed"
    copy_tree(checkout, copy)
    name = NASTY.replace("{x} ", "") + ".csv"
    shutil.copy(copy / "tests/data/toy_survey.csv", copy / name)
    overlay = {"surveys": {"toy_survey": {"path": name, "reference": {"redshift": "redshift"}}},
               "runtime": {"offline": NASTY}}  # fmt: skip
    (copy / NASTY).mkdir()
    (copy / "over lay.yaml").write_text(yaml.safe_dump(overlay))
    words = ("--configfile", SMOKE[1], "over lay.yaml", "--cores", "1")
    target = "results/toy_survey/noise.h5"
    call(copy, *words, "--", target)
    assert (copy / target).exists()
    assert not list(tmp_path.rglob("pwned"))
    fetched = call(copy, *words, "--", "resources/gama_masses.fits", is_error=True)
    assert "StellarMasses.fits: no such file" in fetched.stdout + fetched.stderr
    assert not list(tmp_path.rglob("pwned"))
