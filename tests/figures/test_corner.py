"""Corner plots: contours that enclose what they say, panels that the prior rules."""

import numpy as np
import pytest

from popsed_core.figures.corner import LEVELS, Column, corner, enclosing_levels
from popsed_core.figures.registry import render


def test_prior_dominated_panels_are_marked(artefacts):
    marked = [
        axes
        for axes in render("corner_full", artefacts).axes
        if "prior-dominated" in [text.get_text() for text in axes.texts]
    ]
    flat = ("dust_index", "tau_bc", "kappa_1", "kappa_2", "kappa_3", "t_burst", "f_burst")
    assert len(marked) == len(flat)


def test_contours_enclose_their_shares():
    random = np.random.default_rng(0)
    image = np.histogram2d(*random.normal(size=(2, 20000)), bins=30)[0]
    for level, share in zip(enclosing_levels(image), LEVELS, strict=True):
        assert image[image >= level].sum() / image.sum() == pytest.approx(share, abs=0.02)


def test_a_constant_column_still_draws():
    random = np.random.default_rng(0)
    columns = [Column("a", np.full((2, 50), 3.0)), Column("b", random.normal(size=(2, 50)))]
    assert len(corner(columns, width=3.0, names=("a", "b")).axes) == 3
