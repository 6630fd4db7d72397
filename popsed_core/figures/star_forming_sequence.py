"""Star-formation rate against surviving mass of the nearby population (the paper's figure 4)."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from popsed_core.diagnostics.columns import COLUMNS
from popsed_core.figures import style
from popsed_core.figures.canvas import Canvas, one_panel, root_of
from popsed_core.inference.samples import PopulationSamples

MAX_REDSHIFT = 0.1
LINE_MASS = (9.5, 11.0)  # [dex Msun] where Renzini & Peng 2015 fitted
LINE_SLOPE = 0.76  # [dex / dex] Renzini & Peng 2015, their equation 1
LINE_ZERO = -7.64  # [dex Msun/yr] the same, at log mass 0
SHOWN = (0.002, 0.998)  # quantiles of the draws that the axes show
LEGEND_SPACE = 0.2  # of the axis, below the draws
GREYS = ListedColormap(colormaps["Greys"](np.linspace(0.18, 1, 256)))  # one draw is visible
GRID = (45, 30)  # hexagons along mass and rate


@style.styled
def draw(*, samples: PopulationSamples, on: Canvas = None) -> Figure:
    """Draw the density of draws at redshift below 0.1, with the main sequence of star formation.

    Args:
        samples: draws of the ensemble; not weighted for what the survey's limits miss.
        on: what to draw on; None: a new figure.
    """
    axes = one_panel(on, style.COLUMN_WIDTH, 3.1)
    axes.set_xlabel(COLUMNS["log_surviving_mass"].label)
    axes.set_ylabel(COLUMNS["log_sfr"].label)
    is_near = samples.column("redshift").ravel() < MAX_REDSHIFT
    mass = samples.column("log_surviving_mass").ravel()[is_near]
    rate = samples.column("log_sfr").ravel()[is_near]
    if mass.size == 0:
        style.note(axes, f"no draws at redshift < {MAX_REDSHIFT}")
        return root_of(axes)
    extent = (*np.quantile(mass, SHOWN), *np.quantile(rate, SHOWN))
    image = axes.hexbin(
        mass, rate, gridsize=GRID, extent=extent, bins="log", mincnt=1, cmap=GREYS, linewidths=0.2
    )
    axes.figure.colorbar(image, ax=axes, label="draws per hexagon", pad=0.02)
    line = np.array(LINE_MASS)
    axes.plot(
        line, LINE_SLOPE * line + LINE_ZERO, color=style.ACCENT, linewidth=2,
        label="Renzini & Peng (2015)",
    )  # fmt: skip
    low, high = extent[2:]
    axes.set(xlim=extent[:2], ylim=(low - LEGEND_SPACE * (high - low), high))
    axes.legend(loc="lower right", title=f"$z < {MAX_REDSHIFT}$", title_fontsize=8)
    return root_of(axes)
