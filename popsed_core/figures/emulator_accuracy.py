"""What an emulator costs (the paper's figure 5): errors of spectra, and of magnitudes.

Above, the fractional error against rest-frame wavelength; below, the errors of rest-frame
magnitudes as a corner plot with their rank correlations, and beside it those at each redshift.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter
from scipy.ndimage import gaussian_filter

from popsed_core.diagnostics.emulator_accuracy import RANGES, EmulatorAccuracy
from popsed_core.figures import style
from popsed_core.figures.corner import enclosing_levels

HEIGHT = 6.6  # [inch]
WAVES = (1000, 2000, 3000, 5000, 10000, 20000, 40000)  # [AA] of the ticks
SHOWN = 3.5  # of the 68 % error of a magnitude, on either side of a panel
N_BINS = 36
SMOOTHING = 1.2  # [bins]
COLOURS = ("#6A3D9A", style.ENSEMBLE, "#009E73", "#E69F00", style.ACCENT)  # by band, blue to red


@style.styled
def draw(*, accuracy: EmulatorAccuracy) -> Figure:
    """Draw the certificate of an emulator.

    Args:
        accuracy: what ``popsed emulator validate`` measured.
    """
    figure = style.new_figure(style.PAGE_WIDTH, HEIGHT)
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.45))
    _spectrum(above.subplots(), accuracy)
    left, right = below.subfigures(1, 2, width_ratios=(1.45, 1))
    _corner(left, accuracy)
    _redshift(right, accuracy)
    return figure


def _spectrum(axes: Axes, accuracy: EmulatorAccuracy) -> None:
    wave = accuracy.wave
    inner, outer = 100 * accuracy.spectrum
    axes.fill_between(wave, outer, color=style.MEMBER, alpha=0.55, lw=0, label="95 % of spectra")
    axes.fill_between(wave, inner, color=style.ENSEMBLE, alpha=0.75, lw=0, label="68 % of spectra")
    axes.plot(wave, 100 * np.abs(accuracy.bias), color=style.PRIOR, lw=0.8, label="|median error|")
    axes.set_xscale("log")
    axes.set_xlim(wave[0], wave[-1])
    axes.xaxis.set_major_locator(FixedLocator([at for at in WAVES if wave[0] <= at <= wave[-1]]))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(0, 1.45 * float(np.quantile(outer, 0.995)))
    axes.set_xlabel(r"rest-frame wavelength [$\rm\AA$]")
    axes.set_ylabel(r"$|L_\nu / L_{\nu,\rm exact} - 1|$ [%]")
    top = axes.get_ylim()[1]
    for (low, high), (pooled, _) in zip(RANGES, 100 * accuracy.pooled, strict=True):
        ends = max(low, wave[0]), min(high, wave[-1])
        axes.plot(ends, [0.86 * top] * 2, color=style.KNOWN_DARK, lw=0.8, marker="|", ms=5)
        axes.text(
            np.sqrt(ends[0] * ends[1]), 0.88 * top, f"{pooled:.2g} % (68 % of spectra)",
            ha="center", va="bottom", fontsize=8, color=style.KNOWN_DARK,
        )  # fmt: skip
    axes.legend(loc="upper right")


def _corner(figure: SubFigure, accuracy: EmulatorAccuracy) -> None:
    error = 1e3 * accuracy.rest_mag[np.isfinite(accuracy.rest_mag).all(1)].astype(float)
    half = SHOWN * np.quantile(np.abs(error), 0.68, axis=0)
    n = len(accuracy.bands)
    panels = figure.subplots(n, n, squeeze=False, gridspec_kw={"wspace": 0.0, "hspace": 0.0})
    for row in range(n):
        for place in range(n):
            axes = panels[row, place]
            axes.set_xlim(-half[place], half[place])
            if place > row:
                _correlation(axes, accuracy.correlation[row, place])
            elif place == row:
                _histogram(axes, error[:, row], half[row], accuracy.bands[row])
            else:
                _pair(axes, error[:, [place, row]], half[[place, row]])
            _ticks(axes, (half[place], half[row]), is_left=place == 0 < row, is_bottom=row == n - 1)
    for index, band in enumerate(accuracy.bands):
        panels[-1, index].set_xlabel(rf"$\Delta {band}$ [mmag]", fontsize=8)
        if index:
            panels[index, 0].set_ylabel(rf"$\Delta {band}$ [mmag]", fontsize=8)


def _correlation(axes: Axes, value: float) -> None:
    shade = abs(value)
    colour = style.ENSEMBLE if value >= 0 else style.ACCENT
    axes.set_facecolor((colour, 0.6 * shade))
    axes.text(
        0.5, 0.5, f"{value:.2f}".replace("-", "\N{MINUS SIGN}"), transform=axes.transAxes,
        ha="center", va="center", fontsize=8,
    )  # fmt: skip


def _histogram(axes: Axes, error: np.ndarray, half: float, band: str) -> None:
    count, edges = np.histogram(error, N_BINS, (-half, half))
    axes.stairs(count, edges, fill=True, color=style.MEMBER)
    axes.stairs(count, edges, color=style.ENSEMBLE, lw=0.8)
    axes.axvline(0, color=style.KNOWN_DARK, lw=0.6, ls=":")
    axes.set_ylim(0, 1.3 * count.max())
    size = np.quantile(np.abs(error), 0.68)
    axes.text(0.06, 0.94, f"${band}$", transform=axes.transAxes, ha="left", va="top", fontsize=8)
    axes.text(
        0.96,
        0.94,
        f"±{_round_text(size)}",
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=7,
    )


def _pair(axes: Axes, error: np.ndarray, half: np.ndarray) -> None:
    edges = [np.linspace(-end, end, N_BINS + 1) for end in half]
    image = gaussian_filter(np.histogram2d(*error.T, edges)[0], SMOOTHING, mode="constant")
    axes.set_ylim(-half[1], half[1])
    middle = [(edge[1:] + edge[:-1]) / 2 for edge in edges]
    levels = enclosing_levels(image)
    if 0 < levels[0] < levels[1] < image.max():
        axes.contourf(
            *middle, image.T, [*levels, image.max()], colors=[style.MEMBER, style.ENSEMBLE],
            alpha=0.7,
        )  # fmt: skip
    axes.axhline(0, color=style.KNOWN_DARK, lw=0.5, ls=":")
    axes.axvline(0, color=style.KNOWN_DARK, lw=0.5, ls=":")


def _ticks(axes: Axes, half: tuple[float, float], *, is_left: bool, is_bottom: bool) -> None:
    is_pair = is_left or (not axes.patches and axes.collections)
    x, y = (_round(0.6 * value) for value in half)
    axes.set_xticks([-x, 0, x] if is_bottom else [])
    axes.set_yticks([-y, 0, y] if is_left and is_pair else [])
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.tick_params(labelsize=6.5, length=2, top=False, right=False)


def _round_text(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _round(value: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is not larger."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step for step in (1, 2, 5) if step * power <= value * (1 + 1e-9)) * power)


def _redshift(figure: SubFigure, accuracy: EmulatorAccuracy) -> None:
    panels = figure.subplots(2, 1, sharex=True)
    edges = accuracy.redshift_edges
    middle = (edges[1:] + edges[:-1]) / 2
    for axes, values, share in zip(panels, 1e3 * accuracy.mag_binned, ("68", "95"), strict=True):
        for index, band in enumerate(accuracy.bands):
            axes.plot(
                middle, values[:, index], color=COLOURS[index % len(COLOURS)], marker="o", ms=2.5,
                lw=1.0, label=f"${band}$",
            )  # fmt: skip
        axes.set_ylim(0, 1.25 * np.nanmax(values))
        axes.set_ylabel(rf"$|\Delta m|$, {share} % [mmag]")
    panels[0].legend(ncols=5, loc="upper center", handlelength=0.9, columnspacing=0.8)
    panels[1].set_xlim(edges[0], edges[-1])
    panels[1].set_xlabel("redshift")
