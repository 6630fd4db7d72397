"""The same survey fitted with exact and with emulated spectra: the effect of the emulator.

Both fits have the same random streams and data.  Shifts are emulated minus exact, of means over all
draws; the scatter between members says which shifts are significant.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from popsed_core.diagnostics.columns import COLUMNS, all_names
from popsed_core.diagnostics.markdown import number, table
from popsed_core.diagnostics.metrics import mean_offset, wasserstein1, width_ratio
from popsed_core.diagnostics.summary import rounded
from popsed_core.errors import InputError
from popsed_core.inference.samples import PopulationSamples
from popsed_core.surveys.catalogue import Reference

MAX_REDSHIFT_SHIFT = 0.002  # of (1 + redshift): a larger shift and the emulator is not good enough
MAX_MASS_SHIFT = 0.02  # [dex] the same for the mean log mass
COLUMN_NAMES = (
    "name", "unit", "mean_exact", "mean_shift", "chance", "w1", "w1_over_std", "width_ratio",
    "w1_exact_reference", "w1_emulated_reference",
)  # fmt: skip

Numbers = Mapping[str, Any]


def compare_engines(
    exact: PopulationSamples, emulated: PopulationSamples, reference: Reference | None
) -> dict[str, Any]:
    """Compare two populations inferred from the same data.

    Args:
        exact: with exact spectra.
        emulated: with the emulator.
        reference: reference values (spectroscopy or truth).

    Returns:
        ``quantities``, a row each: mean of the exact fit, shift, ``chance`` (standard error of the
        shift from the scatter of the members' means; None for a single member), W1 between both,
        over the exact fit's standard deviation, and ratio of the central 68 % widths, emulated over
        exact; W1 of each to the reference.  ``verdict``: the shifts of redshift over
        1 + redshift and of log mass [dex] beside their chance and what is allowed, and
        ``is_good_enough``.

    Raises:
        InputError: the samples have different columns.
    """
    if all_names(exact) != all_names(emulated):
        raise InputError("samples: the two fits have different columns; rerun both fits")
    rows = [_row(exact, emulated, reference, name) for name in all_names(exact)]
    by_name = {row["name"]: row for row in rows}
    scale = 1 + by_name["redshift"]["mean_exact"]
    redshift, redshift_chance = _shift(by_name["redshift"], scale)
    mass, mass_chance = _shift(by_name["log_stellar_mass"], 1.0)
    verdict = {
        "redshift_shift": redshift,
        "redshift_chance": redshift_chance,
        "max_redshift_shift": MAX_REDSHIFT_SHIFT,
        "log_mass_shift": mass,
        "log_mass_chance": mass_chance,
        "max_log_mass_shift": MAX_MASS_SHIFT,
        "is_good_enough": abs(redshift) <= MAX_REDSHIFT_SHIFT and abs(mass) <= MAX_MASS_SHIFT,
    }
    sizes = {"members": [len(exact.theta), len(emulated.theta)], "draws": exact.theta.shape[1]}
    source = "toy" if "toy" in (exact.source, emulated.source) else exact.source
    return rounded({"source": source, **sizes, "verdict": verdict, "quantities": rows})


def _shift(row: Numbers, scale: float) -> tuple[float, float | None]:
    """Return the shift of a mean and its standard error by chance, over a scale."""
    chance = row["chance"]
    return row["mean_shift"] / scale, None if chance is None else chance / scale


def _row(
    exact: PopulationSamples, emulated: PopulationSamples, reference: Reference | None, name: str
) -> dict[str, Any]:
    first, second = (part.column(name).astype(np.float64) for part in (exact, emulated))
    a, b = first.ravel(), second.ravel()
    w1, std = wasserstein1(b, a), float(a.std())
    row = {
        "name": name,
        "unit": COLUMNS[name].unit,
        "mean_exact": float(a.mean()),
        "mean_shift": mean_offset(b, a),
        "chance": _chance(first, second),
        "w1": w1,
        "w1_over_std": w1 / std if std > 0 else None,
        "width_ratio": width_ratio(b, a),
        "w1_exact_reference": None,
        "w1_emulated_reference": None,
    }
    if reference is not None and name in reference.names:
        known = reference.column(name).astype(np.float64)
        if known.size:
            row["w1_exact_reference"] = wasserstein1(a, known)
            row["w1_emulated_reference"] = wasserstein1(b, known)
    return row


def _chance(exact: np.ndarray, emulated: np.ndarray) -> float | None:
    """Return the standard error of the difference of two ensembles' means."""
    means = [members.mean(1) for members in (exact, emulated)]
    if min(len(part) for part in means) < 2:
        return None
    return float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in means)))


def engines_csv(numbers: Numbers) -> str:
    """Return one row per quantity as CSV."""
    rows = [[row[key] for key in COLUMN_NAMES] for row in numbers["quantities"]]
    lines = [COLUMN_NAMES, *(["" if cell is None else str(cell) for cell in row] for row in rows)]
    return "\n".join(",".join(line) for line in lines) + "\n"


def engines_markdown(numbers: Numbers) -> str:
    """Return the comparison and its verdict as Markdown."""
    verdict = numbers["verdict"]
    word = "is good enough" if verdict["is_good_enough"] else "is NOT good enough"
    keys = COLUMN_NAMES[2:]
    rows = [
        (row["name"], row["unit"] or "-", *(number(row[key]) for key in keys))
        for row in numbers["quantities"]
    ]
    header = (
        "quantity", "unit", "mean, exact", "shift of the mean", "by chance", "W1", "W1/std",
        "width ratio", "W1 exact to reference", "W1 emulated to reference",
    )  # fmt: skip
    return (
        "# Exact against emulated spectra\n\n"
        f"The emulator {word}: the mean redshift shifts by "
        f"{number(verdict['redshift_shift'])} (1 + z) (by chance "
        f"{number(verdict['redshift_chance'])}, allowed {verdict['max_redshift_shift']}), "
        f"the mean log mass by {number(verdict['log_mass_shift'])} dex (by chance "
        f"{number(verdict['log_mass_chance'])}, allowed {verdict['max_log_mass_shift']}).\n\n"
        + table(header, rows)
        + "\n\nShifts are emulated minus exact; by chance: their standard error from the scatter "
        "of the flows.\n"
    )
