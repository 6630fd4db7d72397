"""Columns, tables, selections and figures of samples."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from matplotlib.figure import Figure

import popsed_core as popsed
from popsed_core.api.selection import evaluate


def test_a_column_has_a_value_per_galaxy(samples):
    assert samples["redshift"].shape == (60,)
    assert np.array_equal(samples["redshift"], samples.population.theta[:, :, 0].ravel())
    assert np.array_equal(samples["mag_r"], samples.population.mag[:, :, 2].ravel())
    assert np.unique(samples["member"]).tolist() == [1, 2]


def test_an_unknown_column_lists_the_known(samples):
    with pytest.raises(popsed.InputError, match="no column 'z', expected one of member, redshift"):
        samples["z"]


def test_a_table_has_units_and_descriptions(samples):
    table = samples.to_table()
    assert table.colnames == list(samples.keys())
    assert table["t_burst"].unit == u.Gyr
    assert table["log_stellar_mass"].unit == u.dex(u.Msun)
    assert table["mag_u"].unit == u.ABmag
    assert all(column.description for column in table.itercols())
    assert QTable(table)["t_burst"].to_value(u.Myr) == pytest.approx(1e3 * samples["t_burst"])
    assert table.meta["source"] == "toy"


def test_a_mask_and_its_text_select_the_same(samples):
    near = samples.where(samples["redshift"] < 0.2)
    assert np.array_equal(near["tau_ism"], samples.where("redshift < 0.2")["tau_ism"])
    assert len(near) == (samples["redshift"] < 0.2).sum() < 60
    assert len(near.to_table()) == len(near)


def test_selections_add_up(samples):
    both = (samples["redshift"] < 0.2) & (samples["mag_r"] < 17.5)
    twice = samples.where("redshift < 0.2")
    twice = twice.where(twice["mag_r"] < 17.5)
    assert np.array_equal(twice["redshift"], samples["redshift"][both])
    assert np.array_equal(
        samples.where("redshift < 0.2 and mag_r < 17.5")["redshift"], samples["redshift"][both]
    )


def test_a_text_selects_the_prior_likewise(samples):
    shown = samples.where("redshift < 0.3")._balanced()
    assert 0 < len(shown.prior_theta) < 60
    assert shown.prior_theta[:, 0].max() < 0.3
    assert shown.theta[:, :, 0].max() < 0.3


def test_a_mask_says_nothing_of_the_prior(samples):
    with pytest.raises(popsed.InputError, match="select by a text"):
        samples.where(samples["redshift"] < 0.3).plot()


@pytest.mark.parametrize(
    ("mask", "text"),
    [(np.ones(3, bool), "expected one Boolean for each of 60 rows"), (np.ones(60), "float64")],
)
def test_a_mask_has_a_boolean_per_row(mask, text, samples):
    with pytest.raises(popsed.InputError, match=text):
        samples.where(mask)


def test_nothing_left_is_said(samples):
    with pytest.raises(popsed.InputError, match="holds for none of 60 rows"):
        samples.where("redshift > 19")


X = np.array([-1.0, 0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("x > 0", X > 0),
        ("0 <= x < 2", (X >= 0) & (X < 2)),
        ("not x > 0 or x ** 2 == 4", ~(X > 0) | (X**2 == 4)),
        ("(x > 0) & ~(x > 1)", (X > 0) & ~(X > 1)),
        ("-x / 2 + 1 > 0.5 and x != 0", (-X / 2 + 1 > 0.5) & (X != 0)),
        ("x > -1 and x > 0 and x > 1", X > 1),
    ],
)
def test_conditions_mean_what_they_say(condition, expected):
    assert np.array_equal(evaluate(condition, {"x": X}.__getitem__), expected)


@pytest.mark.parametrize(
    "condition",
    ["__import__('os')", "x.real > 0", "x[0] > 0", "(lambda: x)() > 0", "'a' < x", "x > True",
     "x if x else x", "[x]", "x", "x >", "x in x", "f'{x}'", "x > 1j", ""],
)  # fmt: skip
def test_nothing_else_is_understood(condition):
    with pytest.raises(popsed.InputError, match="condition"):
        evaluate(condition, {"x": X}.__getitem__)


def test_a_figure_is_drawn_on_given_axes(samples, survey):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert samples.plot("redshift_distribution", survey.reference, ax=right) is figure
    assert right.has_data()
    assert not left.has_data()


@pytest.mark.parametrize("kind", ["photometry", "noise_model", "cut_flow", "training", "recovery"])
def test_every_figure_finds_what_it_shows(kind, samples, survey):
    figure = samples.plot(kind, reference=survey.reference)
    assert any(axes.has_data() for axes in figure.axes)
    is_of_toys = kind in ("photometry", "training", "recovery")  # the others show the real table
    assert any("toy" in text.get_text() for text in figure.texts) == is_of_toys


def test_an_unknown_figure_lists_the_known(samples):
    with pytest.raises(popsed.InputError, match="figure 'n_z': unknown; one of population"):
        samples.plot("n_z")


def test_a_summary_is_of_all_draws(samples):
    with pytest.raises(popsed.InputError, match="are a selection"):
        popsed.summary(samples.where("redshift < 0.3"))


def test_a_summary_is_a_mapping_that_reads_as_markdown(samples, survey):
    numbers = popsed.summary(samples, survey)
    assert {"quantities", "comparison", "warnings"} <= set(numbers)
    assert numbers.to_markdown().startswith("#")
