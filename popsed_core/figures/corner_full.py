"""The inferred population in all eleven parameters (the paper's figures 6 and 7)."""

from matplotlib.figure import Figure

from popsed_core.figures import style
from popsed_core.figures.canvas import Canvas
from popsed_core.figures.columns import known_name, parameter_column
from popsed_core.figures.corner import corner
from popsed_core.inference.samples import PopulationSamples
from popsed_core.surveys.catalogue import Reference

WIDTH = 10.5  # [inch] eleven panels need more than a page's columns


@style.styled
def draw(
    *, samples: PopulationSamples, reference: Reference | None = None, on: Canvas = None
) -> Figure:
    """Draw every parameter as a corner plot; the star-formation history by its kappas.

    Args:
        samples: draws of the ensemble.
        reference: spectroscopy or truth, shown in grey for the columns that it has.
        on: what to draw on; None: a new figure.
    """
    columns = [parameter_column(samples, reference, name) for name in samples.names]
    return corner(columns, width=WIDTH, names=("inferred population", known_name(reference)), on=on)
