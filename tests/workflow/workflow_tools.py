"""Running Snakemake on a copy of the checkout, with the copy's own code."""

import csv
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import forked

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ("--configfile", "config/smoke.yaml")
TARGETS = ("all", "training_set", "emulator")  # what the built tree has
LEFT_OUT = (
    ".git", ".venv", ".snakemake", "results", "resources", "logs", "benchmarks", "shared",
    "*cache*", "__pycache__", "*.egg-info", ".hypothesis",
)  # fmt: skip


def call(folder, *words, is_error=False, **environment):
    """Run Snakemake and return all its output."""
    env = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"} | environment
    words = [str(word) for word in words]
    if forked.DRY & set(words):
        done = forked.run(folder, words, env)
    else:
        command = [sys.executable, "-m", "snakemake", *words]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert bool(done.returncode) == is_error, done.stdout + done.stderr
    return done


def snakemake(folder, *words):
    """Run Snakemake and return what it wrote, standard error first."""
    done = call(folder, *words)
    return done.stderr + done.stdout


def copy_tree(source, target):
    """Copy with all time stamps."""
    subprocess.run(["cp", "-a", source, target], check=True)


def planned(folder, *words):
    """Return how many jobs of each rule a dry run plans."""
    text = snakemake(folder, "-n", *words)
    table = text.split("Job stats:")[1].split("total")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


def pending_files(folder):
    """Return the outputs, by rule, that the next run would make."""
    table = call(folder, "--summary", *SMOKE, "--", *TARGETS).stdout
    rows = csv.DictReader(io.StringIO(table), delimiter="\t")
    return {(row["rule"], row["output_file"]) for row in rows if row["plan"] != "no update"}


def pending(folder):
    """Return the rules that the next run would run."""
    return {rule for rule, _ in pending_files(folder)}
