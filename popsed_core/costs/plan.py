"""Estimated time of an ensemble, from the measured costs of its parts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from popsed_core.costs.machine import described


@dataclass(frozen=True)
class Plan:
    """An ensemble on some devices.

    Attributes:
        n_galaxies: in the catalogue.
        n_members: flows.
        n_devices: GPUs, or machines without one.
        members_per_job: the fastest of those measured.
        n_rounds: jobs that each device does, one after the other.
        setup_s: reading the catalogue and its statistics, in one job [s].
        train_s: optimiser steps, in one job [s].
        memory_mb: host memory of one job [MB].
        is_extrapolated: more galaxies than were measured.
    """

    n_galaxies: int
    n_members: int
    n_devices: int
    members_per_job: int
    n_rounds: int
    setup_s: float
    train_s: float
    memory_mb: float
    is_extrapolated: bool

    @property
    def total_s(self) -> float:
        """Until the last member is trained [s]."""
        return self.n_rounds * (self.setup_s + self.train_s)


def make_plan(costs: Mapping[str, Any], n_galaxies: int, n_members: int, n_devices: int) -> Plan:
    """Choose how many members to train together, and add up.

    Args:
        costs: of ``popsed bench galaxies``.
        n_galaxies: in the catalogue.
        n_members: flows of the ensemble.
        n_devices: that each train one job at a time.
    """
    found, together = costs["galaxies"], costs["together"]
    setup = along(found["n"], found["setup_s"], n_galaxies)
    memory = along(found["n"], found["memory_mb"], n_galaxies)
    plans = []
    for index, size in enumerate(together["n"]):
        if size > n_members:
            continue
        more = together["memory_mb"][index] - together["memory_mb"][0]
        plans.append(
            Plan(
                n_galaxies=n_galaxies,
                n_members=n_members,
                n_devices=n_devices,
                members_per_job=size,
                n_rounds=math.ceil(math.ceil(n_members / size) / n_devices),
                setup_s=size * setup,
                train_s=costs["n_steps"] * together["step_s"][index],
                memory_mb=memory + max(more, 0.0),
                is_extrapolated=n_galaxies > max(found["n"]),
            )
        )
    return min(plans, key=lambda plan: (plan.total_s, plan.members_per_job))


def along(n: list[int], values: list[float], at: int) -> float:
    """Interpolate linearly; extrapolate beyond the last size, but never downwards."""
    if at <= n[-1] or len(n) < 2:
        return float(np.interp(at, n, values))
    slope = max((values[-1] - values[-2]) / (n[-1] - n[-2]), 0.0)
    return values[-1] + slope * (at - n[-1])


def as_text(plan: Plan, costs: Mapping[str, Any]) -> str:
    """Return the plan in words."""
    is_gpu = costs["machine"].get("is_gpu", False)
    device = "GPU" if is_gpu else "machine"
    jobs = math.ceil(plan.n_members / plan.members_per_job)
    lines = [
        f"{plan.n_galaxies:,} galaxies, {plan.n_members} members on {plan.n_devices} {device}(s): "
        f"{clock(plan.total_s)}.",
        f"  fit.members_per_job: {plan.members_per_job}: {jobs} job(s), at most {plan.n_rounds} on "
        f"each {device}",
        f"  one job: {clock(plan.setup_s)} to read the catalogue and make its statistics, "
        f"{clock(plan.train_s)} of training; {plan.memory_mb / 1024:.1f} GB of memory",
        f"  measured on: {described(costs['machine'])}",
    ]
    if plan.is_extrapolated:
        largest = max(costs["galaxies"]["n"])
        factor = plan.n_galaxies / largest
        lines.append(f"  extrapolated {factor:.3g}-fold: measured up to {largest:,} galaxies")
    if not is_gpu:
        lines.append("  measured without a GPU; with one: `popsed bench galaxies --device cuda`")
    return "\n".join(lines) + "\n"


def clock(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
