"""Galaxies drawn from a fit: columns by name, tables, selections, figures."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from popsed_core.api.selection import evaluate
from popsed_core.api.show import Shown, counted, short_list
from popsed_core.api.survey import Survey
from popsed_core.errors import InputError
from popsed_core.inference.samples import PopulationSamples
from popsed_core.inference.trained_member import TrainedMember

MAG, MEMBER = "mag_", "member"


@dataclass(frozen=True, repr=False, eq=False)
class Samples(Shown):
    """Draws of the population as the survey selects it; one row is one galaxy.

    ``samples["redshift"]`` is an array in the units of :meth:`to_table`. Columns are ``member``,
    the physical parameters, the quantities derived from them, and ``mag_BAND`` with noise.

    Attributes:
        population: all draws, and as many of the prior, (member, draw, ...).
        survey: that was fitted.
        members: the trained flows that they were drawn from, as plain values.
        is_kept: which draws a selection has left, (member, draw); None: all.
        is_kept_prior: which draws of the prior; None where a selection does not say.
        conditions: of the selections, as text.
    """

    population: PopulationSamples
    survey: Survey
    members: tuple[TrainedMember, ...]
    is_kept: np.ndarray | None = None
    is_kept_prior: np.ndarray | None = None
    conditions: tuple[str, ...] = ()

    def keys(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        population = self.population
        mags = (f"{MAG}{band}" for band in population.bands)
        return (MEMBER, *population.names, *population.derived_names, *mags)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        n_members, n_draws, _ = self.population.theta.shape
        return n_members * n_draws if self.is_kept is None else int(self.is_kept.sum())

    def __getitem__(self, name: str) -> np.ndarray:
        values = self._column(name)
        return values.ravel() if self.is_kept is None else values[self.is_kept]

    def _column(self, name: str) -> np.ndarray:
        """Return a column of all draws, (member, draw)."""
        population = self.population
        if name == MEMBER:
            n_draws = population.theta.shape[1]
            return np.repeat(np.array(population.members)[:, None], n_draws, axis=1)
        self._check(name)
        if name.startswith(MAG):
            return population.mag[:, :, population.bands.index(name.removeprefix(MAG))]
        return population.column(name)

    def _prior_column(self, name: str) -> np.ndarray:
        """Return a column of the prior's draws, (prior_draw,)."""
        population = self.population
        if name == MEMBER:
            raise InputError(f"condition: {MEMBER!r} has no meaning for the prior; use a mask")
        self._check(name)
        if name.startswith(MAG):
            return population.prior_mag[:, population.bands.index(name.removeprefix(MAG))]
        return population.prior_column(name)

    def _check(self, name: str) -> None:
        if name not in self.keys():
            raise InputError(f"samples: no column {name!r}, expected one of {', '.join(self)}")

    def to_table(self) -> "astropy.table.Table":
        """Return an astropy Table with units and descriptions; ``QTable`` of it has Quantities."""
        from popsed_core.api.tables import Described, described, make_table

        population = self.population
        columns = [Described(MEMBER, self[MEMBER], "", "number of the ensemble's flow")]
        names = (*population.names, *population.derived_names)
        columns += [described(name, self[name]) for name in names]
        for band in population.bands:
            text = f"predicted magnitude with noise in {band}"
            columns.append(Described(f"{MAG}{band}", self[f"{MAG}{band}"], "mag(AB)", text))
        return make_table(columns, source=population.source)

    def where(self, condition: np.ndarray | str) -> "Samples":
        """Return the draws for which a condition holds.

        Args:
            condition: one Boolean per row, such as ``samples["redshift"] < 0.1``; or the same as a
                text, ``"redshift < 0.1"``, which selects the prior's draws likewise, so that
                figures can still show what the data add.

        Raises:
            InputError: the condition is not understood, has another length or leaves nothing.
        """
        is_all = np.ones(self.population.theta.shape[:2], dtype=bool)
        before = is_all if self.is_kept is None else self.is_kept
        if isinstance(condition, str):
            is_kept = before & evaluate(condition, self._column)
            prior, text = self._prior_where(condition), condition
        else:
            is_kept, prior, text = _with_mask(before, condition), None, "a mask"
        if not is_kept.any():
            raise InputError(f"condition {text!r}: holds for none of {len(self):,} rows")
        return replace(
            self, is_kept=is_kept, is_kept_prior=prior, conditions=(*self.conditions, text)
        )

    def _prior_where(self, condition: str) -> np.ndarray | None:
        if self.is_kept is not None and self.is_kept_prior is None:
            return None  # a mask before this has not said which
        found = evaluate(condition, self._prior_column)
        return found if self.is_kept_prior is None else found & self.is_kept_prior

    def plot(
        self, kind: str = "population", reference: Any = None, ax: Any = None
    ) -> "matplotlib.figure.Figure":
        """Draw a figure of the survey, in the house style but for what ``rcParams`` sets.

        Args:
            kind: ``population``, ``redshift_distribution``, ``corner_full``, ``photometry``,
                ``colours``, ``recovery``, ``star_forming_sequence``, ``training``, ``noise_model``
                or ``cut_flow``.
            reference: known values to show beside, such as ``survey.reference``.
            ax: axes for a figure of one panel; a figure, subfigure or array of axes for one of
                several; by default a new figure.

        Returns:
            The Matplotlib figure. A selection shows an equal number of each member.

        Raises:
            InputError: no such figure, axes of another number, or a selection by a mask.
        """
        from popsed_core.figures.registry import draw_for_user

        inputs = self.survey.inputs
        artefacts = {
            "samples": self._balanced(),
            "reference": reference,
            "catalogue": inputs.catalogue,
            "noise": inputs.noise,
            "members": list(self.members),
        }
        return draw_for_user(kind, artefacts, ax)

    def _balanced(self) -> PopulationSamples:
        """Return the draws with an equal number of each member, the first ones."""
        if self.is_kept is None:
            return self.population
        if self.is_kept_prior is None:
            raise InputError(
                "samples: selected by a mask, which does not say what to select of the prior; "
                "select by a text, such as where('redshift < 0.1')"
            )
        n = int(self.is_kept.sum(1).min())
        if n == 0 or not self.is_kept_prior.any():
            raise InputError("samples: the selection leaves a member or the prior without draws")
        rows = [np.flatnonzero(kept)[:n] for kept in self.is_kept]
        drawn = {name: getattr(self.population, name) for name in ("theta", "derived", "mag")}
        prior = {f"prior_{name}": getattr(self.population, f"prior_{name}") for name in drawn}
        return replace(
            self.population,
            **{name: np.stack([v[k] for v, k in zip(x, rows, strict=True)])
               for name, x in drawn.items()},
            **{name: values[self.is_kept_prior] for name, values in prior.items()},
        )  # fmt: skip

    def _title(self) -> str:
        return f"Samples of {self.survey.name}: {len(self):,} galaxies"

    def _facts(self) -> dict[str, str]:
        population = self.population
        return {
            "drawn from": counted(len(population.theta), "flow"),
            "columns": short_list(self.keys(), 6),
            "selection": "; ".join(self.conditions) or "none",
        }


def _with_mask(before: np.ndarray, mask: Any) -> np.ndarray:
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != (before.sum(),):
        raise InputError(
            f"condition: got {mask.dtype} of shape {mask.shape}, expected one Boolean for each of "
            f"{before.sum():,} rows"
        )
    is_kept = before.copy()
    is_kept[before] = mask
    return is_kept
