"""Split of the galaxies of a member: some are held out to validate every epoch."""

import torch
from jaxtyping import Int
from torch import Tensor

from popsed_core.errors import InputError

FEWEST = 10  # galaxies on either side: fewer have no distribution to compare with


def split_holdout(
    n_galaxies: int, fraction: float, generator: torch.Generator
) -> tuple[Int[Tensor, "kept"], Int[Tensor, "held"]]:
    """Return the rows of galaxies to train on and of galaxies held out, in random order.

    Args:
        n_galaxies: size of the catalogue.
        fraction: to hold out.
        generator: CPU stream of the choice.

    Raises:
        InputError: too few galaxies on either side.
    """
    order = torch.randperm(n_galaxies, generator=generator)
    n_held = round(fraction * n_galaxies)
    n_kept = n_galaxies - n_held
    if min(n_held, n_kept) < FEWEST:
        raise InputError(
            f"fit.holdout: {fraction:g} of {n_galaxies} galaxies leaves {n_kept} to train on and "
            f"{n_held} held out, expected at least {FEWEST} of each; change fit.holdout or loosen "
            "the survey's cuts"
        )
    return order[n_held:], order[:n_held]


def bootstrap(rows: Int[Tensor, "row"], generator: torch.Generator) -> Int[Tensor, "row"]:
    """Return an equal number of rows drawn with replacement: a bootstrap of the survey."""
    return rows[torch.randint(len(rows), (len(rows),), generator=generator)]
