"""What the principal components alone cost: error of the reconstruction against wavelength."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

from popsed_core.emulator.pca import SpectrumBasis
from popsed_core.figures import style
from popsed_core.figures.emulator_accuracy import WAVES

HEIGHT = 2.8  # [inch]
CLAIM = 0.2  # [%] 1 sigma, Li et al. 2023, appendix A


@style.styled
def draw(*, bases: Sequence[SpectrumBasis]) -> Figure:
    """Draw the error of all segments on validation spectra.

    Args:
        bases: one per wavelength segment.
    """
    figure = style.new_figure(style.PAGE_WIDTH, HEIGHT)
    axes = figure.subplots()
    in_order = sorted(bases, key=lambda basis: basis.segment)
    for index, basis in enumerate(in_order):
        names = ("68 % of spectra", "95 % of spectra") if index == 0 else (None, None)
        axes.plot(basis.wave, 100 * basis.error_68, color=style.ENSEMBLE, lw=1.0, label=names[0])
        axes.plot(basis.wave, 100 * basis.error_95, color=style.PRIOR, lw=0.7, label=names[1])
        if index:
            axes.axvline(basis.wave[0], color=style.KNOWN_DARK, lw=0.5, ls=":")
        axes.text(
            np.sqrt(basis.wave[0] * basis.wave[-1]), 0.02, f"{len(basis.components)}\ncomponents",
            ha="center", va="bottom", fontsize=7, color=style.KNOWN_DARK,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    axes.axhline(CLAIM, color=style.ACCENT, lw=0.8, ls="--", label="the paper's 1 sigma")
    ends = in_order[0].wave[0], in_order[-1].wave[-1]
    axes.set(xscale="log", yscale="log", xlim=ends, xlabel=r"rest-frame wavelength [$\rm\AA$]")
    axes.set_ylabel("error of the reconstruction [%]")
    axes.xaxis.set_major_locator(FixedLocator([at for at in WAVES if ends[0] <= at <= ends[1]]))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = axes.get_ylim()
    axes.set_ylim(low / 2, 4 * high)  # room for the numbers and the legend
    axes.legend(loc="upper right", ncols=3)
    return figure
