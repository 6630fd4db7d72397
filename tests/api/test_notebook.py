"""The ten lines of a notebook, in an empty folder."""

import logging
import re

import numpy as np
import pytest

import popsed_core as popsed
from popsed_core.files.artefacts import sha256


def test_the_ten_lines_run_in_an_empty_folder(mine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = popsed.load_config(mine)
    survey = popsed.read_survey(config)
    fit = popsed.fit(survey, n_members=2)
    samples = fit.sample(60)
    near = samples.where(samples["redshift"] < 0.2)
    density = fit.log_prob(samples.to_table())
    numbers = popsed.summary(samples, survey)
    figure = samples.plot("population", reference=survey.reference)
    seen = popsed.predict(samples, filters=["sdss2010-*"])
    fit.save("mine.popsed")
    again = popsed.load("mine.popsed")

    assert len(samples) == 60
    assert 0 < len(near) < 60
    assert np.isfinite(density).all()
    assert numbers["sizes"]["catalogue"] == len(survey.catalogue.mag)
    assert len(figure.axes) == 15
    assert seen.mag.shape == (60, 5)
    assert np.array_equal(again.log_prob(samples), density)
    (folder,) = (tmp_path / "popsed_fits").iterdir()
    assert re.fullmatch(r"toy_survey_[0-9a-f]{12}", folder.name)


def test_a_second_fit_reads_what_is_finished(survey, fit, empty, caplog):
    paths = sorted((empty / "fit").glob("member_*.pt"))
    before = {path: (sha256(path), path.stat().st_mtime_ns) for path in paths}
    with caplog.at_level(logging.INFO):
        popsed.fit(survey, folder=empty / "fit")
    assert {path: (sha256(path), path.stat().st_mtime_ns) for path in paths} == before
    assert not [record for record in caplog.records if "epoch" in record.getMessage()]


def test_a_fit_that_was_stopped_goes_on_to_the_same_bytes(survey, fit, empty, monkeypatch):
    from popsed_core.inference import fit as module
    from popsed_core.running import loop

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    whole, n_done = module.FlowFit.epoch, []

    def stopped(job, index):
        if len(n_done) == 2:
            raise KeyboardInterrupt
        n_done.append(index)
        return whole(job, index)

    monkeypatch.setattr(module.FlowFit, "epoch", stopped)
    folder = empty / "stopped"
    with pytest.raises(KeyboardInterrupt):
        popsed.fit(survey, folder=folder)
    assert list(folder.glob("checkpoint_*.pt"))
    indices = []
    monkeypatch.setattr(
        module.FlowFit, "epoch", lambda job, index: (indices.append(index), whole(job, index))[1]
    )
    again = popsed.fit(survey, folder=folder)
    assert indices == [2, 0, 1, 2]  # the first member's last epoch, then all of the second
    for old, new in zip(fit.members, again.members, strict=True):
        assert all(np.array_equal(old["flow"][name], new["flow"][name]) for name in old["flow"])
        assert old["history"] == new["history"]
    assert not list(folder.glob("checkpoint_*.pt"))


def test_members_of_another_fit_are_not_replaced(survey, config, mine, fit, empty):
    other = popsed.load_config(mine, _overlay(empty, "seed: 1\n"))
    with pytest.raises(popsed.InputError, match=r"member_1\.pt: was trained from other data"):
        popsed.fit(popsed.read_survey(other), folder=empty / "fit")


def _overlay(folder, text):
    path = folder / "overlay.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("n_members", [0, -1])
def test_a_fit_has_one_member_at_least(survey, n_members):
    with pytest.raises(popsed.InputError, match="expected 1 or more flows"):
        popsed.fit(survey, n_members=n_members)


def test_the_process_gets_its_own_settings_back(survey, empty):
    import torch

    torch.set_num_threads(2)
    popsed.fit(survey, folder=empty / "fit")
    assert torch.get_num_threads() == 2
    assert torch.tensor(1e-310, dtype=torch.float64) * 1.0 > 0
