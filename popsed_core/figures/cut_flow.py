"""How many galaxies each cut of the catalogue leaves."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from popsed_core.figures import style
from popsed_core.figures.canvas import Canvas, one_panel, root_of
from popsed_core.surveys.catalogue import Catalogue

BAR_HEIGHT = 0.32  # [inch]


@style.styled
def draw(*, catalogue: Catalogue, on: Canvas = None) -> Figure:
    """Draw the rows kept after each cut as horizontal bars, with numbers.

    Args:
        catalogue: its ``cut_names`` and ``n_kept`` are used.
        on: what to draw on; None: a new figure.
    """
    n_cuts = len(catalogue.cut_names)
    axes = one_panel(on, style.PAGE_WIDTH, 0.7 + BAR_HEIGHT * n_cuts)
    kept = catalogue.n_kept.astype(int)
    places = np.arange(n_cuts)
    axes.barh(places, kept, color=style.MEMBER, edgecolor=style.ENSEMBLE, linewidth=0.7, height=0.7)
    lost = np.append(0, kept[:-1] - kept[1:])
    for place, n_kept, n_lost in zip(places, kept, lost, strict=True):
        change = f"  (−{n_lost:,})" if n_lost else ""
        axes.annotate(
            f"{n_kept:,}{change}", (n_kept, place), xytext=(4, 0), textcoords="offset points",
            va="center", fontsize=8,
        )  # fmt: skip
    axes.set_yticks(places, catalogue.cut_names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2 * max(kept.max(), 1))
    axes.set_xlabel("galaxies kept [count]")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(top=False, right=False)
    return root_of(axes)
