"""Warnings to read before a result is used, one line each.

Every number behind a warning is in the summary too; these few suggest that something
outside the fit is likely to be wrong: calibration, the range of the parameters, cuts, extinction.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from popsed_core.config.parameters import ParameterConfig, parameters_from_json
from popsed_core.coordinates import make_coordinate
from popsed_core.diagnostics.recovery import Comparison
from popsed_core.inference.samples import PopulationSamples
from popsed_core.inference.trained_member import TrainedMember
from popsed_core.photometry.coverage import beyond_dust_limit
from popsed_core.photometry.filters import load_filter
from popsed_core.surveys.catalogue import Catalogue, Reference

MAX_PULL = 2.0  # prior widths by which a zero point or f_lost may differ from its prior
BORDER = 0.01  # of a parameter's range, in its coordinate: draws within it are at the border
MAX_AT_BORDER = 0.01  # share of the draws there, beyond what the prior explains
# ASSUME: a fit with up to this many times the prior's share at a border still follows the prior
PRIOR_FACTOR = 2.0
MAX_CHANCE = 3.0  # Poisson errors of a share that are not significant
MAX_BEYOND = 0.001  # share of the reference beyond the range: fewer are outliers
MAX_COST = 0.2  # share of the rows that a band may cost
MAX_NAMED = 4  # quantities that one line lists
MAX_TWINS = 1 / 3  # of the ensemble's spread: twins of the same data agree better than this


def warnings_of(
    samples: PopulationSamples,
    catalogue: Catalogue,
    reference: Reference | None,
    members: Sequence[TrainedMember],
    rows: Sequence[Comparison],
) -> list[str]:
    """Return all warnings of a result, in the order in which to look for causes.

    Args:
        samples: draws of the ensemble and of its prior.
        catalogue: what was fitted.
        reference: reference values (spectroscopy or truth).
        members: the trained members that the samples were drawn from.
        rows: the comparison with the reference.
    """
    parameters = _parameters(members)
    return [
        *catalogue.notes,
        *band_warnings(catalogue),
        *zero_point_warnings(samples.bands, members),
        *f_lost_warnings(members),
        *dust_warnings(catalogue, parameters),
        *range_warnings(parameters, reference),
        *border_warnings(parameters, samples),
        *ensemble_warnings(samples),
        *twin_warnings(samples, members),
        *prior_warnings(rows),
    ]


def _parameters(members: Sequence[TrainedMember]) -> dict[str, ParameterConfig]:
    text = next((member["parameters"] for member in members if "parameters" in member), None)
    return parameters_from_json(text, "member") if text else {}


def dust_warnings(catalogue: Catalogue, parameters: Mapping[str, ParameterConfig]) -> list[str]:
    """Warn of bands with dust emission, which the model lacks."""
    if not parameters:
        return []
    redshift = parameters["redshift"]
    curves = [load_filter(name) for name in catalogue.filters]
    return beyond_dust_limit(curves, (redshift.low, redshift.high))


def band_warnings(catalogue: Catalogue) -> list[str]:
    """Warn of bands that cost many rows because they are not measured well enough."""
    return [
        f"band {band}: {failing / n_rows:.0%} of the {n_rows:,} rows within the other cuts are "
        f"lost for it (flux > 0, SNR > {catalogue.min_snr:g}), {alone / n_rows:.0%} for it alone; "
        "what is left is not what the survey saw: leave the band out, or cut in magnitude first"
        for band, n_rows, failing, alone in catalogue.band_costs
        if failing > MAX_COST * n_rows
    ]


def zero_point_warnings(bands: Sequence[str], members: Sequence[TrainedMember]) -> list[str]:
    """Warn of bands whose zero points, a mean over members, are far from their prior."""
    width = fit_setting(members, "zero_point_error")
    if not width:
        return []
    found = np.mean([np.asarray(member["zero_points"], dtype=float) for member in members], axis=0)
    pulls = {band: value / width for band, value in zip(bands, found, strict=True)}
    return [
        f"zero point of {band}: {pull * width:+.3f} mag is {abs(pull):.1f} times the width of its "
        f"prior ({width:g} mag); are the magnitudes AB, in this filter, and corrected for "
        "extinction?"
        for band, pull in pulls.items()
        if abs(pull) > MAX_PULL
    ]


def f_lost_warnings(members: Sequence[TrainedMember]) -> list[str]:
    """Warn of an f_lost far from its prior; nothing if it is not fitted."""
    prior = fit_setting(members, "f_lost")
    values = [float(member["f_lost"]) for member in members if member.get("f_lost") is not None]
    if not prior or not values or not prior["sigma"]:
        return []
    mean = float(np.mean(values))
    pull = (mean - prior["mean"]) / prior["sigma"]
    if abs(pull) <= MAX_PULL:
        return []
    return [
        f"f_lost: {mean:.2f} is {abs(pull):.1f} times the width of its prior "
        f"({prior['mean']:g} +- {prior['sigma']:g}) away; are the emission lines of the model, or "
        "the zero points, right?"
    ]


def fit_setting(members: Sequence[TrainedMember], key: str) -> Any:
    """Return a setting that the members were fitted with; None if not recorded."""
    text = next((member["config"] for member in members if "config" in member), "{}")
    return json.loads(text).get(key)


def range_warnings(
    parameters: Mapping[str, ParameterConfig], reference: Reference | None
) -> list[str]:
    """Warn of reference values beyond the range that the fit allows."""
    if reference is None:
        return []
    found = []
    for name in (name for name in parameters if name in reference.names):
        known, box = reference.column(name), parameters[name]
        share = float(((known < box.low) | (known > box.high)).mean()) if known.size else 0.0
        if share > MAX_BEYOND:
            found.append(
                f"{name}: {share:.1%} of the known values lie beyond the fit's range "
                f"({box.low:g} to {box.high:g}), where no draw can be; widen parameters.{name}"
            )
    return found


def border_warnings(
    parameters: Mapping[str, ParameterConfig], samples: PopulationSamples
) -> list[str]:
    """Warn of draws that pile up at a border of the range more than the prior's do."""
    found = []
    for name, box in parameters.items():
        fit = _shares_at_borders(name, box, samples.column(name))
        prior = _shares_at_borders(name, box, samples.prior_column(name))
        for end, share, expected in zip((box.low, box.high), fit, prior, strict=True):
            limit = MAX_AT_BORDER + PRIOR_FACTOR * expected
            chance = np.sqrt(limit / samples.column(name).size)
            if share > limit + MAX_CHANCE * chance:
                found.append(
                    f"{name}: {share:.1%} of the draws (prior {expected:.1%}) lie at the border "
                    f"{end:g} of its range; widen parameters.{name} if it may be exceeded"
                )
    return found


def _shares_at_borders(name: str, box: ParameterConfig, values: np.ndarray) -> tuple[float, float]:
    """Return the shares within ``BORDER`` of the low and of the high end, in the coordinate."""
    column = torch.as_tensor(values, dtype=torch.float64).reshape(-1).clamp(box.low, box.high)
    place = torch.special.ndtr(make_coordinate(name, box).unconstrained(column))
    return float((place < BORDER).double().mean()), float((place > 1 - BORDER).double().mean())


def ensemble_warnings(samples: PopulationSamples) -> list[str]:
    """Warn of a single flow, which has no interval."""
    if len(samples.theta) > 1:
        return []
    return ["one flow: its spread over draws is the population's, and there is no interval"]


def twin_warnings(samples: PopulationSamples, members: Sequence[TrainedMember]) -> list[str]:
    """Warn of trainings on the same data that end at different redshifts.

    Members with the same entry ``data`` are twins; members without one are not compared.
    """
    medians = np.median(samples.column("redshift").astype(np.float64), axis=1)
    groups: dict[Any, list[float]] = {}
    for member, median in zip(members, medians, strict=False):
        if "data" in member:
            groups.setdefault(member["data"], []).append(float(median))
    if len(groups) < 2:
        return []
    apart = max(max(group) - min(group) for group in groups.values())
    spread = float(np.std([np.mean(group) for group in groups.values()]))
    if apart <= MAX_TWINS * spread:
        return []
    return [
        f"flows trained on the same data differ by {apart:.4f} in median redshift, the data alone "
        f"spread it by {spread:.4f}: the band shows the training; train for longer (fit.n_epochs)"
    ]


def prior_warnings(rows: Sequence[Comparison]) -> list[str]:
    """Warn, in one line, of quantities in which the fit is no better than its prior."""
    found = [row for row in rows if row.is_worth_a_warning]
    if not found:
        return []
    named = [
        f"{row.name} (prior W1 {row.prior.w1:.3g}, fit {row.w1:.3g})" for row in found[:MAX_NAMED]
    ]
    more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    return [f"not better than its prior against the {found[0].kind}: {', '.join(named)}{more}"]
