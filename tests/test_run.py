"""`popsed run`: the packaged workflow in any folder, from a checkout or from a wheel."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from popsed_core.commands import run
from popsed_core.files.packaged import packaged

ROOT = Path(__file__).resolve().parent.parent
POPSED = "import sys; from popsed_core.cli import main; sys.exit(main())"


def popsed(folder, *words, path=ROOT):
    """Run a command with the package of a path, in a folder of its own."""
    env = dict(os.environ, PYTHONPATH=str(path), OMP_NUM_THREADS="1")
    command = [sys.executable, "-c", POPSED, *map(str, words)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path):
    """A folder of a user: a configuration and a table."""
    shutil.copy(ROOT / "config/smoke.yaml", tmp_path / "mine.yaml")
    (tmp_path / "tests/data").mkdir(parents=True)
    shutil.copy(ROOT / "tests/data/toy_survey.csv", tmp_path / "tests/data")
    return tmp_path


def test_the_files_come_first_and_the_rest_is_for_snakemake():
    words = ["mock.yaml", "figures", "-c2", "--config", "a=b.yaml"]
    files, rest = run.split(Path("mine.yaml"), words)
    assert files == [Path("mine.yaml"), Path("mock.yaml")]
    assert rest == words[1:]


@pytest.mark.parametrize(
    ("words", "cores"),
    [([], True), (["figures"], True), (["-c2"], False), (["--cores", "2"], False),
     (["--cores=2"], False), (["-j4"], False), (["--profile", "slurm"], False)],
)  # fmt: skip
def test_all_cores_are_taken_unless_somebody_says_which(words, cores):
    command = run.command_of([Path("mine.yaml")], words)
    assert (command[command.index("mine.yaml") + 1 :][:2] == ["--cores", "all"]) == cores
    n_own = len(words) - words.count("slurm")
    assert command[-len(words) :][:n_own] == words[:n_own] or not words


def test_a_packaged_profile_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = run.command_of([Path("mine.yaml")], ["--profile", "slurm"])
    assert command[-1] == str(packaged("profiles") / "slurm")
    (tmp_path / "slurm").mkdir()
    assert run.command_of([Path("mine.yaml")], ["--profile", "slurm"])[-1] == "slurm"


def test_what_is_announced_has_jobs_time_and_place():
    text = run.announcement("mine", {"fit_member": 8, "summarise": 1})
    assert text.startswith("popsed: 9 jobs; results/mine ")
    assert "min of one core" in text
    assert "min of one core" not in run.announcement("mine", {"fit_members_mine_1": 1})


@pytest.mark.workflow
def test_a_mistake_stops_before_the_workflow(folder):
    (folder / "mine.yaml").write_text("fit: {n_epoch: 3}\n")
    done = popsed(folder, "run", "mine.yaml")
    assert done.returncode == 1
    assert done.stderr == (
        "popsed: error: mine.yaml: fit.n_epoch: unknown key (value 3); check the spelling or "
        "remove it\n"
    )
    assert [path.name for path in folder.iterdir() if path.name != "tests"] == ["mine.yaml"]


@pytest.mark.workflow
def test_targets_and_options_are_snakemake_s(folder):
    done = popsed(folder, "run", "mine.yaml", "figures", "-n")
    assert done.returncode == 0
    assert "This was a dry-run" in done.stdout + done.stderr
    assert "figure_population" in done.stdout + done.stderr
    assert popsed(folder, "run", "mine.yaml", "no_such_target", "-c1").returncode == 1


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The unpacked wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    wheel = ["-m", "pip", "wheel", "--no-index", "--no-deps", "--no-build-isolation"]
    tracked = ("popsed_core", "workflow", "config", "profiles", "envs", "results/bars")
    for name in tracked:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / "source" / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "Snakefile", "config.yaml",
                 "CITATION.cff"):  # fmt: skip
        shutil.copy(ROOT / name, folder / "source")
    command = [sys.executable, *wheel, "./source"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        for name in archive.namelist():
            archive.extract(name, folder / "site")
    return folder / "site"


@pytest.mark.slow
@pytest.mark.workflow
def test_a_wheel_has_the_whole_workflow(installed):
    inside = installed / "popsed_core" / "checkout"
    for pattern in (
        "config/*.yaml",
        "workflow/**/*.*",
        "profiles/*/*",
        "results/bars/job_costs.json",
    ):
        for path in ROOT.glob(pattern):
            copy = inside / path.relative_to(ROOT)
            assert copy.read_bytes() == path.read_bytes()
    assert not list(inside.rglob("*.py"))


@pytest.mark.slow
@pytest.mark.workflow
def test_a_wheel_runs_in_an_empty_folder_and_resumes(installed, folder):
    target = "results/table2_mock/noise.h5"
    first = popsed(folder, "run", "mine.yaml", target, "-c1", path=installed)
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout.startswith("popsed: ")
    assert (folder / target).exists()
    again = popsed(folder, "run", "mine.yaml", target, "-c1", path=installed)
    assert (again.returncode, again.stdout) == (0, "popsed: nothing to do\n")


@pytest.mark.slow
def test_the_readme_s_python_runs_from_a_wheel_in_an_empty_folder(installed, folder):
    """Line by line as it stands there, on the toy survey with tiny flows."""
    (text,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    mine = folder / "mine.yaml"
    mine.write_text(mine.read_text().replace("survey: table2_mock", "survey: toy_survey"))
    check = (
        "import popsed_core.cli; print(popsed_core.__file__, len(galaxies), photometry.mag.shape)"
    )
    env = dict(os.environ, PYTHONPATH=str(installed), OMP_NUM_THREADS="1", MPLBACKEND="agg")
    command = [sys.executable, "-c", text + check]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"{installed}/popsed_core/__init__.py ")
    assert last.endswith(" (100, 6)")  # galaxies and LSST bands
    assert (folder / "mine.popsed").is_file()
