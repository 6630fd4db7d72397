"""Figures of a survey drawn on what the user gives, in the user's own style."""

import dataclasses

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from popsed_core.errors import InputError
from popsed_core.figures.names import FIGURES
from popsed_core.figures.registry import draw_for_user, render

ONE_PANEL = ("cut_flow", "recovery", "redshift_distribution", "star_forming_sequence")
SEVERAL = {"population": (5, 5), "training": (2, 3), "noise_model": (2, 3)}


def labels(axes):
    return [axes.get_xlabel(), axes.get_ylabel(), len(axes.lines), len(axes.patches)]


@pytest.mark.parametrize("name", ONE_PANEL)
def test_a_figure_of_one_panel_is_the_same_on_axes_of_the_user(name, artefacts):
    figure = Figure(layout="constrained")
    first, second = figure.subplots(1, 2)
    assert draw_for_user(name, artefacts, second) is figure
    assert not first.has_data()
    assert labels(second) == labels(render(name, artefacts).axes[0])


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_fills_a_subfigure_and_leaves_the_other(name, artefacts):
    figure = Figure(figsize=(14, 7), layout="constrained")
    left, right = figure.subfigures(1, 2)
    draw_for_user(name, artefacts, right)
    assert not left.axes
    assert len(right.axes) == len(render(name, artefacts).axes)
    figure.draw_without_rendering()


@pytest.mark.parametrize("name", SEVERAL)
def test_a_figure_of_several_panels_fills_an_array_of_axes(name, artefacts):
    shape = SEVERAL[name]
    figure = Figure(figsize=(9, 9), layout="constrained")
    axes = figure.subplots(*shape)
    draw_for_user(name, artefacts, axes)
    drawn = [panel for panel in axes.flat if panel.has_data()]
    own = [panel for panel in render(name, artefacts).axes if panel.has_data()]
    assert len(drawn) == len([panel for panel in own if panel.get_subplotspec()])
    figure.draw_without_rendering()


@pytest.mark.parametrize("name", SEVERAL)
def test_one_axes_is_too_few_for_several_panels(name, artefacts):
    with pytest.raises(InputError, match="expected a figure, a subfigure or an array of"):
        draw_for_user(name, artefacts, Figure().subplots())


@pytest.mark.parametrize("name", ONE_PANEL)
def test_several_axes_are_too_many_for_one_panel(name, artefacts):
    with pytest.raises(InputError, match="this figure has one panel"):
        draw_for_user(name, artefacts, Figure().subplots(1, 2))


def test_what_the_user_sets_wins_over_the_house_style(artefacts):
    with mpl.rc_context({"axes.labelsize": 17.0}):
        mine = draw_for_user("cut_flow", artefacts).axes[0]
        written = render("cut_flow", artefacts).axes[0]
    assert mine.xaxis.label.get_size() == 17.0
    assert written.xaxis.label.get_size() == 9.5
    assert mine.get_xticklabels()[0].get_fontsize() == 8  # the house's, which nobody changed


def test_a_figure_leaves_the_users_settings_as_they_were(artefacts):
    before = dict(mpl.rcParams)
    draw_for_user("population", artefacts)
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("source", ["toy", "mock", "real"])
def test_a_figure_on_the_users_axes_says_where_its_data_come_from(source, artefacts):
    samples = dataclasses.replace(artefacts["samples"], source=source)
    axes = Figure().subplots()
    draw_for_user("star_forming_sequence", {"samples": samples}, axes)
    marks = [text.get_text() for text in axes.texts if text.get_gid() == "watermark"]
    assert marks == {"toy": ["toy spectra: not for science"], "mock": ["mock"], "real": []}[source]


def test_the_panels_of_the_upper_triangle_stay_the_users(artefacts):
    axes = Figure().subplots(5, 5)
    draw_for_user("population", artefacts, axes)
    upper = axes[np.triu_indices(5, 1)]
    assert not any(panel.axison for panel in upper)
