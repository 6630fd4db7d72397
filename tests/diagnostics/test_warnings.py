"""Each warning appears where it should, names what to check, and is absent elsewhere."""

import dataclasses
import json

import numpy as np
import pytest
import synthetic
import torch
from overlays import smoke_with

from popsed_core import cli
from popsed_core.config.base import to_json
from popsed_core.config.noise import NoiseConfig
from popsed_core.config.parameters import ParameterConfig, TruncatedNormal
from popsed_core.diagnostics import warnings
from popsed_core.diagnostics.markdown import as_markdown
from popsed_core.diagnostics.recovery import compare
from popsed_core.diagnostics.summary import summarise
from popsed_core.diagnostics.warnings import warnings_of
from popsed_core.files.artefacts import Provenance, save
from popsed_core.parameters import NAMES
from popsed_core.surveys.band_costs import BandCost
from popsed_core.surveys.catalogue import Reference
from popsed_core.surveys.noise_fit import fit_noise

# by how much the zero points move where Vega magnitudes are read as AB, u g r i z [mag]
VEGA = np.array([-0.91, 0.08, -0.16, -0.37, -0.54])
BOXES = {
    "redshift": ParameterConfig(0.001, 0.8),
    "log_stellar_mass": ParameterConfig(7.0, 13.5),
    **{f"kappa_{k}": ParameterConfig(0.0, 1.0, "flat_simplex") for k in (1, 2, 3)},
    "t_burst": ParameterConfig(0.01, 13.27, "log"),
    "f_burst": ParameterConfig(0.0, 1.0),
    "logzsol": ParameterConfig(-2.6, 0.3),
    "dust_index": ParameterConfig(-3.0, 1.0),
    "tau_bc": ParameterConfig(0.0, 3.0),
    "tau_ism": ParameterConfig(0.0, 3.0, prior=TruncatedNormal("truncated_normal", 0.3, 0.5)),
}


def members(zero_points=(0.0,) * 5, boxes=BOXES, **more):
    """Members as the fit writes them, with these zero points and their scatter."""
    made = synthetic.make_members()
    config = json.dumps({"zero_point_error": 0.05, "f_lost": {"mean": 0.4, "sigma": 0.2}})
    for member in made:
        member["zero_points"] = member["zero_points"] + np.asarray(zero_points)
        member |= {"config": config, "parameters": to_json(boxes), **more}
    return made


def told(samples, observed, members, **catalogue):
    found, reference = observed
    found = dataclasses.replace(found, **catalogue)
    return warnings_of(samples, found, reference, members, compare(samples, reference))


def changed(samples, name, change):
    """Samples with another column of the fit."""
    theta = samples.theta.copy()
    column = samples.names.index(name)
    theta[:, :, column] = change(theta[:, :, column])
    return dataclasses.replace(samples, theta=theta)


def test_a_sound_result_has_no_warnings(samples, observed):
    assert told(samples, observed, members()) == []


def test_members_that_say_nothing_of_their_fit_are_borne(samples, observed):
    assert told(samples, observed, synthetic.make_members()) == []


def test_vega_magnitudes_read_as_ab_are_told_by_their_zero_points(samples, observed):
    found = told(samples, observed, members(0.25 * (VEGA - VEGA.mean())))
    assert [text.split(":")[0] for text in found] == ["zero point of u", "zero point of g"]
    assert "-0.13" in found[0]
    assert "width of its prior (0.05 mag); are the magnitudes AB" in found[0]


def test_a_zero_point_within_its_prior_is_not_told(samples, observed):
    assert told(samples, observed, members((0.08, -0.08, 0.0, 0.0, 0.0))) == []


@pytest.mark.parametrize(("f_lost", "n_told"), [(None, 0), (0.4, 0), (0.75, 0), (0.96, 1)])
def test_f_lost_is_told_beyond_twice_its_priors_width(samples, observed, f_lost, n_told):
    found = told(samples, observed, members(f_lost=f_lost))
    assert len(found) == n_told
    assert all(text.startswith("f_lost: 0.96 is 2.8 times") for text in found)


def test_too_small_a_redshift_box_is_told_twice(samples, observed):
    """Reference values beyond it are counted, and draws that pile up at its end."""
    box = BOXES | {"redshift": ParameterConfig(0.001, 0.15)}
    squeezed = changed(samples, "redshift", lambda z: np.minimum(z, 0.1499))
    prior = squeezed.prior_theta.copy()
    prior[:, 0] = 0.15 * np.random.default_rng(1).random(len(prior)) ** (1 / 3)
    squeezed = dataclasses.replace(squeezed, prior_theta=prior)
    found = told(squeezed, observed, members(boxes=box))
    known = observed[1].column("redshift")
    share = f"redshift: {(known > 0.15).mean():.1%} of the known values lie beyond"
    assert found[0].startswith(share)
    assert "(0.001 to 0.15)" in found[0]
    assert found[1].startswith("redshift: ")
    assert "at the border 0.15 of its range" in found[1]


@pytest.mark.parametrize("name", NAMES)
def test_draws_of_the_prior_itself_never_pile_up(samples, name):
    """Not where it piles up by construction: f_burst at 0, kappa at 1, tau at 0."""
    random = np.random.default_rng(3)
    n = len(samples.prior_theta)
    piled = {
        "f_burst": np.abs(random.normal(0, 0.02, n)),
        "kappa_1": 1 - np.abs(random.normal(0, 0.01, n)),
        "tau_ism": np.abs(random.normal(0, 0.02, n)),
    }
    prior = samples.prior_theta.copy()
    for column, values in piled.items():
        prior[:, samples.names.index(column)] = values
    theta = prior[random.integers(n, size=samples.theta.shape[:2])]
    alike = dataclasses.replace(samples, prior_theta=prior, theta=theta)
    assert warnings.border_warnings({name: BOXES[name]}, alike) == []


@pytest.mark.parametrize(("name", "end"), [("logzsol", 0.3), ("tau_bc", 0.0), ("t_burst", 0.01)])
def test_draws_that_pile_up_beyond_their_prior_are_told(samples, name, end):
    def piled(values):
        values = values.copy()
        values[:, ::10] = end
        return values

    (text,) = warnings.border_warnings(BOXES, changed(samples, name, piled))
    assert text.startswith(f"{name}: 1")
    assert f"at the border {end:g} of its range; widen parameters.{name}" in text


def test_a_few_draws_at_a_border_are_chance(samples):
    few = dataclasses.replace(
        samples, theta=samples.theta[:, :60], derived=samples.derived[:, :60],
        mag=samples.mag[:, :60],
    )  # fmt: skip
    theta = few.theta.copy()
    theta[:, 0, few.names.index("logzsol")] = 0.3  # 3 of 180
    assert warnings.border_warnings(BOXES, dataclasses.replace(few, theta=theta)) == []


def test_a_band_that_costs_many_rows_is_named(samples, observed):
    costs = (BandCost("u", 1000, 650, 550), BandCost("g", 1000, 150, 0))
    (text,) = told(samples, observed, members(), band_costs=costs)
    assert text.startswith("band u: 65% of the 1,000 rows within the other cuts are lost for it")
    assert "55% for it alone" in text


def test_notes_of_the_catalogue_come_first(samples, observed):
    note = "bands g r: no Galactic extinction is subtracted, but the table has A_g"
    found = told(samples, observed, members((0.2, 0, 0, 0, 0)), notes=(note,))
    assert found[0] == note
    assert len(found) == 2


def test_one_flow_has_no_interval(observed):
    found = told(synthetic.make_samples(n_members=1), observed, members()[:1])
    assert found == [text for text in found if text.startswith("one flow: ")]
    assert len(found) == 1


def test_a_fit_no_better_than_its_prior_says_so_in_one_line(samples, observed):
    _, reference = observed
    n = len(samples.names)
    truth = reference.values[:600].astype(np.float32)
    knowing = dataclasses.replace(
        samples, prior_theta=truth[:, :n], prior_derived=truth[:, n:], prior_mag=samples.mag[0]
    )
    found = [text for text in told(knowing, observed, members()) if "its prior against" in text]
    (text,) = found
    assert text.count("prior W1") <= warnings.MAX_NAMED
    row = {row.name: row for row in compare(knowing, reference)}["redshift"]
    assert text.startswith("not better than its prior against the truth: redshift (prior W1 ")
    assert f"fit {row.w1:.3g}" in text


def test_twins_that_disagree_are_told_and_others_not_compared(samples):
    shifts = np.array([0.0, 0.02, 0.03])[:, None]
    theta = samples.theta.copy()
    theta[:, :, 0] = samples.theta[0, :, 0] + shifts
    moved = dataclasses.replace(samples, theta=theta)
    assert warnings.twin_warnings(moved, members()) == []
    twins = [member | {"data": data} for member, data in zip(members(), "aab", strict=True)]
    (text,) = warnings.twin_warnings(moved, twins)
    assert "differ by 0.0200 in median redshift" in text
    theta[1, :, 0] = theta[0, :, 0] + 0.001
    assert warnings.twin_warnings(dataclasses.replace(samples, theta=theta), twins) == []


def test_a_known_value_or_two_beyond_the_range_is_a_blunder_and_not_told():
    known = np.full((3000, 1), 0.1)
    known[:2] = 2.0
    reference = Reference(known, ("redshift",))
    assert warnings.range_warnings(BOXES, reference) == []
    known[:30] = 2.0
    (text,) = warnings.range_warnings(BOXES, reference)
    assert text.startswith("redshift: 1.0% of the known values")
    assert warnings.range_warnings(BOXES, None) == []


@pytest.fixture
def summary(samples, observed):
    return summarise(samples, *observed, members((0.2, 0, 0, 0, 0)), seed=0)


def test_the_summary_and_its_page_have_the_warnings(summary):
    (text,) = summary["warnings"]
    head = as_markdown(summary).split("\n\n## ")[0]
    assert f"**WARN {text}**" in head.splitlines()


def test_the_objective_is_held_to_its_floor_where_it_is_known(samples, observed, summary):
    assert summary["fit"]["objective"] is None
    told = members(objective={"value": 0.0042, "floor": 0.002})
    again = summarise(samples, *observed, told, seed=0)
    assert again["fit"]["objective"]["ratio"] == pytest.approx(2.1)
    assert "objective: 2.1 times its expected floor" in as_markdown(again)
    in_history = members()
    for member in in_history:
        member["history"]["objective"] = {"value": 0.004, "floor": 0.002}
    again = summarise(samples, *observed, in_history, seed=0)
    assert again["fit"]["objective"]["ratio"] == pytest.approx(2)


def test_the_command_ends_with_a_line_per_warning(samples, observed, tmp_path, capsys):
    catalogue, reference = observed
    artefacts = {
        "samples": samples,
        "catalogue": catalogue,
        "reference": reference,
        "noise": fit_noise(catalogue, NoiseConfig(n_bins=10)),
    }
    words = ["products", "summary", *smoke_with()]
    for name, artefact in artefacts.items():
        save(artefact, tmp_path / f"{name}.h5", Provenance("mock"))
        words += [f"--{name}", tmp_path / f"{name}.h5"]
    for name, end in (("json", "json"), ("markdown", "md"), ("diagnostics", "csv")):
        words += [f"--{name}", tmp_path / f"{name}.{end}"]
    (tmp_path / "cost.json").write_text('{"seconds": 1.0, "peak_memory_mb": 2.0}')
    words += ["--redshift", tmp_path / "z.csv", "--costs", tmp_path / "cost.json", "--members"]
    for number, member in enumerate(members((0.2, 0, 0, 0, 0)), start=1):
        rest = {"survey": "mock", "member": number, "seed": 0, "spectra": "{}", "flow": {}}
        plain = member | rest | {"zero_points": torch.as_tensor(member["zero_points"])}
        torch.save(plain, tmp_path / f"member_{number}.pt")
        words.append(tmp_path / f"member_{number}.pt")
    assert cli.main([str(word) for word in words]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    written = json.loads((tmp_path / "json.json").read_text())["warnings"]
    assert [line] == [f"WARN {text}" for text in written]
    assert line.startswith("WARN zero point of u: +0.")


def test_what_the_cuts_removed_is_said(samples, observed):
    removed = dataclasses.replace(samples, removed=(0.02, 0.036, 0.0))
    text = as_markdown(summarise(removed, *observed, members(), seed=0))
    assert "up to 3.6% of those of a flow did not" in text


def test_a_band_in_which_dust_shines_is_named(samples, observed):
    filters = (*observed[0].filters[:4], "wise2010-W1")
    (line,) = [x for x in told(samples, observed, members(), filters=filters) if "micron" in x]
    assert line.startswith("filter wise2010-W1: below redshift 0.35")
