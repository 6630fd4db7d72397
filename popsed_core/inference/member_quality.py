"""Which members an ensemble uses, by a stated criterion; the others are listed with the reason.

A member is excluded if its training diverged, or if its last distance to the held-out galaxies is
more than ``max_validation`` times the median of those that did not: it converged somewhere else
than the others.
"""

from collections.abc import Sequence

import numpy as np

from popsed_core.errors import InputError
from popsed_core.inference.trained_member import TrainedMember


def exclusion_reasons(members: Sequence[TrainedMember], max_validation: float) -> dict[int, str]:
    """Return, by number, why members are excluded.

    Args:
        members: the trained members.
        max_validation: largest last validation distance, over the median.

    Raises:
        InputError: all are excluded.
    """
    found = {member["member"]: member.get("failure", "") for member in members}
    last = {
        member["member"]: member["history"]["validation"][-1]
        for member in members
        if not found[member["member"]]
    }
    if not last:
        told = "; ".join(f"member {number}: {reason}" for number, reason in found.items())
        raise InputError(f"no member of the ensemble can be used. {told}")
    median = float(np.median(list(last.values())))
    for number, value in last.items():
        if value > max_validation * median:
            found[number] = (
                f"its validation distance, {value:.4g}, is more than {max_validation:g} times the "
                f"median of the members, {median:.4g}"
            )
    return {number: reason for number, reason in found.items() if reason}
