"""How well each known quantity is recovered: inferred over known distributions, side by side.

Every quantity is shown as (value - median of the known) / std of the known, so that one axis
serves all: the known distribution below each line, the inferred one above.
"""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from scipy.ndimage import gaussian_filter1d

from popsed_core.diagnostics.columns import COLUMNS
from popsed_core.diagnostics.recovery import Comparison, compare
from popsed_core.figures import style
from popsed_core.figures.canvas import Canvas, legend_above, one_panel, root_of
from popsed_core.figures.columns import known_name
from popsed_core.inference.samples import PopulationSamples
from popsed_core.surveys.catalogue import Reference

RANGE = 4.0  # [std of the known] shown on either side
N_BINS = 160
SMOOTHING = 2.5  # [bins]
ROW_HEIGHT = 0.42  # [inch]
HALF = 0.44  # height of a half strip, in rows
HATCH = "/////"
VISIBLE = 0.003  # of the peak, below which a strip ends


@style.styled
def draw(
    *, samples: PopulationSamples, reference: Reference | None = None, on: Canvas = None
) -> Figure:
    """Draw a strip per quantity that the reference knows, with W1 / std; prior-dominated hatched.

    Args:
        samples: draws of the ensemble.
        reference: truth of a mock, or a survey's spectroscopy; without it the figure says so.
        on: what to draw on; None: a new figure.
    """
    rows = compare(samples, reference)
    axes = one_panel(on, style.PAGE_WIDTH, 1.0 + ROW_HEIGHT * max(len(rows), 2))
    if reference is None or not rows:
        style.note(axes, "nothing is known of these galaxies to compare with")
    else:
        for place, row in enumerate(rows):
            _strip(axes, place, row, samples, reference)
        axes.set_yticks(range(len(rows)), [COLUMNS[row.name].label for row in rows])
        axes.set_ylim(len(rows) - 0.45, -0.55)
        _legend(axes, known_name(reference), on)
    axes.set_xlim(-RANGE, RANGE)
    axes.set_xlabel(r"$(x - {\rm median}) / {\rm std}$ of the known [-]")
    axes.tick_params(axis="y", length=0)
    return root_of(axes)


def _strip(
    axes: Axes, place: int, row: Comparison, samples: PopulationSamples, reference: Reference
) -> None:
    known = reference.column(row.name).astype(np.float64)
    middle, scale = float(np.median(known)), float(known.std())
    grid = np.linspace(-RANGE, RANGE, N_BINS + 1)
    ensemble = _smooth((samples.column(row.name).ravel() - middle) / scale, grid)
    truth = _smooth((known - middle) / scale, grid)
    unit = HALF / max(ensemble.max(), truth.max())
    x = (grid[1:] + grid[:-1]) / 2
    axes.axhline(place, color=style.KNOWN_LIGHT, linewidth=0.5, zorder=0)
    axes.fill_between(
        x, place, place + unit * truth, where=truth > VISIBLE * truth.max(),
        facecolor=style.KNOWN_LIGHT, edgecolor=style.KNOWN, linewidth=0.6,
    )  # fmt: skip
    axes.fill_between(
        x, place, place - unit * ensemble, where=ensemble > VISIBLE * ensemble.max(),
        facecolor=style.MEMBER, edgecolor=style.ENSEMBLE, linewidth=0.8,
        hatch=HATCH if row.constraint.is_prior_dominated else None,
    )  # fmt: skip
    for member in samples.column(row.name):
        curve = _smooth((member - middle) / scale, grid)
        curve[curve < VISIBLE * curve.max()] = np.nan
        axes.plot(x, place - unit * curve, color=style.ENSEMBLE, linewidth=0.3, alpha=0.6)
    axes.annotate(
        f"{row.w1_over_std:.3f}", (1.01, place), xycoords=("axes fraction", "data"), va="center",
        fontsize=8,
    )  # fmt: skip


def _smooth(
    values: Float[np.ndarray, "value"], grid: Float[np.ndarray, "edge"]
) -> Float[np.ndarray, "bin"]:
    share = np.histogram(values, grid)[0] / values.size
    return gaussian_filter1d(share, SMOOTHING, mode="constant")


def _legend(axes: Axes, known: str, on: Canvas) -> None:
    handles = [
        Patch(facecolor=style.MEMBER, edgecolor=style.ENSEMBLE, label="inferred (above)"),
        Patch(facecolor=style.KNOWN_LIGHT, edgecolor=style.KNOWN, label=f"{known} (below)"),
        Patch(
            facecolor=style.MEMBER, edgecolor=style.ENSEMBLE, hatch=HATCH, label="prior-dominated"
        ),
    ]
    axes.annotate(
        "$W_1$/std", (1.01, 1.0), xycoords="axes fraction", xytext=(0, 4),
        textcoords="offset points", fontsize=8,
    )  # fmt: skip
    if isinstance(on, Axes):
        axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    else:
        legend_above(axes.figure, handles, 3)
