"""The fitted noise model over the catalogue's own errors, band by band.

The small panels show where errors of clear galaxies lie in the predicted distribution (probability
integral transform): flat at one, if the model is right.
"""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from popsed_core.diagnostics.noise import normal_scores, transform
from popsed_core.figures import style
from popsed_core.figures.canvas import AnyFigure, Canvas, clear, grid, legend_above, root_of
from popsed_core.photometry.noise import NoiseTable
from popsed_core.photometry.noise_forms import FORMS
from popsed_core.surveys.catalogue import Catalogue

LABELS = {
    "error_given_flux": r"$\log_{10}$ flux error [maggies]",
    "snr_given_flux": "signal-to-noise ratio [-]",
    "log_snr_given_flux": r"$\log_{10}$ signal-to-noise ratio [-]",
}
N_COLUMNS = 3
PANEL_HEIGHT = 2.1  # [inch]
INSET = (0.64, 0.66, 0.34, 0.32)  # of the panel: left, bottom, width, height
N_PIT_BINS = 10
MAX_PIT = 2.4  # of the expectation that the small panels show
BEYOND = 0.6  # [mag] of extrapolation shown on either side of the bins
SHOWN = (0.002, 0.998)  # quantiles of the catalogue's quantity that the axes show

Values = Float[np.ndarray, "galaxy"]


@style.styled
def draw(*, noise: NoiseTable, catalogue: Catalogue, on: Canvas = None) -> Figure:
    """Draw the modelled quantity against magnitude: data, median, scatter, extrapolation, check.

    Args:
        noise: the fitted noise table.
        catalogue: the magnitudes and errors that it was fitted to.
        on: what to draw on; None: a new figure.
    """
    values = FORMS[noise.form].measure(catalogue.maggies, catalogue.mag_error)
    scores = normal_scores(noise, catalogue)
    n_rows = -(-len(noise.bands) // N_COLUMNS)
    n_columns = min(N_COLUMNS, len(noise.bands))
    height = 0.4 + PANEL_HEIGHT * n_rows
    figure, panels = grid(on, n_rows, n_columns, lambda: style.new_figure(style.PAGE_WIDTH, height))
    panels = panels.ravel()
    for index, band in enumerate(noise.bands):
        _band(panels[index], noise, index, catalogue.mag[:, index], values[:, index])
        _transform(panels[index], scores[band])
        panels[index].set_xlabel(f"${band}$ [mag]")
        if index % N_COLUMNS == 0:
            panels[index].set_ylabel(LABELS[noise.form])
    for axes in panels[len(noise.bands) :]:
        clear(axes, on)
    _legend(figure)
    return root_of(figure)


def _band(axes: Axes, noise: NoiseTable, index: int, mag: Values, values: Values) -> None:
    nodes, median, scatter = noise.mag[index], noise.median[index], noise.scatter[index]
    first, last = noise.mag_range[index].tolist()
    for low, high in ((first - BEYOND, first), (last, last + BEYOND)):
        axes.axvspan(low, high, color=style.EXTRAPOLATED, linewidth=0)
    axes.plot(
        mag, values, ".", color=style.KNOWN, markersize=1.5, alpha=0.3, rasterized=True,
        markeredgewidth=0,
    )  # fmt: skip
    shown = np.concatenate([[first], nodes[(nodes > first) & (nodes < last)], [last]])
    middle, half = np.interp(shown, nodes, median), np.interp(shown, nodes, scatter)
    axes.fill_between(
        shown, middle - half, middle + half, color=style.ENSEMBLE, alpha=0.3, linewidth=0, zorder=3
    )
    axes.plot(shown, middle, color=style.ENSEMBLE, linewidth=1.5, zorder=4)
    ends = ((0, 1, first, first - BEYOND), (-1, -2, last, last + BEYOND))
    for outer, inner, start, end in ends:
        slope = (median[outer] - median[inner]) / (nodes[outer] - nodes[inner])
        beyond = np.array([start, end])
        line = median[outer] + slope * (beyond - nodes[outer])
        axes.plot(beyond, line, "--", color=style.ENSEMBLE, linewidth=1, zorder=4)
    low, high = np.quantile(values, SHOWN)
    margin = 0.08 * (high - low)
    axes.set(xlim=(first - BEYOND, last + BEYOND), ylim=(low - margin, high + margin))


def _transform(axes: Axes, scores: Values) -> None:
    """Draw the transform of the errors into a corner, where there are galaxies to ask."""
    if not scores.size:
        return
    inset = axes.inset_axes(INSET, zorder=5)
    edges = np.linspace(0, 1, N_PIT_BINS + 1)
    share = np.histogram(transform(scores), edges)[0] * N_PIT_BINS / scores.size
    inset.stairs(share, edges, fill=True, color=style.KNOWN_LIGHT)
    inset.stairs(share, edges, color=style.KNOWN_DARK, linewidth=0.8)
    inset.axhline(1, color=style.ACCENT, linewidth=1, linestyle="--")
    inset.set(xlim=(0, 1), ylim=(0, MAX_PIT), xticks=[0, 1], yticks=[])
    inset.set_xlabel("PIT", fontsize=7, labelpad=-6)
    inset.tick_params(labelsize=7, length=2, pad=2, top=False)


def _legend(figure: AnyFigure) -> None:
    handles = [
        Line2D([], [], marker=".", linestyle="", color=style.KNOWN, label="galaxies"),
        Line2D([], [], color=style.ENSEMBLE, label="median"),
        Patch(color=style.ENSEMBLE, alpha=0.3, linewidth=0, label="scatter (1 sigma)"),
        Patch(color=style.EXTRAPOLATED, linewidth=0, label="extrapolated"),
        Patch(facecolor=style.KNOWN_LIGHT, edgecolor=style.KNOWN_DARK, label="PIT of the errors"),
        Line2D([], [], color=style.ACCENT, linestyle="--", linewidth=1, label="expected"),
    ]
    legend_above(figure, handles, len(handles))
