"""Steps that a person can type: short commands with plain paths, which make what the rules make."""

import re
import shlex

import pytest
from workflow_tools import SMOKE, TARGETS, call, snakemake

from popsed_core import cli
from popsed_core.config.read import KEPT, keep, read_config

SURVEY, BASE, EMULATOR = "results/table2_mock", "results/toy_survey", "results/emulator"
FILES = {  # what a person types, but for the configuration: the files that it makes
    "ssp build": ("results/ssp.h5",),
    "catalogue build --survey toy_survey": (
        f"{BASE}/catalogue.h5", f"{BASE}/reference.h5", f"{BASE}/cut_flow.csv",
    ),
    "noise fit --survey toy_survey": (f"{BASE}/noise.h5",),
    "mock observe": (f"{SURVEY}/catalogue.h5", f"{SURVEY}/reference.h5", f"{SURVEY}/cut_flow.csv"),
    "noise fit --survey table2_mock": (f"{SURVEY}/noise.h5",),
    "fit member --member 1": (f"{SURVEY}/members/member_1.pt",),
    "fit member --member 2": (f"{SURVEY}/members/member_2.pt",),
    "ensemble sample": (f"{SURVEY}/samples.h5",),
    "products tables": (f"{SURVEY}/samples.fits", f"{SURVEY}/samples.csv"),
    # summary.json and summary.md have the seconds that the members took
    "products summary": (f"{SURVEY}/diagnostics.csv", f"{SURVEY}/redshift_distribution.csv"),
    "products provenance": (f"{SURVEY}/provenance.md",),
    "figure population --survey table2_mock": (f"{SURVEY}/figures/population.png",),
    "figure training --survey table2_mock": (f"{SURVEY}/figures/training.pdf",),
    "spectra chunk --chunk 1": (f"{EMULATOR}/chunks/chunk_1.h5",),
    "spectra index": (f"{EMULATOR}/training_set.h5",),
    "spectra basis --segment 1": (f"{EMULATOR}/basis_1.h5",),
    "emulator train --segment 0": (f"{EMULATOR}/segment_0.pt",),
    "emulator assemble": (f"{EMULATOR}/emulator.pt",),
    # accuracy.json has the spectra per second
    "emulator validate": (f"{EMULATOR}/accuracy.h5",),
    "figure emulator_accuracy --survey table2_mock": (f"{EMULATOR}/figures/emulator_accuracy.png",),
}  # fmt: skip
# not of a survey's numbers: downloads need a network, the rest describe what is there
NOT_TYPED = {
    "data fetch",
    "fsps fetch",
    "mock gama",
    "emulator compare",
    "products record",
    "crate",
}


def commands(folder, *words):
    """Return the shell commands of a dry run that call `popsed`."""
    text = snakemake(folder, "-n", "-p", *words)
    return [line for line in re.findall(r"Shell command: (.*)", text) if "popsed " in line]


def test_training_a_flow_is_a_command_of_at_most_300_characters(checkout):
    fits = [line for line in commands(checkout) if "popsed fit member" in line]
    assert fits
    assert {line for line in fits if len(line) > 300} == set()


def test_no_command_carries_a_piece_of_the_configuration(checkout):
    lines = commands(checkout, *SMOKE, "--", *TARGETS, "engines", "mock")
    assert len(lines) > 40
    assert [line for line in lines if "{" in line] == []
    files = {word for line in lines for word in re.findall(r"--config (\S+)", line)}
    assert len(files) == 1


def test_every_verb_of_the_rules_is_typed_in_these_tests(checkout):
    text = "".join(path.read_text() for path in (checkout / "workflow/rules").glob("*.smk"))
    verbs = {found.strip() for found in re.findall(r'"[^"\n]*popsed (crate|\w+ \w+)', text)}
    verbs = {verb for verb in verbs if not verb.startswith("figure")}
    typed = {" ".join(words.split()[:2]) for words in FILES}
    assert verbs - NOT_TYPED <= typed
    assert verbs >= NOT_TYPED


@pytest.mark.slow
def test_what_is_typed_makes_the_same_bytes_as_the_rules(built, repo, monkeypatch):
    monkeypatch.chdir(repo)
    for words, files in FILES.items():
        for file in files:
            (repo / file).unlink()
        assert cli.main([*shlex.split(words), "--config", SMOKE[1]]) == 0, words
        for file in files:
            assert (repo / file).read_bytes() == (built / file).read_bytes(), (words, file)


@pytest.mark.slow
def test_a_run_keeps_its_configuration_once(built):
    (kept,) = (built / KEPT).iterdir()
    config = read_config(built / "config.yaml", built / SMOKE[1])
    assert read_config(kept) == config
    before = kept.stat().st_mtime_ns
    assert keep(config, built / KEPT) == kept
    assert kept.stat().st_mtime_ns == before


def test_a_plan_writes_nothing(checkout):
    before = sorted((checkout / KEPT).glob("*"))
    snakemake(checkout, "-n", *SMOKE, "--config", "seed=987")
    assert sorted((checkout / KEPT).glob("*")) == before


@pytest.mark.slow
def test_a_lost_configuration_reruns_nothing_and_comes_back(repo):
    (kept,) = (repo / KEPT).iterdir()
    kept.unlink()
    done = call(repo, "--cores", "1", *SMOKE)
    assert "Nothing to be done" in done.stdout + done.stderr
    assert kept.exists()


def test_a_job_that_starts_later_has_the_configuration_of_its_run(checkout, tmp_path):
    begun = keep(read_config(checkout / "config.yaml", checkout / SMOKE[1]), tmp_path)
    changed = tmp_path / "changed.yaml"
    changed.write_text("seed: 5\n")
    words = ("-n", "-p", "--configfile", SMOKE[1], changed, "--", "results/ssp.h5")
    name = {"main": None, "remote": None}
    for mode in name:
        mode_words = ("--mode", "remote") if mode == "remote" else ()
        done = call(checkout, *mode_words, *words, POPSED_CONFIG=str(begun))
        (name[mode],) = re.findall(r"--config results/configs/(\S+)", done.stdout + done.stderr)
    assert name["remote"] == begun.name
    assert name["main"] != begun.name
