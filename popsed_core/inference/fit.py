"""Fit members: train their flows until the predicted photometry is distributed as observed.

    loss = misfit(predicted, observed) + beta KL(q || prior)

and the prior of the zero points, which absorb differences of calibration and spectra; after Li et
al. 2023, section 2.5, with the population prior in the objective (beta = 0 is the paper).  KL is a
nat for each galaxy, the cost of a zero point one for all: it is divided by ``prior_strength``.
Every epoch ends with the distance to held-out galaxies.

Members of one job share a step: their flows are evaluated as one batch, and the forward model sees
all their galaxies together, so that a GPU runs fewer and larger kernels.  Each member has its
own draws, data, gradient and optimiser, so that the result is that of separate jobs, except for
rounding.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.config.base import to_json
from popsed_core.inference import schedules
from popsed_core.inference.distances.expected_misfit import ExpectedMisfit
from popsed_core.inference.flow import push_together
from popsed_core.inference.member import Member
from popsed_core.inference.priors.member_priors import MemberPriors
from popsed_core.inference.priors.observability import Observability
from popsed_core.inference.space import ParameterSpace
from popsed_core.inference.task import FitInputs, FitTask, build_forward, fingerprint
from popsed_core.inference.trained_member import TrainedMember
from popsed_core.photometry.forward import calibrated
from popsed_core.running import loop
from popsed_core.running.learning_rate import one_cycle
from popsed_core.running.runtime import peak_memory_mb, pick_device, release_freed_memory
from popsed_core.theta import Theta

log = logging.getLogger(__name__)

OBJECTIVE_DRAWS = 2000  # galaxies drawn at a time to evaluate a trained member
MOST_DRAWS = 100_000  # in all; as many as the catalogue has, if it has fewer


class FlowFit:
    """The training job of members that differ only in their number, for ``loop.run``."""

    def __init__(self, tasks: Sequence[FitTask], survey: FitInputs) -> None:
        """Build all parts; opens no file.

        Raises:
            InputError: the configuration and the data are inconsistent.
            ValueError: the tasks differ in more than their member.
        """
        task = tasks[0]
        if len({to_json(replace(each, member=0)) for each in tasks}) != 1:
            raise ValueError("tasks: got different settings, expected only different members")
        self.task, self.config = task, task.fit
        self.n_epochs = task.fit.n_epochs
        self.device = pick_device(task.device)
        self.space = ParameterSpace(task.parameters)
        self.prior = MemberPriors(tasks).to(self.device)
        self.forward = build_forward(task, survey, self.device)
        limits = self.config.selection
        self.log_observed = Observability(survey.catalogue, self.forward, limits)
        self.log_observed.to(self.device)
        self.members = [Member(each, survey.catalogue, self.forward, self.device) for each in tasks]
        release_freed_memory()

    def epoch(self, index: int) -> dict[str, float]:
        """Do one epoch of optimiser steps and a validation; return means over members.

        Raises:
            FloatingPointError: no member is left; names epoch, step and the first bad rows.
        """
        steps = torch.stack([self.step(index, step) for step in range(self.config.n_steps)]).cpu()
        if self.device.type == "cuda":
            self._check_epoch(index, steps)
        rows = []
        for member, means in zip(self.members, steps.mean(0).tolist(), strict=True):
            metrics = dict(zip(("distance", "prior_kl", "gradient"), means, strict=True))
            metrics["validation"] = self.validate(member)
            metrics["learning_rate"] = member.optimiser.param_groups[0]["lr"]
            if not member.failure:
                rows.append(metrics)
                for name, value in metrics.items():
                    member.history.setdefault(name, []).append(value)
        return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}

    def step(self, epoch: int, step: int) -> Float[Tensor, "member 3"]:
        """Do one optimiser step; return distance, KL(q || prior) [nat] and norm of the gradient.

        On a GPU nothing waits for the device.

        Raises:
            FloatingPointError: on a CPU, no member is left whose loss and gradient are finite.
        """
        config = self.config
        progress = (epoch + step / config.n_steps) / config.n_epochs
        distance, divergence, theta, maggies = self.losses(progress)
        beta = schedules.prior_weight(progress, config.prior_weight)
        costs = torch.stack([member.calibration_cost() for member in self.members])
        losses = distance + beta * (divergence + costs / config.prior_strength)
        for member in self.members:
            member.optimiser.zero_grad(set_to_none=True)
        losses.sum().backward()
        sizes = torch.stack(
            [
                torch.nn.utils.clip_grad_norm_(member.weights, config.max_gradient)
                for member in self.members
            ]
        )
        if self.device.type == "cpu":
            self._check_step(epoch, step, losses.detach() + sizes, (*theta, maggies))
        for member in self.members:
            if not member.failure:
                member.optimiser.param_groups[0]["lr"] = one_cycle(progress, config.learning_rate)
                member.optimiser.step()
        return torch.stack((distance, divergence, sizes), dim=1).detach()

    def losses(
        self, progress: float
    ) -> tuple[Float[Tensor, "member"], Float[Tensor, "member"], Theta, Float[Tensor, "row band"]]:
        """Return the distances to the data, KL(q || prior), and the draws they were taken on.

        The prior is that of observed galaxies if ``selection`` is configured, up to a constant.
        The draws, of one member after the other, are their parameters and true fluxes [maggies].
        """
        n, members = self.config.n_samples, self.members
        base = [member.flow.draw_base(n, member.draws) for member in members]
        u, log_density = push_together([member.flow for member in members], base)
        theta = self.space.to_theta(u)
        maggies = self.forward.fluxes(theta, self._f_lost())
        to_prior = self.prior.log_density_ratio(theta, u, log_density, self.space)
        log_density_ratio = to_prior - self.log_observed(maggies)
        seen = calibrated(maggies, self._zero_points()).split(n)
        pairs = zip(members, seen, strict=True)
        misfit = torch.stack([one.misfit(part, one.draws, progress) for one, part in pairs])
        return misfit, log_density_ratio.view(-1, n).mean(1), theta, maggies

    def _zero_points(self) -> Float[Tensor, "band"] | Float[Tensor, "row band"]:
        first, *others = (member.zero_points for member in self.members)
        if not others:
            return first
        return torch.stack([first, *others]).repeat_interleave(self.config.n_samples, dim=0)

    def _f_lost(self) -> Float[Tensor, ""] | Float[Tensor, "row"] | None:
        shares = [member.f_lost for member in self.members]
        found = [share for share in shares if share is not None]
        if len(found) < 2:
            return found[0] if found else None
        return torch.stack(found).repeat_interleave(self.config.n_samples)

    @torch.no_grad()
    def validate(self, member: Member) -> float:
        """Return the misfit of fresh draws, at full noise, to the held-out galaxies."""
        draws = member.validation_draws
        maggies = self.true_fluxes(member, member.validation.n_draws, draws)
        return member.validation(maggies, draws, 1.0).item()

    def true_fluxes(
        self, member: Member, n: int, draws: torch.Generator
    ) -> Float[Tensor, "galaxy band"]:
        """Draw galaxies of a member; return their fluxes at its zero points [maggies]."""
        u, _ = member.flow.sample(n, draws)
        maggies = self.forward.fluxes(self.space.to_theta(u), member.f_lost)
        return calibrated(maggies, member.zero_points)

    @torch.no_grad()
    def objective(self, member: Member) -> dict[str, float]:
        """Return the chi-squared of a trained member from many draws, and its expectation.

        Keys ``value`` and ``floor``; empty for a misfit whose expectation is not known.
        """
        misfit = member.misfit
        if not isinstance(misfit, ExpectedMisfit):
            return {}
        draws = member.stream("objective")
        n_parts = 2 * max(1, round(min(misfit.n_galaxies, MOST_DRAWS) / (2 * OBJECTIVE_DRAWS)))
        parts = (self.true_fluxes(member, OBJECTIVE_DRAWS, draws) for _ in range(n_parts))
        value = misfit.chi_squared(parts)
        return {"value": value, "floor": misfit.floor}

    def _check_step(
        self, epoch: int, step: int, values: Float[Tensor, "member"], draws: Sequence[Tensor]
    ) -> None:
        """Mark members with a value that is not finite, with the first bad rows of their draws."""
        for index, value in enumerate(values.tolist()):
            if value - value == 0:
                continue
            n = self.config.n_samples
            mine = torch.column_stack(tuple(draws))[index * n : (index + 1) * n]
            bad = ~torch.isfinite(mine).all(1)
            rows = bad.nonzero()[:5, 0].tolist() or "none (gradient only)"
            self._fail(self.members[index], epoch, step, f"loss {value}, first bad rows {rows}")
        self._require_one()

    def _check_epoch(self, epoch: int, steps: Float[Tensor, "step member 3"]) -> None:
        """Mark members with a value that was not finite in some step."""
        is_bad = ~torch.isfinite(steps).all(2)
        for index, member in enumerate(self.members):
            if is_bad[:, index].any():
                self._fail(member, epoch, int(is_bad[:, index].nonzero()[0]), "loss not finite")
        self._require_one()

    def _fail(self, member: Member, epoch: int, step: int, what: str) -> None:
        member.failure = member.failure or (
            f"fit diverged in epoch {epoch + 1}, step {step + 1}: {what}; lower "
            "fit.learning_rate.peak"
        )

    def _require_one(self) -> None:
        if all(member.failure for member in self.members):
            raise FloatingPointError(self.members[0].failure)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next epoch depends on."""
        return {"members": [member.state_dict() for member in self.members]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned."""
        for member, part in zip(self.members, state["members"], strict=True):
            member.load_state_dict(part)


def fit_members(
    tasks: Sequence[FitTask], survey: FitInputs, checkpoint: Path | None = None
) -> tuple[list[TrainedMember], dict[str, float]]:
    """Train members together, resuming from ``checkpoint`` if it exists.

    Args:
        tasks: one per member; they differ in nothing else.
        survey: the data.
        checkpoint: of all of them.

    Returns:
        The members (see :meth:`Member.as_plain`; ``failure`` says why if training diverged) and
        what this run cost each of them: ``seconds``, its share, and ``peak_memory_mb`` of all.

    Raises:
        InputError: bad input, or a checkpoint of another configuration.
    """
    start = time.monotonic()
    job = FlowFit(tasks, survey)
    with suppress(FloatingPointError):  # reported below, for each
        loop.run(job, checkpoint, fingerprint(tasks, survey))
    for member in job.members:
        _conclude(job, member)
    seconds = (time.monotonic() - start) / len(tasks)
    cost = {"seconds": seconds, "peak_memory_mb": peak_memory_mb()}
    return [member.as_plain(survey.catalogue.source) for member in job.members], cost


def _conclude(job: FlowFit, member: Member) -> None:
    """Evaluate a trained member and log the result."""
    number = member.task.member
    if member.failure:
        log.warning("member %d: %s; excluded from the ensemble", number, member.failure)
        return
    member.objective = job.objective(member)
    if member.objective:
        log.info(
            "member %d: chi-squared %.0f, expected at the truth %.0f", number,
            member.objective["value"], member.objective["floor"],
        )  # fmt: skip


def fit_member(
    task: FitTask, survey: FitInputs, checkpoint: Path | None = None
) -> tuple[TrainedMember, dict[str, float]]:
    """Train one member; as :func:`fit_members`."""
    members, cost = fit_members([task], survey, checkpoint)
    return members[0], cost
