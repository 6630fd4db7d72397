"""Which galaxies a member trains on: some are held out, on which every epoch is judged."""

import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.errors import InputError

FEWEST = 10  # galaxies on either side: fewer have no distribution to compare with


def split_holdout(
    mag: Float[Tensor, "galaxy band"], fraction: float, generator: torch.Generator
) -> tuple[Float[Tensor, "kept band"], Float[Tensor, "held band"]]:
    """Return galaxies to train on and galaxies held out, at random.

    Args:
        mag: the catalogue [mag].
        fraction: to hold out.
        generator: CPU stream of the choice.

    Raises:
        InputError: too few galaxies on either side.
    """
    order = torch.randperm(len(mag), generator=generator)
    n_held = round(fraction * len(mag))
    n_kept = len(mag) - n_held
    if min(n_held, n_kept) < FEWEST:
        raise InputError(
            f"fit.holdout: {fraction:g} of {len(mag)} galaxies leaves {n_kept} to train on and "
            f"{n_held} held out, expected at least {FEWEST} of each; change fit.holdout or loosen "
            "the survey's cuts"
        )
    return mag[order[n_held:]], mag[order[:n_held]]


def bootstrap(
    mag: Float[Tensor, "galaxy band"], generator: torch.Generator
) -> Float[Tensor, "galaxy band"]:
    """Return as many galaxies, drawn with replacement: what another such survey might have seen."""
    return mag[torch.randint(len(mag), (len(mag),), generator=generator)]
