"""Fits: train an ensemble of flows on a survey, draw from it, ask it for densities."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from popsed_core.api.show import Shown, counted
from popsed_core.api.survey import Survey
from popsed_core.api.training import Workplace, default_folder
from popsed_core.errors import InputError
from popsed_core.files.provenance import worst_source
from popsed_core.inference.ensemble import sample_ensemble
from popsed_core.inference.member_quality import exclusion_reasons
from popsed_core.inference.tasks import member_groups, member_task
from popsed_core.inference.trained_member import TrainedMember
from popsed_core.running.borrowed import as_in_the_workflow
from popsed_core.running.progress import progress_bar


@dataclass(frozen=True, repr=False, eq=False)
class Fit(Shown):
    """A trained ensemble.

    Attributes:
        survey: what was fitted.
        members: the trained flows, as plain values: ``history``, ``zero_points``, ...
    """

    survey: Survey
    members: tuple[TrainedMember, ...]

    @property
    def left_out(self) -> dict[int, str]:
        """The members that do not count, and why, by number."""
        return exclusion_reasons(self.members, self.survey.config.products.max_validation)

    def sample(self, n: int | None = None) -> "popsed_core.api.samples.Samples":
        """Draw galaxies of the population, with their photometry as the survey measures it.

        Each member that counts gives an equal number. All pass the survey's cuts. The draws are
        the same each time: they depend on the configured seed, on ``n`` and on the members.

        Args:
            n: of galaxies; rounded up to a multiple of the members that count. By default
                ``products.n_draws`` of the configuration for each member.

        Raises:
            InputError: n is not positive, no member can be used, or almost no draw passes the cuts.
        """
        from popsed_core.api.samples import Samples

        survey, products = self.survey, self.survey.config.products
        if n is not None:
            if n < 1:
                raise InputError(f"n: got {n}, expected 1 or more galaxies")
            n_kept = len(self.members) - len(self.left_out)
            products = replace(products, n_draws=-(-n // n_kept))
        task = member_task(survey.config, survey.name, 0)
        with as_in_the_workflow(survey.config.runtime.n_threads):
            drawn = sample_ensemble(task, products, survey.inputs, [dict(m) for m in self.members])
        inputs = survey.inputs
        source = worst_source(inputs.grid.source, inputs.catalogue.source)
        return Samples(replace(drawn, source=source), survey, self.members)

    def log_prob(self, table: Any) -> np.ndarray:
        """Return the log density of galaxies under the ensemble, the mean over its members.

        It is that of the flows, of which ``sample`` drops the few draws that fail the survey's
        cuts (``samples.population.removed``).

        Args:
            table: with a column for each physical parameter: an astropy Table, columns by name, or
                samples. Columns with units are converted.

        Returns:
            ln p per galaxy [-ln of the product of the parameters' units]; minus infinity outside of
            their ranges.

        Raises:
            InputError: a parameter is missing, no number or in a wrong unit.
        """
        from popsed_core.api.tables import to_theta
        from popsed_core.inference.density import log_density

        left_out = self.left_out
        kept = [member for member in self.members if member["member"] not in left_out]
        parameters = self.survey.config.parameters_for(self.survey.name)
        return log_density(kept, parameters, to_theta(table)).numpy()

    def plot(self, ax: Any = None) -> "matplotlib.figure.Figure":
        """Draw the training curves of all members; ``ax`` as for :meth:`Samples.plot`."""
        from popsed_core.figures.registry import draw_for_user

        return draw_for_user("training", {"members": list(self.members)}, ax)

    def save(self, path: str | Path) -> None:
        """Write the fit with all that it needs into one file; :func:`popsed_core.load` reads it.

        Args:
            path: the file to make or replace, such as ``mine.popsed``.

        Raises:
            InputError: the file cannot be written.
        """
        from popsed_core.api.archive import write

        write(self.survey, self.members, path)

    def _title(self) -> str:
        return f"Fit of {self.survey.name}: {counted(len(self.members), 'flow')}"

    def _facts(self) -> dict[str, str]:
        last = [
            member["history"]["validation"][-1] for member in self.members if not member["failure"]
        ]
        left_out = [f"member {number}" for number in self.left_out] if last else ["all"]
        return {
            "survey": f"{len(self.survey.inputs.catalogue.mag):,} galaxies",
            "validation distance": ", ".join(f"{value:.3g}" for value in last[:8]) or "none",
            "left out": ", ".join(left_out) or "none",
        }


def fit(
    survey: Survey,
    n_members: int | None = None,
    *,
    folder: str | Path | None = None,
    device: str | None = None,
) -> Fit:
    """Train an ensemble of flows on a survey, as the workflow does and with the same numbers.

    What is done is kept in a folder: called once more with the same survey, finished members are
    read and a half-done one goes on where it was, to the same bits on a CPU.

    Args:
        survey: of :func:`popsed_core.read_survey`.
        n_members: flows in the ensemble; by default ``fit.n_members`` of the configuration.
        folder: of members and checkpoints; by default ``popsed_fits/NAME_HASH`` in the working
            folder, with a hash of data, settings and code.
        device: ``auto`` (a GPU if there is one), ``cpu`` or ``cuda``; by default
            ``runtime.device`` of the configuration, which is ``auto`` unless it says so.

    Raises:
        InputError: settings and data do not fit together, there is no GPU, or the folder has
            members of another fit; names what and the remedy.
    """
    config = survey.config
    section = config.fit_for(survey.name)
    n_members = section.n_members if n_members is None else n_members
    if n_members < 1:
        raise InputError(f"n_members: got {n_members}, expected 1 or more flows")
    place = Path(folder) if folder is not None else default_folder(survey)
    work = Workplace(survey, place, device or config.runtime.device)
    members: list[TrainedMember] = []
    with as_in_the_workflow(config.runtime.n_threads):
        for group in member_groups(n_members, section.members_per_job):
            done = len(members) / n_members
            label = f"{survey.name} {group[0]} of {n_members}"
            with progress_bar(label, done, done + len(group) / n_members):
                members += work.train(group)
    return Fit(survey, tuple(members))


def load(path: str | Path) -> Fit:
    """Read a fit that :meth:`Fit.save` wrote; what it draws is the same bit for bit.

    Args:
        path: the file.

    Raises:
        InputError: there is no such file, it is damaged, or no fit, or of a format that this
            version does not know.
    """
    from popsed_core.api.archive import read

    return Fit(*read(path))
