"""Members that diverged or ended elsewhere are excluded by a stated criterion and reported."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_world import FIT, make_survey, make_task

from popsed_core.config.products import ProductsConfig
from popsed_core.diagnostics.markdown import as_markdown
from popsed_core.diagnostics.summary import summarise
from popsed_core.errors import InputError
from popsed_core.figures.training import draw
from popsed_core.files.artefacts import Provenance, load, save
from popsed_core.inference import fit
from popsed_core.inference.ensemble import sample_ensemble
from popsed_core.inference.fit import fit_member
from popsed_core.inference.member_quality import exclusion_reasons
from popsed_core.inference.samples import PopulationSamples

PRODUCTS = ProductsConfig(n_draws=100, n_table=50)
SHORT = replace(FIT, n_epochs=1)


def member(number, validation, failure=""):
    return {"member": number, "history": {"validation": [9.0, validation]}, "failure": failure}


def test_members_like_the_others_all_count():
    assert exclusion_reasons([member(k, 0.1 * k) for k in (1, 2, 3)], 3.0) == {}


def test_a_member_that_ended_elsewhere_is_told_with_both_numbers():
    members = [member(1, 0.1), member(2, 0.12), member(3, 0.11), member(4, 0.5)]
    (told,) = exclusion_reasons(members, 3.0).items()
    assert told == (
        4, "its validation distance, 0.5, is more than 3 times the median of the members, 0.115",
    )  # fmt: skip
    assert exclusion_reasons(members, 5.0) == {}


def test_a_diverged_member_does_not_move_the_median():
    members = [member(1, 0.1), member(2, 0.25), {**member(3, 1.0, "diverged"), "history": {}}]
    assert exclusion_reasons(members, 1.5) == {3: "diverged"}


def test_an_ensemble_of_which_nothing_is_left_is_an_error_with_all_reasons():
    members = [member(k, 1.0, f"diverged in epoch {k}") for k in (1, 2)]
    with pytest.raises(InputError, match=r"member 1: diverged in epoch 1; member 2: .* epoch 2"):
        exclusion_reasons(members, 3.0)


@pytest.fixture(scope="module")
def survey():
    return make_survey(400)


@pytest.fixture(scope="module")
def members(survey):
    """Two good members, and one whose fluxes become NaN."""
    good = [fit_member(make_task(k, SHORT), survey)[0] for k in (1, 2)]
    with pytest.MonkeyPatch.context() as patch:
        healthy = fit.build_forward

        def poisoned(*arguments):
            model = healthy(*arguments)
            model.photometry.register_forward_hook(lambda module, inputs, flux: flux * torch.nan)
            return model

        patch.setattr(fit, "build_forward", poisoned)
        bad, cost = fit_member(make_task(3, SHORT), survey)
    assert cost["seconds"] > 0
    return [*good, bad]


def test_a_diverged_fit_is_a_member_that_says_why(members):
    assert [bool(item["failure"]) for item in members] == [False, False, True]
    assert members[2]["failure"].startswith("fit diverged in epoch 1, step 1: loss nan")


def test_the_ensemble_does_without_it_and_says_so(survey, members, caplog, tmp_path):
    samples = sample_ensemble(make_task(), PRODUCTS, survey, members)
    assert samples.members == (1, 2)
    assert samples.left_out == (f"member 3: {members[2]['failure']}",)
    assert "member 3 is excluded: fit diverged" in caplog.text
    alone = sample_ensemble(make_task(), PRODUCTS, survey, members[:2])
    assert np.array_equal(samples.theta, alone.theta)
    save(samples, tmp_path / "samples.h5", Provenance())
    again = load(tmp_path / "samples.h5", PopulationSamples)
    assert (again.members, again.left_out) == (samples.members, samples.left_out)


def test_the_summary_lists_it_and_its_zero_points_do_not_count(survey, members):
    samples = sample_ensemble(make_task(), PRODUCTS, survey, members)
    shifted = [*members[:2], {**members[2], "zero_points": torch.full((5,), 99.0)}]
    summary = summarise(samples, survey.catalogue, None, shifted, 1)
    assert summary["left_out"] == list(samples.left_out)
    assert all(abs(row["mean"]) < 1 for row in summary["zero_points"].values())
    assert f"**Left out:** {samples.left_out[0]}." in as_markdown(summary)


def test_curves_are_drawn_without_it(members):
    assert len(draw(members=members).axes) == len(draw(members=members[:2]).axes)
    assert draw(members=members[2:]).axes[0].texts
