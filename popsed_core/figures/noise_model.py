"""The fitted noise model over the catalogue's own errors, band by band."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from popsed_core.figures import style
from popsed_core.photometry.catalogue import Catalogue
from popsed_core.photometry.noise import NoiseTable
from popsed_core.photometry.noise_fit import noise_quantity

LABELS = {
    "error_given_flux": r"$\log_{10}$ flux error [maggies]",
    "snr_given_flux": "signal-to-noise ratio [-]",
    "log_snr_given_flux": r"$\log_{10}$ signal-to-noise ratio [-]",
}
N_COLUMNS = 3
PANEL_HEIGHT = 2.1  # [inch]
BEYOND = 0.6  # [mag] of extrapolation shown on either side of the bins
SHOWN = (0.002, 0.998)  # quantiles of the catalogue's quantity that the axes show

Values = Float[np.ndarray, "galaxy"]


@style.styled
def draw(*, noise: NoiseTable, catalogue: Catalogue) -> Figure:
    """Draw the modelled quantity against magnitude: data, median, scatter, extrapolation.

    Args:
        noise: the fitted noise table.
        catalogue: the magnitudes and errors that it was fitted to.
    """
    values = noise_quantity(noise.form, catalogue.maggies, catalogue.mag_error)
    n_rows = -(-len(noise.bands) // N_COLUMNS)
    n_columns = min(N_COLUMNS, len(noise.bands))
    figure = style.new_figure(style.PAGE_WIDTH, 0.4 + PANEL_HEIGHT * n_rows)
    panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for index, band in enumerate(noise.bands):
        _band(panels[index], noise, index, catalogue.mag[:, index], values[:, index])
        panels[index].set_xlabel(f"${band}$ [mag]")
        if index % N_COLUMNS == 0:
            panels[index].set_ylabel(LABELS[noise.form])
    for axes in panels[len(noise.bands) :]:
        axes.remove()
    _legend(figure)
    return figure


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


def _legend(figure: Figure) -> None:
    handles = [
        Line2D([], [], marker=".", linestyle="", color=style.KNOWN, label="galaxies"),
        Line2D([], [], color=style.ENSEMBLE, label="median"),
        Patch(color=style.ENSEMBLE, alpha=0.3, linewidth=0, label="scatter (1 sigma)"),
        Patch(color=style.EXTRAPOLATED, linewidth=0, label="extrapolated"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
