"""Columns of corner plots from samples, reference and catalogue."""

import numpy as np

from popsed_core.diagnostics.columns import COLUMNS
from popsed_core.diagnostics.recovery import constrain
from popsed_core.figures.corner import Column
from popsed_core.inference.samples import PopulationSamples
from popsed_core.surveys.catalogue import Reference

KNOWN_NAMES = {"truth": "truth", "spectroscopy": "spectroscopic survey"}


def parameter_column(
    samples: PopulationSamples, reference: Reference | None, name: str, label: str | None = None
) -> Column:
    """Return one parameter or derived quantity, with what is known of it and its prior."""
    known = None
    constraint = constrain(samples, name)
    if reference is not None and name in reference.names:
        known = reference.values[:, reference.names.index(name)].astype(np.float64)
    return Column(
        label=label or COLUMNS[name].label,
        members=samples.column(name).astype(np.float64),
        known=known if known is not None and np.isfinite(known).any() else None,
        prior=samples.prior_column(name).astype(np.float64),
        is_prior_dominated=constraint.is_prior_dominated,
        note=constraint.against_prior,
    )


def known_name(reference: Reference | None) -> str:
    """Return what a legend calls the reference."""
    if reference is None:
        return ""
    name = KNOWN_NAMES[reference.kind]
    return f"{name}\n({reference.note})" if reference.note else name
