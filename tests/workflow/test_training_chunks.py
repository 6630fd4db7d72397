"""The training set in the workflow: chunks do not know of each other."""

import shutil

import pytest
from workflow_tools import SMOKE, call, planned, snakemake

from popsed_core.emulator.pca import SpectrumBasis
from popsed_core.emulator.training_index import TrainingSet
from popsed_core.files.artefacts import load, sha256
from popsed_core.running.loop import load_plain

TARGET = ("--", "training_set")
BELOW_BASIS = {"spectrum_basis", "figure_emulator_basis"}
BELOW_CHUNKS = {"training_index", *BELOW_BASIS}


def plan(repo, *settings):
    """Return the jobs of a dry run after a change of the configuration."""
    changes = ("--config", *settings) if settings else ()
    text = snakemake(repo, "-n", *SMOKE, *changes, *TARGET)
    if "Nothing to be done" in text:
        return {}
    return planned(repo, *SMOKE, *changes, *TARGET)


def test_the_default_has_31_chunks_and_5_segments(checkout):
    jobs = planned(checkout, *TARGET)
    assert (jobs["training_chunk"], jobs["training_index"], jobs["spectrum_basis"]) == (31, 1, 5)


@pytest.mark.slow
def test_the_smoke_run_makes_spectra_and_components(built):
    training_set = TrainingSet(built / "results/emulator/training_set.h5")
    assert training_set.index.is_validation.tolist() == [False, False, True]
    assert sum(len(block.inputs) for block in training_set.blocks(False, slice(None))) == 1000
    basis = load(built / "results/emulator/basis_1.h5", SpectrumBasis)
    assert basis.error_68.max() < 0.01
    assert basis.source == "toy"
    assert (built / "results/emulator/figures/emulator_basis.pdf").stat().st_size > 1000
    assert plan(built) == {}


@pytest.mark.slow
def test_one_more_chunk_is_one_more_job(repo):
    jobs = plan(repo, "training_set={n_chunks: 3}")
    assert jobs.pop("training_chunk") == 1
    assert set(jobs) == {*BELOW_CHUNKS, "training_set"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "rerun"),
    [
        ("training_set={chunk_size: 400}", {"training_chunk", *BELOW_CHUNKS}),
        ("spectra={burst: released}", {"training_chunk", *BELOW_CHUNKS}),
        ("emulator={n_components: [7, 8]}", BELOW_BASIS),
        ("emulator={n_hidden: 32}", set()),
        ("spectra={engine: emulator}", set()),
        ("spectra={n_pixels: 90}", set()),
        ("runtime={n_threads: 2}", set()),
    ],
)
def test_a_change_reruns_what_depends_on_it(repo, setting, rerun):
    assert set(plan(repo, setting)) - {"training_set"} == rerun


@pytest.mark.slow
def test_touching_reruns_nothing(repo):
    for path in (*repo.rglob("*.py"), *repo.rglob("*.h5"), *repo.rglob("*.smk")):
        path.touch()
    assert plan(repo) == {}


@pytest.mark.slow
def test_a_lost_chunk_comes_back_with_the_same_bytes(repo):
    chunk = repo / "results/emulator/chunks/chunk_2.h5"
    before = chunk.read_bytes()
    chunk.unlink()
    shutil.rmtree(repo / "results/emulator/partial", ignore_errors=True)
    call(repo, "--cores", "1", *SMOKE, "--", "results/emulator/chunks/chunk_2.h5")
    assert chunk.read_bytes() == before


@pytest.mark.slow
def test_networks_learn_from_the_chunks_where_they_shall(repo):
    setting = ("--config", "emulator={source: chunks}")
    emulator = repo / "results/emulator/emulator.pt"
    call(repo, "--cores", "2", *SMOKE, *setting, "--", "results/emulator/emulator.pt")
    index = sha256(repo / "results/emulator/training_set.h5")
    assert {part["chunks_sha256"] for part in load_plain(emulator)["segments"]} == {index}
    more = planned(repo, *SMOKE, *setting[:1], "emulator={source: chunks}",
                   "training_set={n_chunks: 3}", "--", str(emulator.relative_to(repo)))  # fmt: skip
    assert (more["training_chunk"], more["train_segment"]) == (1, 2)
    fresh = planned(repo, *SMOKE, "--", str(emulator.relative_to(repo)))
    assert set(fresh) == {"train_segment", "assemble_emulator"}
