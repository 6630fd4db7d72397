"""Predicted against observed magnitudes (the paper's figures 2 and 3, right)."""

import numpy as np
from matplotlib.figure import Figure

from popsed_core.figures import style
from popsed_core.figures.canvas import Canvas
from popsed_core.figures.corner import Column, corner
from popsed_core.inference.samples import PopulationSamples
from popsed_core.surveys.catalogue import Catalogue

NAMES = ("predicted photometry", "observed photometry")


@style.styled
def draw(*, samples: PopulationSamples, catalogue: Catalogue, on: Canvas = None) -> Figure:
    """Draw the magnitudes in every band as a corner plot.

    Args:
        samples: draws of the ensemble, with noise.
        catalogue: what was observed.
        on: what to draw on; None: a new figure.
    """
    columns = [
        Column(f"${band}$ [mag]", samples.mag[..., i].astype(np.float64), catalogue.mag[:, i])
        for i, band in enumerate(samples.bands)
    ]
    return corner(columns, width=style.PAGE_WIDTH, names=NAMES, on=on)
