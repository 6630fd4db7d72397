"""One survey fitted twice, with exact and with emulated spectra: every quantity overlaid."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from popsed_core.diagnostics.columns import COLUMNS, all_names
from popsed_core.diagnostics.metrics import mean_offset, wasserstein1
from popsed_core.figures import style
from popsed_core.figures.columns import known_name
from popsed_core.inference.samples import PopulationSamples
from popsed_core.surveys.catalogue import Reference

N_COLUMNS = 4
PANEL_HEIGHT = 1.45  # [inch]
N_BINS = 40
CORE = (0.003, 0.997)  # quantiles that a panel shows
HEADROOM = 1.45


@style.styled
def draw(
    *, exact: PopulationSamples, emulated: PopulationSamples, reference: Reference | None = None
) -> Figure:
    """Draw the distribution of each quantity with either engine, members faint.

    Args:
        exact: inferred with exact spectra.
        emulated: inferred with the emulator.
        reference: truth or spectroscopy, shown in grey where there is any.
    """
    names = all_names(exact)
    n_rows = -(-len(names) // N_COLUMNS)
    figure = style.new_figure(style.PAGE_WIDTH, PANEL_HEIGHT * n_rows + 0.35)
    panels = figure.subplots(n_rows, N_COLUMNS, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        _panel(axes, name, exact, emulated, reference)
    for axes in panels[len(names) :]:
        axes.remove()
    figure.supylabel("density")
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=style.ENSEMBLE, lw=1.5, label="exact spectra"),
        Line2D([], [], color=style.ACCENT, lw=1.3, ls="--", label="emulated spectra"),
    ]
    if reference is not None:
        handles.append(Patch(color=style.KNOWN_LIGHT, label=known_name(reference)))
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


def _panel(
    axes: Axes,
    name: str,
    exact: PopulationSamples,
    emulated: PopulationSamples,
    reference: Reference | None,
) -> None:
    first, second = (part.column(name).astype(np.float64) for part in (exact, emulated))
    shown = [first.ravel(), second.ravel()]
    if reference is not None and name in reference.names:
        known = reference.column(name).astype(np.float64)
        shown += [known] if known.size else []
    ends = np.array([np.quantile(values, CORE) for values in shown])
    low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
    edges = np.linspace(low, high if high > low else low + 1.0, N_BINS + 1)
    for known in shown[2:]:
        axes.stairs(_density(known, edges), edges, fill=True, color=style.KNOWN_LIGHT)
    for members, colour in ((first, style.ENSEMBLE), (second, style.ACCENT)):
        for member in members:
            axes.stairs(_density(member, edges), edges, color=colour, lw=0.4, alpha=0.25)
    axes.stairs(_density(shown[0], edges), edges, color=style.ENSEMBLE, lw=1.5)
    axes.stairs(_density(shown[1], edges), edges, color=style.ACCENT, lw=1.3, ls="--")
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, HEADROOM * axes.dataLim.y1)
    axes.set_yticks([])
    axes.tick_params(axis="x", top=False)
    axes.set_xlabel(COLUMNS[name].label)
    axes.text(
        0.5, 0.95, _numbers(shown[0], shown[1]), transform=axes.transAxes, ha="center", va="top",
        fontsize=6.8,
    )  # fmt: skip


def _density(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.histogram(values, edges)[0] / (values.size * np.diff(edges))


def _numbers(exact: np.ndarray, emulated: np.ndarray) -> str:
    shift, std = mean_offset(emulated, exact), float(exact.std())
    scaled = wasserstein1(emulated, exact) / std if std > 0 else float("nan")
    sign = "\N{MINUS SIGN}" if shift < 0 else "+"
    return f"shift {sign}{abs(shift):.4f},  $W_1$/std {scaled:.3f}"
