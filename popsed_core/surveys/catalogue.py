"""The observed catalogue: magnitudes and errors after cuts, and nothing the fit must not use.

Spectroscopic redshifts, or a mock's truth, live in a separate :class:`Reference` file, so that
they cannot reach the fit: its rule does not have that file among its inputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from popsed_core.config.surveys import Cuts
from popsed_core.constants import MAG_PER_LN
from popsed_core.errors import InputError
from popsed_core.files.artefacts import array, atomic_path, check_axes
from popsed_core.surveys.band_costs import BandCost, band_costs

FINITE_ROWS = 1 << 20  # galaxies checked at a time


@dataclass(frozen=True)
class Catalogue:
    """Photometry of the selected galaxies.

    Attributes:
        mag: AB magnitude, corrected for Galactic extinction where the survey says so [mag].
        mag_error: its error, 1.0857 flux error / flux [mag].
        n_kept: rows left after each step of ``cut_names``; the first is the number read.
        bands: band names.
        filters: filter of each band, as ``filters.load`` understands it.
        cut_names: what was done at each step, starting with ``read``.
        source: ``real``, ``mock`` or ``toy``.
        min_snr: flux over error that every galaxy has in every band.
        max_mag: faint limit of each band, infinite for no limit; empty: none [mag].
        band_costs: rows that each band costs, a :class:`BandCost` each; empty where not counted.
        notes: what a reader of the result should know of the table.
    """

    mag: np.ndarray = array("mag(AB)", "galaxy", "band")
    mag_error: np.ndarray = array("mag", "galaxy", "band")
    n_kept: np.ndarray = array("", "cut")
    bands: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    cut_names: tuple[str, ...] = ()
    source: str = "real"
    min_snr: float = 0.0
    max_mag: tuple[float, ...] = ()
    band_costs: tuple[tuple[str, int, int, int], ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_axes(self)
        if len(self.max_mag) not in (0, len(self.bands)):
            raise ValueError(f"max_mag: got {len(self.max_mag)} limits for {self.bands}")
        if not (len(self.bands) == len(self.filters) == self.mag.shape[1]):
            raise ValueError(f"bands: got {self.bands} for {self.mag.shape[1]} columns")
        if not (_is_finite(self.mag) and _is_finite(self.mag_error)):
            raise ValueError("mag: expected finite magnitudes and errors after the cuts")

    @property
    def maggies(self) -> np.ndarray:
        """Flux in units of the AB zero point, (galaxy, band)."""
        return 10 ** (-0.4 * self.mag)


def _is_finite(values: np.ndarray) -> bool:
    """Whether all are finite; in parts, as there may be more than fit in memory."""
    parts = range(0, len(values), FINITE_ROWS)
    return all(np.isfinite(values[start : start + FINITE_ROWS]).all() for start in parts)


@dataclass(frozen=True)
class Reference:
    """Reference values (spectroscopy or truth) of the same galaxies: never fitted.

    Attributes:
        values: one row per catalogue row, NaN where unknown; units as in ``parameters.py``.
        names: columns: ``redshift`` and ``log_stellar_mass`` of a survey; of a mock every
            parameter and derived quantity.
        kind: ``spectroscopy`` or ``truth``.
        note: what was done to the values, to be said wherever they are shown.
    """

    values: np.ndarray = array("per column", "galaxy", "column")
    names: tuple[str, ...] = ()
    kind: str = "spectroscopy"
    note: str = ""

    def __post_init__(self) -> None:
        check_axes(self)

    @property
    def label(self) -> str:
        """The kind, and any note."""
        return f"{self.kind}, {self.note}" if self.note else self.kind

    def column(self, name: str) -> np.ndarray:
        """Return one column, without its unknown entries."""
        values = self.values[:, self.names.index(name)]
        return values[np.isfinite(values)]


@dataclass(frozen=True)
class SurveyTable:
    """All rows of a survey as read, before any cut: what every reader returns.

    Attributes:
        maggies: flux in units of the AB zero point, calibrated and dereddened, NaN where there
            is no measurement, (galaxy, band).
        maggies_error: its error, NaN or infinite where there is none, (galaxy, band).
        bands: band names.
        filters: filter of each band, as ``filters.load`` understands it.
        reference: columns to compare with, NaN where unknown, each (galaxy,).
        j_minus_k: colour for the star cut, NaN where unknown, (galaxy,); None: the survey has
            none [mag AB].
        path: the file, for messages.
        others: flux and error of bands that are not fitted, but may be cut on.
        note: what was done to the reference, to be said wherever it is shown.
        source: ``real``, ``mock`` or ``toy``; the reference of the last two is their truth.
        notes: what a reader of the result should know of the table.
    """

    maggies: np.ndarray
    maggies_error: np.ndarray
    bands: tuple[str, ...]
    filters: tuple[str, ...]
    reference: Mapping[str, np.ndarray] = field(default_factory=dict)
    j_minus_k: np.ndarray | None = None
    path: str = ""
    others: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    note: str = ""
    source: str = "real"
    notes: tuple[str, ...] = ()


class CutFlow:
    """Applies cuts one after the other and keeps the count of rows after each."""

    def __init__(self, n_rows: int) -> None:
        self.mask = np.ones(n_rows, dtype=bool)
        self.others = np.ones(n_rows, dtype=bool)  # rows kept by cuts that belong to no band
        self.names: list[str] = ["read"]
        self.n_kept: list[int] = [n_rows]

    def keep(self, name: str, condition: np.ndarray, *, is_of_bands: bool = False) -> None:
        """Keep the rows where ``condition`` holds; NaN comparisons count as false.

        Args:
            name: of the cut.
            condition: by row.
            is_of_bands: it asks for a measurement in every band.
        """
        self.mask &= condition
        if not is_of_bands:
            self.others &= condition
        self.names.append(name)
        self.n_kept.append(int(self.mask.sum()))


def format_cut_flow(names: Sequence[str], n_kept: Sequence[int]) -> str:
    """Return aligned lines: cut, rows in, rows out, lost."""
    lines = [f"{'cut':<36}{'in':>10}{'out':>10}{'lost':>10}"]
    rows_in = [n_kept[0], *n_kept[:-1]]
    for name, n_in, n_out in zip(names, rows_in, n_kept, strict=True):
        lines.append(f"{name:<36}{n_in:>10,}{n_out:>10,}{n_in - n_out:>10,}")
    return "\n".join(lines)


def write_cut_flow(catalogue: Catalogue, path: str | Path) -> None:
    """Write the cut flow as CSV (cut, rows_in, rows_out, lost), atomically."""
    rows_in = [int(catalogue.n_kept[0]), *catalogue.n_kept[:-1].tolist()]
    lines = ["cut,rows_in,rows_out,lost"]
    for name, n_in, n_out in zip(catalogue.cut_names, rows_in, catalogue.n_kept, strict=True):
        lines.append(f'"{name}",{n_in},{n_out},{n_in - n_out}')
    with atomic_path(path) as partial:
        partial.write_text("\n".join(lines) + "\n")


def select(photometry: SurveyTable, cuts: Cuts) -> tuple[Catalogue, Reference]:
    """Apply the cuts in the order of the configuration and keep the count of rows.

    Rows without finite photometry or without positive flux and error are always dropped, each
    under its own name.

    Raises:
        InputError: no row is left, with the cut flow; or a cut needs what the survey lacks.
    """
    flow = CutFlow(len(photometry.maggies))
    flux, error = _with_others(photometry, cuts.also_bands)
    _keep_measured(flow, flux, error, cuts.min_snr)
    if cuts.min_j_minus_k is not None:
        _keep_above(flow, "J - K", photometry.j_minus_k, cuts.min_j_minus_k, photometry.path)
    if cuts.min_redshift is not None:
        # ASSUME: spectroscopic redshifts are used here only, to drop stars; no fit sees them.
        redshift = photometry.reference.get("redshift")
        _keep_above(flow, "redshift", redshift, cuts.min_redshift, photometry.path)
    if cuts.min_log_mass is not None:
        mass = photometry.reference.get("log_stellar_mass", np.full(len(flux), np.nan))
        flow.keep(f"log mass > {cuts.min_log_mass:g}, and known", mass > cuts.min_log_mass)
    for band, limit in cuts.max_mag.items():
        flow.keep(f"{band} < {limit:g}", _band(photometry, band) > 10 ** (-0.4 * limit))
    if not flow.mask.any():
        steps = ", ".join(f"{name}: {n}" for name, n in zip(flow.names, flow.n_kept, strict=True))
        raise InputError(
            f"{photometry.path}: no galaxy is left; rows after each cut: {steps}; loosen the cut "
            f"'{flow.names[flow.n_kept.index(0)]}' or check the columns it uses"
        )
    names = (*photometry.bands, *cuts.also_bands)
    costs = band_costs(names, flux, error, cuts.min_snr, flow.others)
    return _catalogue(photometry, flow, cuts, costs), _reference(photometry, flow.mask)


def _keep_measured(flow: CutFlow, flux: np.ndarray, error: np.ndarray, min_snr: float) -> None:
    """Keep the rows with a measurement in every band."""
    cuts = {
        "finite photometry": np.isfinite(flux) & np.isfinite(error),
        "flux > 0": flux > 0,
        "flux error > 0": error > 0,
    }
    if min_snr > 0:
        cuts[f"SNR > {min_snr:g} in every band"] = flux > min_snr * error
    for name, is_good in cuts.items():
        flow.keep(name, np.all(is_good, axis=1), is_of_bands=True)


def _with_others(photometry: SurveyTable, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return flux and error of the fitted bands and of some others."""
    unknown = [name for name in names if name not in photometry.others]
    if unknown:
        raise InputError(
            f"cuts.also_bands: no band {unknown[0]!r} besides the fitted ones, expected some of "
            f"{list(photometry.others)}"
        )
    more = [photometry.others[name] for name in names]
    flux = [photometry.maggies, *(values[:, None] for values, _ in more)]
    error = [photometry.maggies_error, *(values[:, None] for _, values in more)]
    return np.concatenate(flux, axis=1), np.concatenate(error, axis=1)


def _keep_above(
    flow: CutFlow, name: str, values: np.ndarray | None, limit: float, path: str
) -> None:
    if values is None:
        raise InputError(f"{path}: a cut on {name} is configured, but the survey has no {name}")
    flow.keep(f"{name} > {limit:g} where known", ~np.isfinite(values) | (values > limit))


def _band(photometry: SurveyTable, band: str) -> np.ndarray:
    if band not in photometry.bands:
        raise InputError(f"cuts.max_mag: no band {band!r}, expected one of {photometry.bands}")
    return photometry.maggies[:, photometry.bands.index(band)]


def _catalogue(
    photometry: SurveyTable, flow: CutFlow, cuts: Cuts, costs: tuple[BandCost, ...]
) -> Catalogue:
    flux, error = photometry.maggies[flow.mask], photometry.maggies_error[flow.mask]
    return Catalogue(
        mag=-2.5 * np.log10(flux),
        mag_error=MAG_PER_LN * error / flux,
        n_kept=np.array(flow.n_kept),
        bands=photometry.bands,
        filters=photometry.filters,
        cut_names=tuple(flow.names),
        source=photometry.source,
        min_snr=cuts.min_snr,
        max_mag=faint_limits(photometry.bands, cuts.max_mag),
        band_costs=costs,
        notes=photometry.notes,
    )


def faint_limits(bands: Sequence[str], max_mag: Mapping[str, float]) -> tuple[float, ...]:
    """Return the faint limit of each band, infinite where there is none; nothing if nowhere."""
    return tuple(max_mag.get(band, np.inf) for band in bands) if max_mag else ()


def _reference(photometry: SurveyTable, mask: np.ndarray) -> Reference:
    columns = [np.where(np.isfinite(x), x, np.nan)[mask] for x in photometry.reference.values()]
    values = np.stack(columns, axis=1) if columns else np.empty((int(mask.sum()), 0))
    kind = "spectroscopy" if photometry.source == "real" else "truth"
    return Reference(values, tuple(photometry.reference), kind, photometry.note)
