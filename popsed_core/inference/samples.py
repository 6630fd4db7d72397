"""PopulationSamples: draws from the trained ensemble, the population posterior on disk."""

from dataclasses import dataclass

import numpy as np

from popsed_core.files.artefacts import array, check_axes


@dataclass(frozen=True)
class PopulationSamples:
    """Equal numbers of draws from every member; all pass the survey's cuts.

    Attributes:
        theta: physical parameters, columns ``names`` (order of ``parameters.NAMES``).
        derived: derived quantities, columns ``derived_names``.
        mag: predicted photometry with noise [mag].
        prior_theta: draws from the population prior alone, to show what the data add.
        prior_derived: their derived quantities.
        prior_mag: their photometry with noise [mag].
        names: parameter names.
        derived_names: names of ``parameters.DERIVED``.
        bands: band names.
        source: ``real``, ``mock``, ``stand-in`` or ``toy`` (the worst of the inputs).
        members: numbers of the members in use.
        left_out: the excluded members, with the reason.
        removed: share of each member's draws that failed the survey's cuts and were replaced.
    """

    theta: np.ndarray = array("per column", "member", "draw", "parameter")
    derived: np.ndarray = array("per column", "member", "draw", "quantity")
    mag: np.ndarray = array("mag(AB)", "member", "draw", "band")
    prior_theta: np.ndarray = array("per column", "prior_draw", "parameter")
    prior_derived: np.ndarray = array("per column", "prior_draw", "quantity")
    prior_mag: np.ndarray = array("mag(AB)", "prior_draw", "band")
    names: tuple[str, ...] = ()
    derived_names: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    source: str = "real"
    members: tuple[int, ...] = ()
    left_out: tuple[str, ...] = ()
    removed: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_axes(self)

    def column(self, name: str) -> np.ndarray:
        """Return one parameter or derived quantity, (member, draw)."""
        if name in self.names:
            return self.theta[:, :, self.names.index(name)]
        return self.derived[:, :, self.derived_names.index(name)]

    def prior_column(self, name: str) -> np.ndarray:
        """Return one parameter or derived quantity drawn from the prior, (prior_draw,)."""
        if name in self.names:
            return self.prior_theta[:, self.names.index(name)]
        return self.prior_derived[:, self.derived_names.index(name)]
