"""Training members into a folder: finished ones are read, half-done ones resumed.

A member's file says from which data, settings and code it was trained; one that says otherwise is
never replaced in silence.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from popsed_core.api.survey import Survey
from popsed_core.config.base import to_json
from popsed_core.errors import InputError
from popsed_core.files.lock import one_writer
from popsed_core.files.provenance import Provenance, worst_source
from popsed_core.inference.ensemble import load_member
from popsed_core.inference.fit import fit_members
from popsed_core.inference.task import FitTask, fingerprint
from popsed_core.inference.tasks import member_task
from popsed_core.provenance.verbs import code_of, versions_of
from popsed_core.running.gpus import one_gpu
from popsed_core.running.loop import delete_checkpoints, save_plain
from popsed_core.running.runtime import pick_device

log = logging.getLogger(__name__)

VERB = "fit member"
COST = ("seconds", "peak_memory_mb")


@dataclass(frozen=True)
class Workplace:
    """Where the members of a survey are trained.

    Attributes:
        survey: what is fitted.
        folder: of the members and their checkpoints.
        device: ``auto``, ``cpu`` or ``cuda``.
    """

    survey: Survey
    folder: Path
    device: str

    def member_path(self, number: int) -> Path:
        """Return the file of a member."""
        return self.folder / f"member_{number}.pt"

    def train(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Return members that are trained together; from their files where they are finished.

        Args:
            numbers: of the members.

        Raises:
            InputError: data and settings do not fit together; or a file in the folder is damaged,
                or of another fit.
        """
        origins = [self._origin(number, numbers) for number in numbers]
        tasks = [self._task(number) for number in numbers]
        checkpoint = self.folder / f"checkpoint_{numbers[0]}_{numbers[-1]}.pt"
        with one_writer(checkpoint):
            found = self._finished(numbers, origins)
            if found is None:
                found = self._train(tasks, origins, checkpoint)
            delete_checkpoints(checkpoint)
        return found

    def _task(self, number: int) -> FitTask:
        return member_task(self.survey.config, self.survey.name, number, self.device)

    def _train(
        self, tasks: Sequence[FitTask], origins: Sequence[Provenance], checkpoint: Path
    ) -> list[dict[str, Any]]:
        with one_gpu(self.device):
            members, cost = fit_members(tasks, self.survey.inputs, checkpoint)
        whole = [
            {**member, "source": origin.source, "provenance": asdict(origin), "cost": cost}
            for member, origin in zip(members, origins, strict=True)
        ]
        for member in whole:
            save_plain(member, self.member_path(member["member"]))
        return whole

    def _finished(
        self, numbers: Sequence[int], origins: Sequence[Provenance]
    ) -> list[dict[str, Any]] | None:
        """Return the members of a group if all are there; None if some is to be trained."""
        paths = [self.member_path(number) for number in numbers]
        found = [load_member(path) if path.exists() else None for path in paths]
        for path, member, origin in zip(paths, found, origins, strict=True):
            if member is not None and member.get("provenance") != asdict(origin):
                raise InputError(
                    f"{path}: was trained from other data, settings or code, or on another device; "
                    "give another folder, or delete it to train it once more"
                )
        return None if None in found else found

    def _origin(self, number: int, group: Sequence[int]) -> Provenance:
        """Return what a member's file records: of the same record, the same bytes."""
        inputs, task = self.survey.inputs, self._task(number)
        kind = pick_device(self.device).type
        return Provenance(
            source=worst_source(inputs.grid.source, inputs.catalogue.source),
            config=to_json(task.fit),
            seed=task.seed,
            inputs={"survey": fingerprint([task], inputs)},
            command="popsed_core.fit",
            arguments=json.dumps({"member": number, "group": list(group), "device": kind}),
            code=code_of(VERB),
            versions=versions_of(VERB),
        )


def default_folder(survey: Survey) -> Path:
    """Return ``popsed_fits/NAME_HASH``: the hash is of data, settings and code, not of numbers.

    Another configuration has another folder, so that fits never meet.
    """
    task = member_task(survey.config, survey.name, 0)
    return Path("popsed_fits") / (
        f"{survey.name}_{fingerprint([task], survey.inputs)[:8]}{code_of(VERB)[:4]}"
    )
