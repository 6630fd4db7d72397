"""Rows that each band costs a survey because they are not measured well in it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

Values = Float[np.ndarray, "galaxy band"]


class BandCost(NamedTuple):
    """Rows that a band fails to measure, of those within the other cuts.

    Attributes:
        band: its name.
        n_rows: within the other cuts, and measured in one band at least.
        n_failing: of these, without a positive flux and error, or below the limit in SNR.
        n_alone: of these, rows that are measured in all other bands.
    """

    band: str
    n_rows: int
    n_failing: int
    n_alone: int


def band_costs(
    bands: Sequence[str],
    flux: Values,
    error: Values,
    min_snr: float,
    is_in_question: Bool[np.ndarray, "galaxy"],
) -> tuple[BandCost, ...]:
    """Count the rows that each band fails to measure.

    A row without any measurement is not counted, unless there is only one band.

    Args:
        bands: names.
        flux: in any unit, NaN where there is none.
        error: in the same unit.
        min_snr: the cut in every band.
        is_in_question: rows that pass all other cuts.
    """
    with np.errstate(invalid="ignore"):
        is_good = (flux > 0) & (error > 0) & (flux > min_snr * error)
    is_good &= np.isfinite(flux) & np.isfinite(error)
    has_some = is_good.any(axis=1) | (len(bands) == 1)
    is_bad = ~is_good[is_in_question & has_some]
    alone = is_bad & (is_bad.sum(axis=1, keepdims=True) == 1)
    counts = zip(bands, is_bad.sum(axis=0).tolist(), alone.sum(axis=0).tolist(), strict=True)
    return tuple(BandCost(band, len(is_bad), *found) for band, *found in counts)


def format_band_costs(costs: Sequence[BandCost]) -> str:
    """Return one line: the rows that each band fails to measure."""
    parts = [f"{band} {failing:,} ({alone:,})" for band, _, failing, alone in costs]
    return (
        f"not measured well enough, of {costs[0][1]:,} within the other cuts (in no other band): "
        + ", ".join(parts)
    )
