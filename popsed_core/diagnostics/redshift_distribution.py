"""The redshift distribution n(z) of the ensemble, with the spread of its members.

Densities are histograms normalised over all draws: n(z) = count / (draws x bin width).
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from popsed_core.diagnostics.metrics import ONE_SIGMA
from popsed_core.files.artefacts import atomic_path
from popsed_core.inference.samples import PopulationSamples
from popsed_core.surveys.catalogue import Reference

BIN_WIDTHS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)  # redshift
N_BINS = 40  # wanted between zero and the CORE quantile
CORE = 0.995  # quantile of the ensemble that a plot should reach

Edges = Float[np.ndarray, "edge"]
Density = Float[np.ndarray, "bin"]


@dataclass(frozen=True)
class RedshiftDistribution:
    """n(z) on bins of equal width, as densities per unit redshift.

    Attributes:
        edges: bin edges, one more than there are bins.
        members: density of each member, (member, bin).
        mean: density of the ensemble, the mean over members.
        lowest: least member in each bin.
        highest: greatest member in each bin.
        q16: 16% quantile over members.
        q84: 84% quantile over members.
        prior: density of the prior draws; those beyond the last edge count in its norm only.
        known: density of the reference, all of which the edges hold; None without one.
    """

    edges: Edges
    members: Float[np.ndarray, "member bin"]
    mean: Density
    lowest: Density
    highest: Density
    q16: Density
    q84: Density
    prior: Density
    known: Density | None = None


def redshift_distribution(
    samples: PopulationSamples, reference: Reference | None = None
) -> RedshiftDistribution:
    """Return n(z) of the ensemble, and of the reference where it has redshifts.

    The edges, :func:`default_edges` of all draws and reference redshifts, leave none outside: those
    beyond the fit's range are shown too.
    """
    redshift = samples.column("redshift")
    known = _known(reference)
    edges = default_edges(redshift, known)
    members = np.stack([density(member, edges) for member in redshift])
    q16, q84 = np.quantile(members, ONE_SIGMA, axis=0)
    return RedshiftDistribution(
        edges=edges,
        members=members,
        mean=members.mean(axis=0),
        lowest=members.min(axis=0),
        highest=members.max(axis=0),
        q16=q16,
        q84=q84,
        prior=density(samples.prior_column("redshift"), edges),
        known=density(known, edges) if known.size else None,
    )


def _known(reference: Reference | None) -> Float[np.ndarray, "value"]:
    if reference is None or "redshift" not in reference.names:
        return np.empty(0)
    return reference.column("redshift").astype(np.float64)


def default_edges(
    redshift: Float[np.ndarray, "..."], known: Float[np.ndarray, "value"] | None = None
) -> Edges:
    """Return edges from zero past the largest redshift, drawn or known.

    The width is the least of ``BIN_WIDTHS`` with which at most ``N_BINS`` bins span the range
    from zero to the ``CORE`` quantile of the draws.
    """
    wanted = float(np.quantile(redshift, CORE)) / N_BINS
    width = next((step for step in BIN_WIDTHS if step >= wanted), BIN_WIDTHS[-1])
    last = max(float(redshift.max()), float(known.max()) if known is not None and known.size else 0)
    n_bins = math.floor(last / width) + 1
    return np.arange(n_bins + 1) * width


def density(values: Float[np.ndarray, "value"], edges: Edges) -> Density:
    """Return the histogram of ``values`` per value and per unit of redshift."""
    counts = np.histogram(values, edges)[0]
    return counts / (values.size * np.diff(edges))


def write_redshift_distribution(distribution: RedshiftDistribution, path: str | Path) -> None:
    """Write one row per bin as CSV: edges, ensemble and its interval, prior, reference, members."""
    columns = {
        "redshift_low": distribution.edges[:-1],
        "redshift_high": distribution.edges[1:],
        "mean": distribution.mean,
        "min": distribution.lowest,
        "max": distribution.highest,
        "q16": distribution.q16,
        "q84": distribution.q84,
        "prior": distribution.prior,
    }
    if distribution.known is not None:
        columns["reference"] = distribution.known
    for number, member in enumerate(distribution.members, start=1):
        columns[f"member_{number}"] = member
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(f"{x:.6g}" for x in row) for row in rows)]
    with atomic_path(path) as partial:
        partial.write_text("\n".join(lines) + "\n")
