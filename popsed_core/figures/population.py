"""The inferred population in five quantities (the paper's figures 2 and 3, left)."""

from matplotlib.figure import Figure

from popsed_core.figures import style
from popsed_core.figures.canvas import Canvas
from popsed_core.figures.columns import known_name, parameter_column
from popsed_core.figures.corner import corner
from popsed_core.inference.samples import PopulationSamples
from popsed_core.surveys.catalogue import Reference

SHOWN = ("log_stellar_mass", "redshift", "log_sfr", "logzsol", "mass_weighted_age")


@style.styled
def draw(
    *, samples: PopulationSamples, reference: Reference | None = None, on: Canvas = None
) -> Figure:
    """Draw mass, redshift, star-formation rate, metallicity and age as a corner plot.

    Args:
        samples: draws of the ensemble.
        reference: spectroscopy or truth, shown in grey for the columns that it has.
        on: what to draw on; None: a new figure.
    """
    columns = [parameter_column(samples, reference, name) for name in SHOWN]
    names = ("inferred population", known_name(reference))
    return corner(columns, width=style.PAGE_WIDTH, names=names, has_titles=True, on=on)
