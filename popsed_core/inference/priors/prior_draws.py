"""Draws of an uncertain prior: normalisations of its relations, within their published errors.

Every value of a prior's configuration that has a sibling ``NAME_error`` is drawn from a normal
distribution about it; a table is shifted as a whole.  Each member of an ensemble has a prior of its
own, so that the uncertainty of the literature widens the ensemble interval.  The prior shown
next to the results is the central one.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch

from popsed_core.config.parameters import ParameterConfig
from popsed_core.parameters import NAMES

SUFFIX = "_error"


def draw_parameters(
    parameters: Mapping[str, ParameterConfig], generator: torch.Generator, sign: float = 1.0
) -> dict[str, ParameterConfig]:
    """Return the configuration with one draw of every uncertain value.

    Args:
        parameters: range and prior of each parameter.
        generator: CPU stream; the number of draws does not depend on the errors.
        sign: -1: the opposite of every draw.
    """
    return {
        name: replace(parameters[name], prior=_drawn(parameters[name].prior, generator, sign))
        for name in NAMES
    }


def _drawn(section: Any, generator: torch.Generator, sign: float) -> Any:
    changes = {}
    for item in fields(section):
        value = getattr(section, item.name)
        if is_dataclass(value):
            changes[item.name] = _drawn(value, generator, sign)
        elif item.name.endswith(SUFFIX):
            name = item.name.removesuffix(SUFFIX)
            draw = torch.randn((), generator=generator, dtype=torch.float64).item()
            changes[name] = _shifted(getattr(section, name), sign * value * draw)
    return replace(section, **changes)


def _shifted(value: float | tuple[float, ...], shift: float) -> float | tuple[float, ...]:
    if isinstance(value, tuple):
        return tuple(item + shift for item in value)
    return value + shift
