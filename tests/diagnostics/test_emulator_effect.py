"""Two fits of one survey: the shifts are those put in, and the verdict follows from them."""

import csv
import io
import json
from dataclasses import replace

import pytest
import synthetic

from popsed_core import cli
from popsed_core.diagnostics.emulator_effect import compare_engines, engines_csv, engines_markdown
from popsed_core.errors import InputError
from popsed_core.files.artefacts import Provenance, save


@pytest.fixture(scope="module")
def samples():
    return synthetic.make_samples()


def moved(samples, name, shift):
    theta = samples.theta.copy()
    theta[..., samples.names.index(name)] += shift
    return replace(samples, theta=theta)


def rows(numbers):
    return {row["name"]: row for row in numbers["quantities"]}


def test_a_fit_differs_from_itself_in_nothing(samples):
    numbers = compare_engines(samples, samples, None)
    assert all(row["mean_shift"] == row["w1"] == 0 for row in numbers["quantities"])
    assert all(row["width_ratio"] == 1 for row in numbers["quantities"])
    assert numbers["verdict"]["is_good_enough"]


def test_shifts_are_emulated_minus_exact_and_w1_is_their_size(samples):
    row = rows(compare_engines(samples, moved(samples, "logzsol", -0.05), None))["logzsol"]
    assert row["mean_shift"] == pytest.approx(-0.05, abs=1e-4)
    assert row["w1"] == pytest.approx(0.05, abs=1e-4)
    assert row["chance"] > 0


@pytest.mark.parametrize(
    ("name", "shift", "is_good"),
    [
        ("redshift", 0.0015, True),
        ("redshift", -0.004, False),
        ("log_stellar_mass", -0.015, True),
        ("log_stellar_mass", 0.03, False),
    ],
)
def test_the_verdict_follows_redshift_and_mass(samples, name, shift, is_good):
    numbers = compare_engines(samples, moved(samples, name, shift), None)
    assert numbers["verdict"]["is_good_enough"] is is_good
    text = engines_markdown(numbers)
    assert ("NOT good enough" in text) is not is_good


def test_the_reference_is_compared_with_both(samples):
    _, truth = synthetic.make_observed()
    numbers = compare_engines(samples, moved(samples, "redshift", 0.5), truth)
    row = rows(numbers)["redshift"]
    assert row["w1_exact_reference"] < 0.1 < 0.4 < row["w1_emulated_reference"]
    table = list(csv.DictReader(io.StringIO(engines_csv(numbers))))
    assert [line["name"] for line in table] == list(rows(numbers))


def test_samples_of_other_columns_are_refused(samples):
    other = replace(samples, derived=samples.derived[..., :2], derived_names=("a", "b"),
                    prior_derived=samples.prior_derived[:, :2])  # fmt: skip
    with pytest.raises(InputError, match="different columns"):
        compare_engines(samples, other, None)


def test_the_command_writes_numbers_and_the_figure(samples, tmp_path):
    exact, emulated = tmp_path / "exact.h5", tmp_path / "emulated.h5"
    save(samples, exact, Provenance("mock"))
    save(moved(samples, "redshift", 0.01), emulated, Provenance("mock"))
    given = ["--exact", exact, "--emulated", emulated]
    words = ["emulator", "compare", *given]
    for name in ("csv", "json", "markdown"):
        words += [f"--{name}", tmp_path / f"engines.{name}"]
    assert cli.main([str(word) for word in words]) == 0
    assert not json.loads((tmp_path / "engines.json").read_text())["verdict"]["is_good_enough"]
    words = ["figure", "engines", tmp_path / "engines.pdf", *given]
    assert cli.main([str(word) for word in words]) == 0
