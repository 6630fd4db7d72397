"""Predicted against observed colours: what the magnitudes' common brightness hides."""

import numpy as np
from matplotlib.figure import Figure

from popsed_core.figures import style
from popsed_core.figures.canvas import Canvas
from popsed_core.figures.corner import Column, corner
from popsed_core.figures.photometry import NAMES
from popsed_core.inference.samples import PopulationSamples
from popsed_core.surveys.catalogue import Catalogue


@style.styled
def draw(*, samples: PopulationSamples, catalogue: Catalogue, on: Canvas = None) -> Figure:
    """Draw the middle band's magnitude and the colours of neighbouring bands.

    Args:
        samples: draws of the ensemble, with noise.
        catalogue: what was observed.
        on: what to draw on; None: a new figure.
    """
    bands = samples.bands
    middle = len(bands) // 2
    mag = samples.mag.astype(np.float64)
    columns = [Column(f"${bands[middle]}$ [mag]", mag[..., middle], catalogue.mag[:, middle])]
    for i in range(len(bands) - 1):
        label = f"${bands[i]} - {bands[i + 1]}$ [mag]"
        observed = catalogue.mag[:, i] - catalogue.mag[:, i + 1]
        columns.append(Column(label, mag[..., i] - mag[..., i + 1], observed))
    return corner(columns, width=style.PAGE_WIDTH, names=NAMES, on=on)
