"""The inferred redshift distribution against the known one."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from popsed_core.diagnostics.recovery import compare, constrain
from popsed_core.diagnostics.redshift_distribution import (
    RedshiftDistribution,
    redshift_distribution,
)
from popsed_core.figures import style
from popsed_core.figures.canvas import Canvas, one_panel, root_of
from popsed_core.figures.columns import known_name
from popsed_core.inference.samples import PopulationSamples
from popsed_core.surveys.catalogue import Reference

SHOWN = 0.998  # quantile of the draws and of the known redshifts that the axis shows


@style.styled
def draw(
    *, samples: PopulationSamples, reference: Reference | None = None, on: Canvas = None
) -> Figure:
    """Draw n(z): the ensemble and its band, each flow, the prior, and the known redshifts.

    Args:
        samples: draws of the ensemble.
        reference: spectroscopic or true redshifts, where there are any.
        on: what to draw on; None: a new figure.
    """
    axes = one_panel(on, style.COLUMN_WIDTH, 3.0)
    result = redshift_distribution(samples, reference)
    shown = [samples.column("redshift")]
    if result.known is not None:
        name = known_name(reference)
        axes.stairs(result.known, result.edges, fill=True, color=style.KNOWN_LIGHT, label=name)
        axes.stairs(result.known, result.edges, color=style.KNOWN, linewidth=0.9)
        shown.append(reference.column("redshift"))
    _ensemble(axes, result)
    last = max(float(np.quantile(values, SHOWN)) for values in shown)
    axes.set(xlim=(0, last), ylim=(0, 1.2 * max(result.highest.max(), axes.dataLim.y1)))
    axes.set_xlabel("redshift $z$")
    axes.set_ylabel("$n(z)$ [per unit redshift]")
    text = _numbers(samples, reference)
    axes.legend(
        loc="upper right", title=text, title_fontsize=7, fontsize=7, labelspacing=0.25,
        borderaxespad=0.3, alignment="left",
    )  # fmt: skip
    return root_of(axes)


def _ensemble(axes: Axes, result: RedshiftDistribution) -> None:
    edges = result.edges
    axes.stairs(
        result.highest, edges, baseline=result.lowest, fill=True, color=style.ENSEMBLE, alpha=0.25
    )
    for number, member in enumerate(result.members):
        label = "each flow" if number == 0 else None
        axes.stairs(member, edges, color=style.MEMBER, linewidth=0.6, label=label)
    axes.stairs(result.mean, edges, color=style.ENSEMBLE, linewidth=1.6, label="ensemble")
    axes.stairs(result.prior, edges, color=style.PRIOR, linewidth=0.8, linestyle=":", label="prior")


def _numbers(samples: PopulationSamples, reference: Reference | None) -> str:
    """Return the numbers of the fit, each with its prior's, and how wide it is in words."""
    words = constrain(samples, "redshift").against_prior
    rows = [row for row in compare(samples, reference) if row.name == "redshift"]
    if not rows:
        return words
    (row,) = rows
    prior = row.prior
    lines = [
        f"$W_1$ = {row.w1:.4f} (prior {prior.w1:.4f})",
        f"KS = {row.ks:.3f} (prior {prior.ks:.3f})",
        f"$\\Delta$ mean $= {row.mean_offset:+.4f}$ (prior ${prior.mean_offset:+.4f}$)",
        f"$\\Delta$ median $= {row.median_offset:+.4f}$ (prior ${prior.median_offset:+.4f}$)",
    ]
    if not row.is_better_than_prior:
        lines.append("not better than its prior")
    return "\n".join([*lines, words])
