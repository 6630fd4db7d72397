"""``popsed run mine.yaml``: the whole workflow, in this folder."""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from popsed_core.commands.common import Subparsers, add_verb, say
from popsed_core.errors import InputError

ENDINGS = (".yaml", ".yml")
# with any of these words Snakemake says which cores or machines it takes
PLACES = ("-c", "--cores", "-j", "--jobs", "--profile", "--executor", "-e", "--cluster")
# with any of these it runs nothing, and there is nothing to announce
LOOKS = (
    "-n", "--dry-run", "--dryrun", "--unlock", "--touch", "-t", "--summary", "-S", "--report", "-l",
    "--detailed-summary", "-D", "--dag", "--rulegraph", "--filegraph", "--lint", "--list-rules",
    "--list", "--help", "-h", "--version", "-v",
)  # fmt: skip
QUIET = ("-q", "--quiet", "-p", "--printshellcmds", "--verbose")
COSTS = "results/bars/job_costs.json"


def register(nouns: Subparsers) -> None:
    """Add the verb ``run``."""
    text = "run the workflow of a configuration in this folder; goes on where it was stopped"
    run = add_verb(nouns, "run", run_workflow, text)
    run.add_argument(
        "config", type=Path, metavar="FILE", help="configuration, or what differs from the defaults"
    )
    run.add_argument(
        "words",
        nargs=argparse.REMAINDER,
        metavar="WORD",
        help="more files (.yaml), then targets and options of Snakemake: `figures`, `-c2`, `-n`, "
        "`--profile slurm`; without cores all of this machine are used",
    )


def run_workflow(args: argparse.Namespace) -> None:
    """Check the configuration, say what will run, and become Snakemake."""
    from popsed_core.config.read import read_config

    files, words = split(args.config, args.words)
    config = read_config(*files)  # a mistake is one line, before anything else
    if not takes(words, LOOKS):
        jobs = planned(command_of(files, ["--dry-run", *words]))
        say(announcement(config.survey, jobs) if jobs else "popsed: nothing to do")
        if not jobs:
            return
    sys.stdout.flush()
    command = command_of(files, words)
    # in the place of this process: exit status and Ctrl-C are Snakemake's own
    os.execv(command[0], command)


def split(first: Path, words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return the configuration files that lead a command, and the rest of it."""
    n_more = next((k for k, word in enumerate(words) if not word.endswith(ENDINGS)), len(words))
    return [first, *map(Path, words[:n_more])], list(words[n_more:])


def takes(words: Sequence[str], options: Sequence[str]) -> bool:
    """Say whether a command has one of the options, as ``-c2``, ``--cores=2`` or a word alone."""
    return any(
        word == option
        or word.startswith(f"{option}=")
        or (len(option) == 2 and re.fullmatch(rf"{option}\d+", word) is not None)
        for word in words
        for option in options
    )


def command_of(files: Sequence[Path], words: Sequence[str]) -> list[str]:
    """Return the command that runs the packaged workflow."""
    from popsed_core.files.packaged import packaged

    command = [sys.executable, "-m", "snakemake", "--configfile", *map(str, files)]
    command += [] if takes(words, PLACES) else ["--cores", "all"]
    command += [] if takes(words, QUIET + LOOKS) else ["--quiet", "host", "reason"]
    return [*command, "--snakefile", str(packaged("Snakefile")), *_with_profiles(words)]


def _with_profiles(words: Sequence[str]) -> list[str]:
    """Return the words with the names of packaged profiles as paths."""
    from popsed_core.files.packaged import packaged

    found = list(words)
    for k, word in enumerate(found[1:], start=1):
        own = packaged("profiles") / word
        is_elsewhere = Path(word).exists() or (Path.home() / ".config/snakemake" / word).exists()
        if found[k - 1] == "--profile" and own.is_dir() and not is_elsewhere:
            found[k] = str(own)
    return found


def planned(command: Sequence[str]) -> dict[str, int]:
    """Return how many jobs of each rule a dry run plans.

    Raises:
        InputError: Snakemake cannot plan; it has its words.
    """
    done = subprocess.run(command, capture_output=True, text=True)
    text = done.stdout + done.stderr
    if done.returncode != 0:
        lines = [line for line in text.splitlines() if line.strip() and "profile" not in line]
        raise InputError(" ".join(lines).removeprefix("popsed: error: "))
    table = text.partition("Job stats:")[2].partition("total")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


def announcement(survey: str, jobs: Mapping[str, int]) -> str:
    """Return what will run, about how long that takes, and how to stop it.

    Args:
        survey: the configuration's.
        jobs: number of jobs by rule.
    """
    from popsed_core.files.packaged import packaged

    costs = json.loads(packaged(COSTS).read_text())
    minutes = sum(number * costs[name]["minutes"] for name, number in jobs.items() if name in costs)
    are_measured = not any(name.startswith("fit_members_") for name in jobs)
    lines = [f"popsed: {sum(jobs.values())} jobs; results/{survey} will have the results"]
    if are_measured and minutes >= 1:
        lines.append(f"  about {minutes:.0f} min of one core with the default settings")
    lines.append("  Ctrl-C stops; the same command goes on from there")
    return "\n".join(lines)
