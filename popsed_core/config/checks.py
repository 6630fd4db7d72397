"""Consistency checks between keys of the configuration, made while it is read.

Types and ranges of single keys are declared in :mod:`popsed_core.config`; here are the checks that
involve two: bands that must exist, priors that must suit their parameter, tables that need a
source.  Takes sections as they are and imports neither them nor any science.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

from popsed_core.errors import InputError
from popsed_core.parameters import DERIVED, NAMES, SIMPLEX_POWER

REFERENCE_NAMES = (*NAMES, *(row.name for row in DERIVED))
BELONGS = {  # priors of some parameters only
    "comoving_volume": ("redshift",),
    "schechter": ("log_stellar_mass",),
    "star_formation": ("kappa_1",),
    "older_stars": ("kappa_2", "kappa_3"),
    "relation_by_type": ("logzsol", "tau_ism"),
    "bursts": ("f_burst",),
}
# parameters that differ between star-forming and quiescent galaxies, in the order of drawing
BY_TYPE = ("kappa_2", "kappa_3", "kappa_1", "logzsol", "tau_ism", "f_burst")
TYPE_KINDS = ("star_formation", "older_stars", "relation_by_type", "bursts")
MEASURED = {"gama_dr3": ("u", "g", "r", "i", "z", "Y", "J", "H", "K")}  # bands, fitted or not
# [unit of the parameter] beyond these the model has no meaning
PHYSICAL = {
    "redshift": (1e-6, 20.0),  # at redshift zero there is no luminosity distance
    "kappa_1": (0.0, 1.0),
    "kappa_2": (0.0, 1.0),
    "kappa_3": (0.0, 1.0),
    "t_burst": (0.0, 20.0),
    "f_burst": (0.0, 1.0),
    "tau_bc": (0.0, 100.0),
    "tau_ism": (0.0, 100.0),
}


def check_parameters(parameters: Mapping[str, Any], where: str = "parameters") -> None:
    """Check boxes, coordinates and priors of all parameters.

    Args:
        parameters: a ``ParameterConfig`` by name.
        where: dotted path of the section, for messages.

    Raises:
        InputError: a parameter is missing, unknown or beyond what the model knows; or a
            coordinate or prior does not fit it, or depends on itself.
    """
    if set(parameters) != set(NAMES):
        wrong = sorted(set(parameters) ^ set(NAMES))
        raise InputError(f"{where}: expected {list(NAMES)}; missing or unknown: {wrong}")
    for name, parameter in parameters.items():
        kinds = (parameter.coordinate, parameter.prior.kind)
        if "flat_simplex" in kinds and name not in SIMPLEX_POWER:
            raise InputError(f"{where}.{name}: flat_simplex is for {list(SIMPLEX_POWER)}")
        low, high = PHYSICAL.get(name, (parameter.low, parameter.high))
        if not low <= parameter.low < parameter.high <= high:
            raise InputError(
                f"{where}.{name}: got {parameter.low:g} to {parameter.high:g}, the model knows "
                f"{low:g} to {high:g} only; narrow low and high"
            )
        check_prior(name, parameter, where)
    check_types(parameters, where)
    drawing_order(parents(parameters), where)


def check_prior(name: str, parameter: Any, where: str = "parameters") -> None:
    """Check that a prior fits its parameter and its range.

    Raises:
        InputError: it belongs to another parameter, is incomplete, or is zero inside the range.
    """
    prior = parameter.prior
    if name not in BELONGS.get(prior.kind, (name,)):
        owners = " and ".join(BELONGS[prior.kind])
        raise InputError(f"{where}.{name}.prior.kind: {prior.kind} is a law of {owners} only")
    if prior.kind == "comoving_volume" and parameter.low < 0:
        raise InputError(f"{where}.{name}.low: got {parameter.low}, a redshift is not negative")
    if prior.kind == "truncated_normal" and prior.slope != 0 and prior.against is None:
        raise InputError(f"{where}.{name}.prior: slope {prior.slope} needs `against`")
    if prior.kind == "schechter" and len(prior.slope) != len(prior.weight):
        raise InputError(
            f"{where}.{name}.prior: got {len(prior.slope)} slopes and {len(prior.weight)} "
            "weights, expected equal numbers"
        )
    if prior.kind == "log_uniform" and parameter.low + prior.offset <= 0:
        raise InputError(f"{where}.{name}.prior.offset: needs low + offset > 0")
    if prior.kind == "relation":
        _check_nodes(prior.x, (prior.median, prior.scatter), f"{where}.{name}.prior")
    if prior.kind == "relation_by_type":
        both = prior.star_forming, prior.quiescent
        columns = [column for one in both for column in (one.median, one.scatter)]
        _check_nodes(prior.log_mass, columns, f"{where}.{name}.prior")
    if prior.kind == "tabulated":
        _check_table(parameter, f"{where}.{name}.prior")


def check_types(parameters: Mapping[str, Any], where: str = "parameters") -> None:
    """Check that priors by galaxy type come with the fraction of each type.

    Raises:
        InputError: kappa_1's prior does not give it.
    """
    kinds = {name: item.prior.kind for name, item in parameters.items()}
    if kinds["kappa_1"] == "star_formation":
        return
    for name, kind in kinds.items():
        if kind in TYPE_KINDS:
            raise InputError(
                f"{where}.{name}.prior.kind: {kind} needs kappa_1.prior.kind star_formation, got "
                f"{kinds['kappa_1']}; change kappa_1, or give {name} another prior"
            )


def _check_nodes(nodes: Sequence[float], columns: Sequence[Sequence[float]], where: str) -> None:
    """Check that nodes increase and that every column has a value at each."""
    if not all(a < b for a, b in pairwise(nodes)) or {len(nodes)} != {*map(len, columns)}:
        raise InputError(f"{where}: nodes must increase, with one value at each of {len(nodes)}")


def _check_table(parameter: Any, where: str) -> None:
    """Check that a tabulated density is positive everywhere inside the range."""
    x, density, low, high = (
        parameter.prior.x,
        parameter.prior.density,
        parameter.low,
        parameter.high,
    )
    if len(x) != len(density) or not all(a < b for a, b in pairwise(x)):
        raise InputError(f"{where}: x must increase and have one density for each of its values")
    points = [low, *(node for node in x if low < node < high), high]
    inside = sorted([*points[1:-1], *((a + b) / 2 for a, b in pairwise(points))])
    zeros = [value for value in inside if _interpolate(value, x, density) <= 0]
    if zeros:
        raise InputError(
            f"{where}: density is zero at {zeros[0]:.4g}, inside the range [{low}, {high}]; "
            "narrow low and high to where it is positive, or give it a small positive value there"
        )


def _interpolate(value: float, x: Sequence[float], y: Sequence[float]) -> float:
    """Return y at ``value``, linear between nodes, zero outside them."""
    if not x[0] <= value <= x[-1]:
        return 0.0
    right = max(bisect_left(x, value), 1)
    share = (value - x[right - 1]) / (x[right] - x[right - 1])
    return y[right - 1] + share * (y[right] - y[right - 1])


def parents(parameters: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the parameters on which the prior of each depends."""
    typed = [name for name in BY_TYPE if parameters[name].prior.kind in TYPE_KINDS]
    found: dict[str, tuple[str, ...]] = {}
    for name, parameter in parameters.items():
        against = getattr(parameter.prior, "against", None)
        found[name] = () if against is None else (against,)
        if parameter.prior.kind in TYPE_KINDS:
            earlier = typed[: typed.index(name)]
            found[name] = ("redshift", "log_stellar_mass", *earlier)
        if parameter.prior.kind == "bursts":
            found[name] += ("t_burst",)
    if parameters["kappa_1"].prior.kind == "star_formation":  # the rate is one of all histories
        found["kappa_1"] = ("redshift", "log_stellar_mass", "kappa_2", "kappa_3")
    return found


def drawing_order(
    parents: Mapping[str, Sequence[str]], where: str = "parameters"
) -> tuple[str, ...]:
    """Order parameters so that each comes after those that its prior depends on.

    Args:
        parents: what each depends on.
        where: dotted path of the section, for messages.

    Raises:
        InputError: another parameter is unknown, or the dependence is circular.
    """
    order: list[str] = []
    while len(order) < len(parents):
        ready = [
            name for name, others in parents.items()
            if name not in order and set(others) <= set(order)
        ]  # fmt: skip
        if not ready:
            name = next(name for name in parents if name not in order)
            missing = next(other for other in parents[name] if other not in order)
            raise InputError(
                f"{where}.{name}.prior.against: got {missing!r}, expected a parameter "
                f"that does not depend on {name} in turn; one of {list(parents)}"
            )
        order += ready
    return tuple(order)


def check_table_survey(survey: Any, where: str = "") -> None:
    """Check that the keys of a user's table are consistent.

    Args:
        survey: a ``TableSurvey``.
        where: dotted path of the section with a dot at its end, for messages.

    Raises:
        InputError: the star cut lacks a column, or a reference name is unknown.
    """
    if (survey.j_mag is None) != (survey.k_mag is None):
        raise InputError(f"{where}j_mag, k_mag: give both columns or neither")
    if survey.cuts.min_j_minus_k is not None and survey.j_mag is None:
        raise InputError(
            f"{where}cuts.min_j_minus_k: got {survey.cuts.min_j_minus_k:g}, but no j_mag and "
            "k_mag; name both columns, or remove the cut"
        )
    unknown = sorted(set(survey.reference) - set(REFERENCE_NAMES))
    if unknown:
        raise InputError(
            f"{where}reference: unknown names {unknown}, expected some of {REFERENCE_NAMES}"
        )
    if survey.cuts.min_redshift is not None and "redshift" not in survey.reference:
        raise InputError(
            f"{where}cuts.min_redshift: got {survey.cuts.min_redshift:g}, but reference names no "
            "redshift; name its column, or remove the cut"
        )


def check_bands(survey: Any, fit: Any, bands: Collection[str], where: str) -> None:
    """Check that every band named in a survey's section exists.

    Args:
        survey: the section, with ``limit_band`` and ``cuts.max_mag``.
        fit: the survey's fit section, with ``features.reference``.
        bands: the survey's bands.
        where: dotted path of the section, for messages.

    Raises:
        InputError: a band is unknown.
    """
    _check_others(survey, bands, where)
    named = {f"{where}.cuts.max_mag": list(survey.cuts.max_mag)}
    if hasattr(survey, "limit_band"):
        named[f"{where}.limit_band"] = [survey.limit_band]
    if fit.features.kind == "colours" and fit.features.reference is not None:
        named[f"{where}.fit.features.reference"] = [fit.features.reference]
    for key, used in named.items():
        unknown = [band for band in used if band not in bands]
        if unknown:
            raise InputError(f"{key}: no band {unknown[0]!r}, expected one of {list(bands)}")


def _check_others(survey: Any, bands: Collection[str], where: str) -> None:
    """Check that the bands of ``cuts.also_bands`` are measured, and not fitted."""
    others = [band for band in MEASURED.get(survey.kind, ()) if band not in bands]
    for band in survey.cuts.also_bands:
        if band not in others:
            raise InputError(
                f"{where}.cuts.also_bands: no band {band!r} besides those that are fitted, "
                f"expected some of {others}"
            )
