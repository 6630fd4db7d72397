"""A trained member, as it lies on disk and is handed on, in plain types."""

from typing import Any, TypedDict

from torch import Tensor


class TrainedMember(TypedDict, total=False):
    """What is kept of a member (``Member.as_plain``).

    Attributes:
        survey: name of the survey that it was trained on.
        member: its number, from 1.
        seed: of the run.
        config: the settings of the fit (JSON of ``FitConfig``).
        spectra: the stellar-population model (JSON of ``SpectraConfig``).
        parameters: box, coordinate and prior of each parameter (JSON).
        source: ``real``, ``mock``, ``stand-in`` or ``toy``.
        flow: weights of the flow, by name.
        zero_points: fitted, added to the model (band) [mag].
        f_lost: share of the ionising photons that make no nebular light; None without gas.
        objective: where the training ended, and the floor expected at the truth; may be empty.
        history: metrics of every epoch, by name.
        failure: why its training diverged; empty if it did not.
        provenance: fields of ``Provenance``.
        cost: time [s] and memory [MB] of its training, where they travel with it.
        data: equal for members trained on the same data with other draws.
    """

    survey: str
    member: int
    seed: int
    config: str
    spectra: str
    parameters: str
    source: str
    flow: dict[str, Tensor]
    zero_points: Tensor
    f_lost: float | None
    objective: dict[str, float]
    history: dict[str, list[float]]
    failure: str
    provenance: dict[str, Any]
    cost: dict[str, float]
    data: int
