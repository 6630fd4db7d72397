"""Training curves: every flow, their median, and a word where there is nothing to draw."""

import numpy as np
import pytest
import synthetic

from popsed_core.figures.training import LABELS, draw


def panel(figure, label):
    (axes,) = (axes for axes in figure.axes if axes.get_ylabel() == label)
    return axes


def test_every_recorded_quantity_has_a_panel_with_its_unit():
    members = synthetic.make_members()
    labels = [axes.get_ylabel() for axes in draw(members=members).axes]
    assert labels == [LABELS[name] for name in LABELS if name in members[0]["history"]]


def test_the_bold_line_is_the_median_of_the_flows():
    members = synthetic.make_members(n_members=3)
    *flows, middle = panel(draw(members=members), LABELS["validation"]).get_lines()
    curves = np.array([line.get_ydata() for line in flows])
    assert len(flows) == 3
    np.testing.assert_array_equal(middle.get_ydata(), np.median(curves, axis=0))
    np.testing.assert_array_equal(curves, [each["history"]["validation"] for each in members])


def test_a_flow_that_stopped_early_ends_the_median_and_not_the_others():
    members = synthetic.make_members(n_members=3, n_epochs=40)
    members[1]["history"] = {name: x[:7] for name, x in members[1]["history"].items()}
    lines = panel(draw(members=members), LABELS["validation"]).get_lines()
    assert [line.get_ydata().size for line in lines] == [40, 7, 40, 7]


@pytest.mark.parametrize(("factor", "scale"), [(8.0, "linear"), (12.0, "log")])
def test_more_than_a_decade_is_logarithmic(factor, scale):
    members = [{"history": {"validation": [factor, 1.0]}}]
    assert panel(draw(members=members), LABELS["validation"]).get_yscale() == scale


def test_flows_that_all_diverged_at_once_are_told():
    figure = draw(members=[{"history": {}}, {"history": {}}])
    assert "every flow diverged" in figure.axes[0].texts[0].get_text()
