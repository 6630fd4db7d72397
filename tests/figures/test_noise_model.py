"""The figure of the noise: every form, and a check of each band."""

import dataclasses

import numpy as np
import pytest
from reading import texts

from popsed_core.config.noise import NoiseConfig
from popsed_core.figures.registry import render
from popsed_core.surveys.noise_fit import fit_noise


@pytest.mark.parametrize("form", ["snr_given_flux", "log_snr_given_flux"])
def test_noise_figure_shows_every_form(form, artefacts):
    noise = fit_noise(artefacts["catalogue"], NoiseConfig(form, "observed", "positive", n_bins=10))
    figure = render("noise_model", artefacts | {"noise": noise})
    assert any("signal-to-noise" in text for text in texts(figure))


def test_each_band_of_the_noise_figure_is_checked(artefacts):
    catalogue = artefacts["catalogue"]
    for axes in render("noise_model", artefacts).axes:
        (inset,) = axes.child_axes
        assert inset.get_xlabel() == "PIT"
    mag = catalogue.mag + np.array([0, 0, 0, 0, 15.0])  # nothing clear is left in the last band
    faint = dataclasses.replace(catalogue, mag=mag)
    figure = render("noise_model", artefacts | {"catalogue": faint})
    assert [len(axes.child_axes) for axes in figure.axes] == [1, 1, 1, 1, 0]
