import dataclasses

import pytest
import synthetic
from reading import texts

from popsed_core.diagnostics.recovery import compare
from popsed_core.figures.registry import render


@pytest.mark.parametrize("name", ["population", "redshift_distribution", "recovery"])
def test_figure_does_without_a_reference(name, artefacts):
    figure = render(name, artefacts | {"reference": None})
    assert not any("truth" in text for text in texts(figure))


@pytest.mark.parametrize("name", ["population", "redshift_distribution", "recovery"])
def test_figure_shows_redshifts_alone(name, artefacts):
    _, spectroscopy = synthetic.make_observed(kind="spectroscopy")
    figure = render(name, artefacts | {"reference": spectroscopy})
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    names = [text.get_text() for legend in legends if legend for text in legend.get_texts()]
    assert any("spectroscopic survey" in name for name in names)


def legend_of(figure):
    """The lines above a legend's entries."""
    return figure.axes[0].get_legend().get_title().get_text().splitlines()


def test_n_of_z_has_each_number_beside_its_priors(artefacts):
    row = next(
        row
        for row in compare(artefacts["samples"], artefacts["reference"])
        if row.name == "redshift"
    )
    lines = legend_of(render("redshift_distribution", artefacts))
    assert lines[0] == f"$W_1$ = {row.w1:.4f} (prior {row.prior.w1:.4f})"
    assert lines[-1] == "narrower than its prior"
    assert "not better than its prior" not in lines
    samples = artefacts["samples"]
    swapped = dataclasses.replace(
        samples,
        theta=samples.prior_theta[None],
        derived=samples.prior_derived[None],
        mag=samples.prior_mag[None],
        prior_theta=samples.theta[0],
        prior_derived=samples.derived[0],
        prior_mag=samples.mag[0],
    )
    lines = legend_of(render("redshift_distribution", artefacts | {"samples": swapped}))
    assert lines[-2:] == ["not better than its prior", "wider than its prior"]


@pytest.mark.parametrize("name", ["redshift_distribution", "population"])
def test_known_redshifts_beyond_the_draws_are_shown(name, artefacts):
    _, known = synthetic.make_observed(kind="spectroscopy")
    values = known.values.copy()
    values[:100] = 1.5
    far = dataclasses.replace(known, values=values)
    figure = render(name, artefacts | {"reference": far})
    label = "redshift $z$" if name == "redshift_distribution" else "$z$"
    axes = next(axes for axes in figure.axes if axes.get_xlabel() == label)
    assert axes.get_xlim()[1] >= 1.5


def test_the_population_says_how_wide_it_is_against_its_prior(artefacts):
    said = [text for text in texts(render("population", artefacts)) if "its prior" in text]
    assert len(said) == 5
    assert any(text.startswith("narrower than its prior") for text in said)


def test_recovery_has_a_strip_and_a_number_per_quantity(artefacts):
    reference, samples = artefacts["reference"], artefacts["samples"]
    (axes,) = render("recovery", artefacts).axes
    assert len(axes.get_yticks()) == len(reference.names)
    hatched = [strip for strip in axes.collections if strip.get_hatch()]
    assert 0 < len(hatched) < len(samples.names)


def test_cut_flow_says_what_each_cut_takes(artefacts):
    assert "1,551  (−100)" in texts(render("cut_flow", artefacts))


def test_no_nearby_draws_is_said(artefacts):
    samples = artefacts["samples"]
    theta = samples.theta.copy()
    theta[:, :, 0] += 0.2
    far = dataclasses.replace(samples, theta=theta)
    assert any(
        "no draws" in text for text in texts(render("star_forming_sequence", {"samples": far}))
    )
