"""The summary of one survey: every number worth quoting.

``summarise`` makes a plain dictionary from artefacts; ``write_summary`` writes it as JSON and as
human-readable Markdown, and its comparison with the reference as CSV.
"""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from popsed_core.diagnostics.classifier import separability
from popsed_core.diagnostics.closeness import Closeness
from popsed_core.diagnostics.columns import COLUMNS, all_names
from popsed_core.diagnostics.markdown import as_markdown
from popsed_core.diagnostics.noise import check_noise
from popsed_core.diagnostics.photometry import photometric_distance
from popsed_core.diagnostics.recovery import Comparison, Constraint, compare, constraints
from popsed_core.diagnostics.warnings import fit_setting, warnings_of
from popsed_core.files.artefacts import atomic_path
from popsed_core.inference.samples import PopulationSamples
from popsed_core.inference.trained_member import TrainedMember
from popsed_core.photometry.noise import NoiseTable
from popsed_core.surveys.catalogue import Catalogue, Reference
from popsed_core.surveys.noise_outliers import noise_warnings

PERCENTILES = (2.5, 16, 50, 84, 97.5)
SIGNIFICANT_DIGITS = 5
PRIOR_KEYS = ("constrained", "prior_distance", "is_prior_dominated", "against_prior")
CLOSENESS = tuple(item.name for item in dataclasses.fields(Closeness))
DIAGNOSTICS = (  # columns of the table, in their order
    *("name", "unit", "kind", "n_reference", *CLOSENESS),
    *("w1_members", "coverage_68", "coverage_full", "share_near_reference", "prior_coverage"),
    *(f"prior_{name}" for name in CLOSENESS),
    *("is_better_than_prior", *PRIOR_KEYS),
)


def summarise(
    samples: PopulationSamples,
    catalogue: Catalogue,
    reference: Reference | None,
    members: Sequence[TrainedMember],
    seed: int,
    *,
    costs: Sequence[Mapping[str, float]] = (),
    noise: NoiseTable | None = None,
) -> dict[str, Any]:
    """Return the numbers of one survey as a plain, rounded dictionary.

    Args:
        samples: draws of the ensemble.
        catalogue: what was fitted.
        reference: spectroscopy or truth, where there is any.
        members: the trained members, of which ``history`` and ``zero_points`` are used.
        seed: the run's seed.
        costs: what each member cost: ``seconds`` [s] and ``peak_memory_mb`` [MB], where measured.
        noise: the fitted noise model, to be compared with the catalogue's errors.

    Returns:
        Sections ``source``, ``seed``, ``warnings``, ``sizes``, ``quantities`` (percentiles, member
        scatter, prior), ``comparison`` (by quantity; the prior's beside), ``photometric_distance``,
        ``classifier``, ``noise`` (by band), ``fit``, ``left_out`` (members that are excluded, and
        why), ``removed`` (share of each member's draws that fail the survey's cuts),
        ``zero_points`` with ``zero_point_prior``, and ``f_lost``;
        numbers have five significant digits, and those that do not exist are None.
    """
    n_members, n_draws, _ = samples.theta.shape
    rows, kept = compare(samples, reference), _kept(samples, members)
    summary = {
        "source": samples.source,
        "seed": seed,
        "warnings": [
            *warnings_of(samples, catalogue, reference, kept, rows),
            *(noise_warnings(noise, catalogue) if noise else ()),
        ],
        "sizes": {
            "catalogue": len(catalogue.mag),
            "members": n_members,
            "draws_per_member": n_draws,
            "prior_draws": len(samples.prior_theta),
        },
        "quantities": _quantities(samples),
        "comparison": {row.name: _comparison(row) for row in rows},
        "photometric_distance": dataclasses.asdict(photometric_distance(samples, catalogue, seed)),
        "classifier": dataclasses.asdict(separability(samples, catalogue, seed)),
        "noise": _noise(noise, catalogue),
        "fit": _fit(members, costs),
        "left_out": list(samples.left_out),
        "removed": list(samples.removed),
        "zero_points": _zero_points(samples.bands, kept),
        "zero_point_prior": fit_setting(kept, "zero_point_error"),
        "f_lost": _f_lost(kept),
    }
    return rounded(summary)


def _kept(samples: PopulationSamples, members: Sequence[TrainedMember]) -> list[TrainedMember]:
    """Return the members that the samples were drawn from; all if not recorded."""
    return [
        member for member in members if not samples.members or member["member"] in samples.members
    ]


def _quantities(samples: PopulationSamples) -> dict[str, dict[str, Any]]:
    prior = constraints(samples)
    return {name: _quantity(samples, name) | _prior(prior[name]) for name in all_names(samples)}


def _quantity(samples: PopulationSamples, name: str) -> dict[str, Any]:
    values = samples.column(name).astype(np.float64)
    percentiles = np.percentile(values, PERCENTILES)
    by_member = np.percentile(values, PERCENTILES, axis=1)
    prior = samples.prior_column(name).astype(np.float64)
    return {
        "unit": COLUMNS[name].unit,
        "mean": float(values.mean()),
        "percentiles": _by_percentile(percentiles),
        "member_scatter": _by_percentile(by_member.std(axis=1)),
        "prior": {
            "mean": float(prior.mean()),
            "percentiles": _by_percentile(np.percentile(prior, PERCENTILES)),
        },
    }


def _by_percentile(values: np.ndarray) -> dict[str, float]:
    keys = (f"{percentile:g}" for percentile in PERCENTILES)
    return dict(zip(keys, values.tolist(), strict=True))


def _prior(constraint: Constraint) -> dict[str, Any]:
    entry = dataclasses.asdict(constraint)
    del entry["name"]
    return entry


def _comparison(row: Comparison) -> dict[str, Any]:
    entry = dataclasses.asdict(row)
    del entry["name"], entry["constraint"]
    return entry | {"is_better_than_prior": row.is_better_than_prior}


def _noise(noise: NoiseTable | None, catalogue: Catalogue) -> dict[str, Any]:
    if noise is None:
        return {}
    checks = check_noise(noise, catalogue)
    return {band: dataclasses.asdict(check) for band, check in checks.items()}


def _fit(members: Sequence[TrainedMember], costs: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    seconds = [float(cost["seconds"]) for cost in costs]
    memory = [float(cost["peak_memory_mb"]) for cost in costs]
    return {
        "seconds": seconds,
        "seconds_total": sum(seconds) if seconds else None,
        "peak_memory_mb": max(memory, default=None),
        "objective": _objective(members),
        "final": [
            {
                name: values[-1]
                for name, values in member["history"].items()
                if isinstance(values, Sequence) and len(values)
            }
            for member in members
        ],
    }


def _objective(members: Sequence[TrainedMember]) -> dict[str, float] | None:
    """Return the final objective, its expectation at the truth, and their ratio.

    Means over the members that have them; None if none has.
    """
    told = [member.get("objective") or member["history"].get("objective") for member in members]
    found = [item for item in told if isinstance(item, Mapping)]
    if not found:
        return None
    value, floor = (float(np.mean([item[key] for item in found])) for key in ("value", "floor"))
    return {"value": value, "floor": floor, "ratio": value / floor if floor else float("inf")}


def _f_lost(members: Sequence[TrainedMember]) -> dict[str, float] | None:
    """Return the share of lost ionising photons; None if it is not fitted."""
    values = [float(member["f_lost"]) for member in members if member.get("f_lost") is not None]
    return {"mean": float(np.mean(values)), "scatter": float(np.std(values))} if values else None


def _zero_points(
    bands: Sequence[str], members: Sequence[TrainedMember]
) -> dict[str, dict[str, float]]:
    """Return by how much the fitted zero points differ from the catalogue's, per band [mag]."""
    table = np.stack([np.asarray(member["zero_points"], dtype=float) for member in members])
    return {
        band: {"mean": column.mean(), "scatter": column.std()}
        for band, column in zip(bands, table.T, strict=True)
    }


def rounded(value: Any) -> Any:
    """Return a tree with its floats at five significant digits; NaN and infinity become None."""
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
    return value


def write_summary(
    summary: Mapping[str, Any],
    path_to_json: str | Path,
    path_to_markdown: str | Path,
    path_to_diagnostics: str | Path,
) -> None:
    """Write what :func:`summarise` made.

    Args:
        summary: the numbers.
        path_to_json: everything, in the order of the summary, bands in that of the survey.
        path_to_markdown: human-readable tables.
        path_to_diagnostics: CSV with one row per quantity of the reference.
    """
    texts = {
        path_to_json: json.dumps(summary, indent=1, allow_nan=False) + "\n",
        path_to_markdown: as_markdown(summary),
        path_to_diagnostics: _diagnostics_csv(summary),
    }
    for path, text in texts.items():
        with atomic_path(path) as partial:
            partial.write_text(text)


def _diagnostics_csv(summary: Mapping[str, Any]) -> str:
    lines = [",".join(DIAGNOSTICS)]
    for name, entry in summary["comparison"].items():
        row = {**summary["quantities"][name], **entry, "name": name}
        row |= {f"prior_{key}": value for key, value in entry["prior"].items()}
        row["w1_members"] = " ".join(str(value) for value in entry["w1_members"])
        cells = [row[key] for key in DIAGNOSTICS]
        lines.append(",".join("" if cell is None else str(cell) for cell in cells))
    return "\n".join(lines) + "\n"
