"""`popsed fit member` with several members: a file and a cost for each, readable as any other."""

import json

import numpy as np
import pytest
import torch
from overlays import overlay
from toy_world import FIT, PARAMETERS, TOY, make_survey, make_task

from popsed_core import cli
from popsed_core.files.artefacts import Provenance, save
from popsed_core.inference.ensemble import load_member


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The inputs of a fit, and members 1 and 3, trained by one command."""
    folder, survey, task = tmp_path_factory.mktemp("fits"), make_survey(), make_task()
    artefacts = {"ssp": survey.grid, "catalogue": survey.catalogue, "noise": survey.noise}
    for name, artefact in artefacts.items():
        save(artefact, folder / f"{name}.h5", Provenance("toy"))
    words = [word for name in artefacts for word in (f"--{name}", folder / f"{name}.h5")]
    config = overlay(
        fit=FIT, spectra=task.spectra, parameters=PARAMETERS, seed=task.seed, surveys={"toy": TOY}
    )
    words += ["--config", config, "--survey", "toy", "--device", "cpu"]
    words += ["--checkpoint", folder / "checkpoint.pt", "--member", 1, 3]
    words += ["--cost", folder / "1.json", "--cost", folder / "3.json"]
    outputs = [folder / "1.pt", folder / "3.pt"]
    assert cli.main([str(word) for word in ("fit", "member", *words, *outputs)]) == 0
    return folder


def test_each_member_has_a_file_of_its_own(folder):
    members = [load_member(folder / f"{number}.pt") for number in (1, 3)]
    assert [member["member"] for member in members] == [1, 3]
    first, third = (member["flow"] for member in members)
    assert not all(torch.equal(first[name], third[name]) for name in first)
    assert all(np.isfinite(member["history"]["validation"]).all() for member in members)


def test_each_member_has_its_share_of_the_cost(folder):
    first, third = (json.loads((folder / f"{number}.json").read_text()) for number in (1, 3))
    assert first == third
    assert first["seconds"] > 0


def test_the_checkpoint_goes_when_all_are_trained(folder):
    assert not (folder / "checkpoint.pt").exists()
