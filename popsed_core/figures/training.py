"""Training curves of the ensemble's flows."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from popsed_core.figures import style
from popsed_core.figures.canvas import Canvas, clear, grid, one_panel, root_of
from popsed_core.inference.trained_member import TrainedMember

LABELS = {
    "validation": "validation distance [-]",
    "distance": "training distance [-]",
    "loss": "training loss [-]",
    "prior_kl": "cost of the prior [nat]",
    "prior_weight": "weight of the prior [-]",
    "learning_rate": "learning rate [-]",
    "noise_scale": "noise scale [-]",
    "gradient": "gradient norm [-]",
    "seconds": "time per epoch [s]",
}
N_COLUMNS = 3
DECADE = 10.0  # a quantity that varies by more is shown on a logarithmic axis
PANEL_HEIGHT = 1.75  # [inch]


@style.styled
def draw(*, members: Sequence[TrainedMember], on: Canvas = None) -> Figure:
    """Draw every recorded history against epoch, flows faint and their median bold.

    Args:
        members: the trained members, of which ``history`` is used: {name: value per epoch}.
        on: what to draw on; None: a new figure.
    """
    histories = [member["history"] for member in members if member["history"]]
    if not histories:
        axes = one_panel(on, style.PAGE_WIDTH, PANEL_HEIGHT)
        style.note(axes, "every flow diverged in its first epoch")
        return root_of(axes)
    recorded = [name for name in histories[0] if all(name in history for history in histories)]
    names = [name for name in LABELS if name in recorded]
    names += [name for name in recorded if name not in LABELS]
    n_rows = max(1, -(-len(names) // N_COLUMNS))
    height = PANEL_HEIGHT * n_rows
    figure, panels = grid(on, n_rows, N_COLUMNS, lambda: style.new_figure(style.PAGE_WIDTH, height))
    panels = panels.ravel()
    for axes, name in zip(panels, names, strict=False):
        _curves(axes, [np.asarray(history[name], dtype=float) for history in histories])
        axes.set_ylabel(LABELS.get(name, f"{name.replace('_', ' ')} [-]"))
    for axes in panels[len(names) :]:
        clear(axes, on)
    figure.supxlabel("epoch")
    panels[0].legend(loc="upper right")
    return root_of(figure)


def _curves(axes: Axes, curves: Sequence[np.ndarray]) -> None:
    for number, curve in enumerate(curves):
        label = "each flow" if number == 0 else None
        epochs = np.arange(1, curve.size + 1)
        axes.plot(epochs, curve, color=style.MEMBER, linewidth=0.7, label=label)
    shortest = min(curve.size for curve in curves)
    middle = np.median([curve[:shortest] for curve in curves], axis=0)
    epochs = np.arange(1, shortest + 1)
    axes.plot(epochs, middle, color=style.ENSEMBLE, linewidth=1.5, label="median")
    lowest, highest = min(map(np.min, curves)), max(map(np.max, curves))
    if 0 < DECADE * lowest < highest:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
