"""Corner plots: one-dimensional histograms on the diagonal, contours of pairs below it.

The known population is grey and filled, the ensemble coloured, each member faint, the prior a
thin dotted line.  Contours enclose 68% and 95% of a smoothed two-dimensional histogram.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from scipy.ndimage import gaussian_filter

from popsed_core.figures import style
from popsed_core.figures.canvas import AnyFigure, Canvas, clear, grid, root_of, width_of

N_BINS = 40  # per axis, of both histograms
SMOOTHING = 1.4  # [bins] of the pairs
MANY = 6  # columns, beyond which ticks and labels shrink
TICK_MARGIN = 0.08  # of the range, free of ticks so that neighbours do not touch
LEVELS = (0.95, 0.68)  # enclosed shares
CORE = (0.002, 0.998)  # quantiles that the axes show
MARGIN = 0.06  # of the range, on either side
LABEL_SPACE = 0.68  # [inch] left of the panels and below them
LEGEND_SIZE = 1.3  # [point] per inch of the figure
PRIOR_MARK = "prior-dominated"
ROOM = (1.12, 1.35, 1.45)  # height of a diagonal panel over that of its highest bar, by lines above

Values = Float[np.ndarray, "value"]
Edges = Float[np.ndarray, "edge"]


@dataclass(frozen=True)
class Look:
    """How the contours of one population are drawn."""

    fills: tuple[str, str]
    alpha: tuple[float, float]
    line: str
    dash: str
    width: float
    zorder: float


KNOWN_LOOK = Look(
    (style.KNOWN_LIGHT, style.KNOWN), (0.8, 0.8), style.KNOWN_DARK, "dashed", 0.7, zorder=3.0
)
ENSEMBLE_LOOK = Look(
    (style.ENSEMBLE, style.ENSEMBLE), (0.25, 0.5), style.ENSEMBLE, "solid", 1.0, zorder=2.5
)


@dataclass(frozen=True)
class Column:
    """One row and column of a corner plot.

    Attributes:
        label: with its unit.
        members: draws of each member, (member, draw).
        known: one value per galaxy, NaN where unknown; None if nothing is known.
        prior: draws of the prior; None to leave it out.
        is_prior_dominated: mark it.
        note: how it compares with its prior, in words.
    """

    label: str
    members: Float[np.ndarray, "member draw"]
    known: Float[np.ndarray, "galaxy"] | None = None
    prior: Float[np.ndarray, "prior_draw"] | None = None
    is_prior_dominated: bool = False
    note: str = ""

    @property
    def ensemble(self) -> Values:
        """Draws of all members."""
        return self.members.ravel()


def corner(
    columns: Sequence[Column],
    *,
    width: float,
    names: tuple[str, str],
    has_titles: bool = False,
    on: Canvas = None,
) -> Figure:
    """Draw a corner plot.

    Args:
        columns: at least two, in order.
        width: of the square figure [inch].
        names: what the legend calls the ensemble and the known population.
        has_titles: write the ensemble's median and 68% range above each diagonal panel, and the
            notes into them.
        on: figure, subfigure or square array of axes to draw on; None: a new figure.
    """
    n = len(columns)
    figure, panels = grid(on, n, n, lambda: Figure(figsize=(width, width)))
    edges = [np.linspace(*_limits(column), N_BINS + 1) for column in columns]
    for row in range(n):
        for place in range(n):
            axes = panels[row, place]
            if place > row:
                clear(axes, on)
                continue
            if place == row:
                _diagonal(axes, columns[row], edges[row], has_titles)
            else:
                _pair(axes, columns[place], columns[row], edges[place], edges[row])
            axes.set_xticks(_inner_ticks(*axes.get_xlim()))
            axes.set_yticks([] if place == row else _inner_ticks(*axes.get_ylim()))
            _ticks(axes, is_left=place == 0 and row > 0, is_bottom=row == n - 1, n=n)
    _labels(panels, columns)
    if isinstance(on, np.ndarray):
        panels[0, -1].legend(handles=_handles(columns, names), loc="upper right")
    else:
        _arrange(figure)
        _legend(figure, columns, names)
    return root_of(figure)


def _limits(column: Column) -> tuple[float, float]:
    shown = [column.ensemble]
    if column.known is not None and np.isfinite(column.known).any():
        shown.append(column.known[np.isfinite(column.known)])
    bounds = np.array([np.quantile(values, CORE) for values in shown])
    low, high = float(bounds[:, 0].min()), float(bounds[:, 1].max())
    margin = MARGIN * (high - low) or 0.5
    return low - margin, high + margin


def _diagonal(axes: Axes, column: Column, edges: Edges, has_title: bool) -> None:
    if column.known is not None:
        known = column.known[np.isfinite(column.known)]
        axes.stairs(_density(known, edges), edges, fill=True, color=style.KNOWN_LIGHT)
        axes.stairs(_density(known, edges), edges, color=style.KNOWN, linewidth=0.9)
    for member in column.members:
        axes.stairs(_density(member, edges), edges, color=style.MEMBER, linewidth=0.6)
    axes.stairs(_density(column.ensemble, edges), edges, color=style.ENSEMBLE, linewidth=1.5)
    if column.prior is not None:
        prior = _density(column.prior, edges)
        axes.stairs(prior, edges, color=style.PRIOR, linewidth=0.8, linestyle=":")
    axes.set_xlim(edges[0], edges[-1])
    marks = [column.note] if has_title and column.note else []
    marks += [PRIOR_MARK] if column.is_prior_dominated else []
    axes.set_ylim(0, ROOM[len(marks)] * axes.dataLim.y1)
    if has_title:
        axes.set_title(_range_text(column.ensemble), pad=6)
    if marks:
        axes.text(
            0.5, 0.955, "\n".join(marks), transform=axes.transAxes, ha="center", va="top",
            fontsize=6.2, style="italic",
            color=style.ACCENT if column.is_prior_dominated else style.KNOWN_DARK,
        )  # fmt: skip
    if column.is_prior_dominated:
        axes.set_facecolor("#FBF3E4")


def _density(values: Values, edges: Edges) -> Float[np.ndarray, "bin"]:
    """Return a histogram normalised over all values, those outside the edges included."""
    return np.histogram(values, edges)[0] / (values.size * np.diff(edges))


def _range_text(values: Values) -> str:
    low, middle, high = np.quantile(values.astype(np.float64), (0.16, 0.5, 0.84))
    return f"${middle:.2f}^{{+{high - middle:.2f}}}_{{-{middle - low:.2f}}}$"


def _pair(axes: Axes, x: Column, y: Column, x_edges: Edges, y_edges: Edges) -> None:
    if x.known is not None and y.known is not None:
        both = np.isfinite(x.known) & np.isfinite(y.known)
        _contours(axes, x.known[both], y.known[both], (x_edges, y_edges), KNOWN_LOOK)
    _contours(axes, x.ensemble, y.ensemble, (x_edges, y_edges), ENSEMBLE_LOOK)
    axes.set_xlim(x_edges[0], x_edges[-1])
    axes.set_ylim(y_edges[0], y_edges[-1])


def _contours(
    axes: Axes,
    x: Values,
    y: Values,
    edges: tuple[Edges, Edges],
    look: Look,
) -> None:
    image = gaussian_filter(np.histogram2d(x, y, edges)[0], SMOOTHING, mode="constant")
    levels = enclosing_levels(image)
    if not 0 < levels[0] < levels[1] < image.max():
        axes.plot(x, y, ".", color=look.line, markersize=1.5, rasterized=True)
        return
    x_middle, y_middle = ((edge[1:] + edge[:-1]) / 2 for edge in edges)
    bands = [*levels, image.max()]
    axes.contourf(x_middle, y_middle, image.T, bands, colors=look.fills, alpha=look.alpha)
    axes.contour(
        x_middle, y_middle, image.T, levels, colors=look.line, linestyles=look.dash,
        linewidths=look.width, zorder=look.zorder,
    )  # fmt: skip


def enclosing_levels(image: Float[np.ndarray, "x y"]) -> list[float]:
    """Return the levels above which the pixels hold the shares ``LEVELS`` of the sum."""
    values = np.sort(image.ravel())[::-1]
    share = np.cumsum(values) / values.sum()
    return [float(values[np.searchsorted(share, level)]) for level in LEVELS]


def _ticks(axes: Axes, *, is_left: bool, is_bottom: bool, n: int) -> None:
    size = 7.5 if n <= MANY else 6.5
    axes.tick_params(labelleft=is_left, labelbottom=is_bottom, labelsize=size, length=2.5)
    for label in axes.get_xticklabels():
        label.set(rotation=45, ha="right", rotation_mode="anchor")


def _inner_ticks(low: float, high: float) -> list[float]:
    """Return round values well inside the range."""
    margin = TICK_MARGIN * (high - low)
    ticks = MaxNLocator(4).tick_values(low, high)
    return [float(tick) for tick in ticks if low + margin <= tick <= high - margin]


def _labels(panels: np.ndarray, columns: Sequence[Column]) -> None:
    n = len(columns)
    size = mpl.rcParams["axes.labelsize"] if n <= MANY else 10
    for index, column in enumerate(columns):
        panels[n - 1, index].set_xlabel(column.label, fontsize=size)
        if index > 0:
            panels[index, 0].set_ylabel(column.label, fontsize=size)


def _arrange(figure: AnyFigure) -> None:
    """Put the panels close together, unless the user's figure has a layout of its own."""
    if figure.get_layout_engine() is None:
        share = LABEL_SPACE / width_of(figure)
        figure.subplots_adjust(share, share, 0.985, 0.955, wspace=0.06, hspace=0.06)
    figure.align_labels()


def _legend(figure: AnyFigure, columns: Sequence[Column], names: tuple[str, str]) -> None:
    figure.legend(
        handles=_handles(columns, names), loc="upper right", bbox_to_anchor=(0.98, 0.95),
        labelspacing=0.6, fontsize=LEGEND_SIZE * width_of(figure),
    )  # fmt: skip


def _handles(columns: Sequence[Column], names: tuple[str, str]) -> list[Patch | Line2D]:
    handles: list[Patch | Line2D] = [
        Patch(facecolor=style.ENSEMBLE, alpha=0.5, edgecolor=style.ENSEMBLE, label=names[0]),
        Line2D([], [], color=style.MEMBER, linewidth=0.8, label="each flow"),
    ]
    if any(column.known is not None for column in columns):
        handles.insert(1, Patch(fc=style.KNOWN_LIGHT, ec=style.KNOWN_DARK, ls="--", label=names[1]))
    if any(column.prior is not None for column in columns):
        handles.append(
            Line2D([], [], color=style.PRIOR, linewidth=0.8, linestyle=":", label="prior")
        )
    return handles
