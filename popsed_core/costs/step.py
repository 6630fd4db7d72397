"""Cost of one training step, part by part, as a function of its number of synthetic galaxies.

The step is that of the fit; its parts are timed where its modules begin and end.
Cost = c N^a, fitted in logarithms: a is 1 for all work done galaxy by galaxy.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from popsed_core.inference.fit import FlowFit
from popsed_core.inference.task import FitInputs, FitTask
from popsed_core.running.runtime import peak_memory_mb

PARTS = ("flow", "photometry", "features", "distance", "backward", "optimiser")
MB = 2**20  # [B]


@dataclass(frozen=True)
class StepCost:
    """Cost of a step at one number of samples.

    Attributes:
        n_samples: synthetic galaxies in the step.
        seconds: medians over steps, by part and ``step`` in all; processor time on a CPU, elapsed
            time on a GPU [s]. ``backward`` is what follows the distance: the prior, the gradients.
        memory_mb: peak of the process so far, all included; on a GPU, of its memory [MB].
    """

    n_samples: int
    seconds: dict[str, float]
    memory_mb: float


class Stopwatch:
    """Splits a step into its parts, by hooks that change nothing."""

    def __init__(self, job: FlowFit) -> None:
        """Time a fit of one member until ``close``."""
        self.device = job.device
        self.marks: list[tuple[str, float]] = []
        (member,) = job.members
        modules = {
            "flow": member.flow.transform,
            "photometry": job.forward.photometry,
            "features": member.misfit.features,
            "distance": member.misfit,
        }
        self.hooks: list[Any] = [
            module.register_forward_hook(self._marker(name)) for name, module in modules.items()
        ]
        self.hooks.append(member.optimiser.register_step_pre_hook(self._marker("backward")))
        self.hooks.append(member.optimiser.register_step_post_hook(self._marker("optimiser")))

    def _marker(self, name: str) -> Callable[..., None]:
        return lambda *_: self.marks.append((name, self.now()))

    def now(self) -> float:
        """Return the time after all work given to the device so far [s]."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
            return time.perf_counter()
        return time.process_time()

    def step(self, job: FlowFit, progress: float) -> dict[str, float]:
        """Do one optimiser step as at ``progress`` of the run; return seconds by part."""
        self.marks = []
        epoch = int(progress * job.n_epochs)
        index = round((progress * job.n_epochs - epoch) * job.config.n_steps)
        start = last = self.now()
        job.step(epoch, index)
        end = self.now()
        spent = dict.fromkeys(PARTS, 0.0)
        for name, moment in self.marks:
            spent[name] += moment - last
            last = moment
        return spent | {"step": end - start}

    def close(self) -> None:
        """Remove the hooks."""
        for hook in self.hooks:
            hook.remove()


def step_cost(
    task: FitTask, survey: FitInputs, n_samples: int, *, n_repeats: int = 5, progress: float = 0.9
) -> StepCost:
    """Time steps of a fit with ``n_samples`` samples, after a warm-up step.

    A Sinkhorn distance compares them with an equal number of galaxies.

    Args:
        task: the fit; its number of samples is replaced.
        survey: the data.
        n_samples: synthetic galaxies in a step.
        n_repeats: steps, of which the median is taken.
        progress: fraction of the run at which schedules stand, < 1.
    """
    fit = replace(task.fit, n_samples=n_samples)
    if fit.distance.kind == "sinkhorn":
        fit = replace(fit, distance=replace(fit.distance, n_data=n_samples))
    job = FlowFit([replace(task, fit=fit)], survey)
    watch = Stopwatch(job)
    watch.step(job, progress)
    rows = [watch.step(job, progress) for _ in range(n_repeats)]
    watch.close()
    seconds = {name: float(np.median([row[name] for row in rows])) for name in rows[0]}
    return StepCost(n_samples, seconds, _peak_mb(job.device))


def exponent(n_samples: Sequence[int], seconds: Sequence[float]) -> float:
    """Return a of cost = c N^a by least squares in logarithms [-]."""
    if len(set(n_samples)) < 2:
        raise ValueError(f"n_samples: got {list(n_samples)}, expected at least two sizes")
    return float(_log_law(n_samples, seconds)[0])


def extrapolate(n_samples: Sequence[int], seconds: Sequence[float], to: int) -> float:
    """Return the fitted cost at ``to`` samples [s]."""
    return float(np.exp(np.polyval(_log_law(n_samples, seconds), np.log(to))))


def _log_law(n_samples: Sequence[int], seconds: Sequence[float]) -> Float[np.ndarray, "2"]:
    return np.polyfit(np.log(n_samples), np.log(seconds), 1)


def _peak_mb(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MB
    return peak_memory_mb()
