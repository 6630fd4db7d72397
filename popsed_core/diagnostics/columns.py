"""Label, unit and description of every column of the products, by name."""

from popsed_core.inference.samples import PopulationSamples
from popsed_core.parameters import DERIVED, PARAMETERS, Derived, Parameter

COLUMNS: dict[str, Parameter | Derived] = {row.name: row for row in (*PARAMETERS, *DERIVED)}


def all_names(samples: PopulationSamples) -> tuple[str, ...]:
    """Return the names of the parameters and then of the derived quantities."""
    return (*samples.names, *samples.derived_names)
