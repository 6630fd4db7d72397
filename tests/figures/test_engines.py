"""Two fits of one survey, overlaid: every quantity, the shift that was put in, what is known."""

import dataclasses

import pytest
import synthetic
from reading import texts

from popsed_core.diagnostics.columns import COLUMNS, all_names
from popsed_core.figures.engines import draw

SAMPLES = synthetic.make_samples()


def test_every_quantity_has_a_panel():
    figure = draw(exact=SAMPLES, emulated=SAMPLES)
    labels = [axes.get_xlabel() for axes in figure.axes]
    assert labels == [COLUMNS[name].label for name in all_names(SAMPLES)]
    assert all("shift +0.0000" in axes.texts[0].get_text() for axes in figure.axes)


@pytest.mark.parametrize(("shift", "said"), [(0.05, "+0.0500"), (-0.05, "\N{MINUS SIGN}0.0500")])
def test_the_shift_is_emulated_minus_exact(shift, said):
    theta = SAMPLES.theta.copy()
    theta[..., SAMPLES.names.index("logzsol")] += shift
    figure = draw(exact=SAMPLES, emulated=dataclasses.replace(SAMPLES, theta=theta))
    moved = [text for text in texts(figure) if text.startswith("shift") and "0.0000" not in text]
    assert len(moved) == 1
    assert moved[0].startswith(f"shift {said}")


def test_what_is_known_is_shown_where_it_is_and_counted_in_the_legend():
    _, spectroscopy = synthetic.make_observed(kind="spectroscopy")
    figure = draw(exact=SAMPLES, emulated=SAMPLES, reference=spectroscopy)
    filled = [axes for axes in figure.axes if any(patch.get_fill() for patch in axes.patches)]
    assert [axes.get_xlabel() for axes in filled] == [COLUMNS["redshift"].label]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[:2] == ["exact spectra", "emulated spectra"]
    assert len(names) == 3


def test_a_quantity_that_is_constant_still_draws():
    theta = SAMPLES.theta.copy()
    theta[..., 5] = 3.0
    same = dataclasses.replace(SAMPLES, theta=theta)
    figure = draw(exact=same, emulated=same)
    assert "nan" in figure.axes[5].texts[0].get_text()
