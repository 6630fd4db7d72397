"""Held-out galaxies: each once, none lost, and too few are refused."""

import pytest
import torch

from popsed_core.errors import InputError
from popsed_core.inference.holdout import FEWEST, split_holdout
from popsed_core.running.runtime import generator


def split(n_galaxies=200, fraction=0.1):
    return split_holdout(n_galaxies, fraction, generator(1, "holdout"))


def test_every_galaxy_is_on_one_side():
    kept, held = split()
    assert (len(kept), len(held)) == (180, 20)
    assert torch.equal(torch.cat([kept, held]).sort().values, torch.arange(200))


@pytest.mark.parametrize(("n", "fraction"), [(200, 0.04), (200, 0.96), (2 * FEWEST - 1, 0.5)])
def test_too_few_on_either_side_are_refused(n, fraction):
    told = rf"fit\.holdout: {fraction} of {n} galaxies leaves \d+ .* and \d+ held out.*loosen"
    with pytest.raises(InputError, match=told):
        split(n, fraction)
