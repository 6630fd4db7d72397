"""Where a figure is drawn: on a new one in the house's sizes, or on what the user gives.

A figure of one panel goes on axes; one of several on a figure, a subfigure, or an array of axes.
"""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from popsed_core.errors import InputError
from popsed_core.figures import style

AnyFigure = Figure | SubFigure
Canvas = Figure | SubFigure | Axes | np.ndarray | None  # None: a new figure


def one_panel(on: Canvas, width: float, height: float) -> Axes:
    """Return the axes of a figure of one panel.

    Args:
        on: axes, or a figure to add them to; None: a new figure.
        width: of a new figure [inch].
        height: likewise.

    Raises:
        InputError: several axes are given.
    """
    if isinstance(on, Axes):
        return on
    if isinstance(on, np.ndarray):
        raise InputError(
            f"ax: got an array of {on.size} axes, expected one: this figure has one panel"
        )
    return (style.new_figure(width, height) if on is None else on).add_subplot()


def grid(
    on: Canvas, n_rows: int, n_columns: int, new: Callable[[], Figure]
) -> tuple[AnyFigure, np.ndarray]:
    """Return the figure and the panels of a figure of several, (row, column).

    Args:
        on: a figure to fill, or its axes; None: a new figure.
        n_rows: of panels.
        n_columns: likewise.
        new: makes the new figure.

    Raises:
        InputError: one axes is given, or an array of another shape.
    """
    if on is None or isinstance(on, AnyFigure):
        figure = new() if on is None else on
        return figure, figure.subplots(n_rows, n_columns, squeeze=False)
    expected = f"expected a figure, a subfigure or an array of {n_rows} x {n_columns} axes"
    if isinstance(on, Axes):
        raise InputError(f"ax: got one axes, {expected}: this figure has several panels")
    if on.shape != (n_rows, n_columns):
        raise InputError(f"ax: got an array of shape {on.shape}, {expected}")
    return on.flat[0].figure, on


def clear(axes: Axes, on: Canvas) -> None:
    """Take away a panel that stays empty; hide it where it is the user's."""
    if isinstance(on, np.ndarray):
        axes.set_axis_off()
    else:
        axes.remove()


def width_of(figure: AnyFigure) -> float:
    """Return the width of a figure or subfigure [inch]."""
    if isinstance(figure, Figure):
        return float(figure.get_figwidth())
    return float(figure.bbox.width / figure.dpi)


def legend_above(figure: AnyFigure, handles: Sequence[Artist], n_columns: int) -> None:
    """Put a legend above all panels; over them where the layout makes no room."""
    has_room = isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine)
    place = "outside upper center" if has_room else "upper center"
    figure.legend(handles=handles, loc=place, ncols=n_columns)


def root_of(drawn: Axes | AnyFigure) -> Figure:
    """Return the figure that axes or a subfigure are part of."""
    return drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)


def mark(figure: Figure, on: Canvas, source: str) -> None:
    """Mark what is not real: on a whole figure as in files, else small above the panel."""
    if on is None or isinstance(on, Figure):
        style.watermark(figure, source)
    elif source != "real":
        panel = on.flat[0] if isinstance(on, np.ndarray) else on
        text = style.DIAGONALS.get(source, source)
        options = {} if isinstance(panel, SubFigure) else {"transform": panel.transAxes}
        panel.text(
            0.995, 0.995, text, ha="right", va="top", fontsize=7, color=style.ACCENT,
            style="italic", gid="watermark", **options,
        )  # fmt: skip
