"""From a configuration to the tasks of an ensemble: its members, and the groups they train in."""

import dataclasses

from popsed_core.config.fit import FitConfig
from popsed_core.config.root import Config
from popsed_core.inference.task import FitTask

UNNAMED = ("n_members", "members_per_job")  # how many there are is no part of a member's identity


def member_task(config: Config, survey: str, member: int, device: str = "cpu") -> FitTask:
    """Return what identifies a member: all that decides its numbers, and nothing else.

    Args:
        config: the whole configuration.
        survey: its name.
        member: counts from 1; 0 stands for the whole ensemble.
        device: where it trains.

    Raises:
        InputError: a change that the survey makes is unknown or wrong.
    """
    fit, plain = config.fit_for(survey), FitConfig()
    fit = dataclasses.replace(fit, **{name: getattr(plain, name) for name in UNNAMED})
    parameters = config.parameters_for(survey)
    return FitTask(survey, member, config.seed, fit, config.spectra, parameters, device)


def member_groups(n_members: int, size: int) -> list[list[int]]:
    """Return the numbers of the members that share each training.

    Args:
        n_members: of the ensemble.
        size: of a group; the last may be smaller.
    """
    numbers = list(range(1, n_members + 1))
    return [numbers[start : start + size] for start in range(0, n_members, size)]
