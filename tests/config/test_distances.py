"""Every distance by its kind, and the ranges that each refuses."""

import pytest

from popsed_core.config.base import from_json, to_json
from popsed_core.config.distances import (
    CharacteristicConfig,
    CombinedConfig,
    Distance,
    DistanceTerm,
    ExpectedConfig,
    SinkhornConfig,
    SlicedConfig,
    UnbiasedSlicedConfig,
)
from popsed_core.errors import InputError

SLICED = SlicedConfig(n_pool=10)
EVERY = [
    SinkhornConfig("sinkhorn", p=1, blur=((0.0, 1.0), (0.5, 0.1))),
    SLICED,
    UnbiasedSlicedConfig("unbiased_sliced"),
    CharacteristicConfig("characteristic", low=0.1, high=3.0),
    CombinedConfig("combined", (DistanceTerm(2.0, SLICED),)),
    ExpectedConfig("expected", weighting="equal"),
]


@pytest.mark.parametrize("distance", EVERY, ids=lambda each: each.kind)
def test_a_distance_comes_back_as_its_own_kind(distance):
    assert from_json(Distance, to_json(distance)) == distance


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"kind": "chamfer"}', "kind"),
        ('{"kind": "sliced", "p": 3}', "p"),
        ('{"kind": "sliced", "n_step": 0}', "n_step"),
        ('{"kind": "sliced", "blur": 1}', "blur: unknown key"),
        ('{"kind": "sinkhorn", "scaling": 1.0}', "scaling"),
        ('{"kind": "sinkhorn", "blur": []}', "blur"),
        ('{"kind": "sinkhorn", "blur": [[1.5, 0.1]]}', "blur"),
        ('{"kind": "characteristic", "low": 3, "high": 3}', "low 3 is not below high 3"),
        ('{"kind": "expected", "low": 5}', "low 5 is not below high 4"),
        ('{"kind": "combined", "terms": []}', "terms"),
        ('{"kind": "combined", "terms": [{"weight": 0, "distance": {"kind": "sliced"}}]}',
         "weight"),
    ],
)  # fmt: skip
def test_a_distance_that_makes_no_sense_is_refused_by_its_key(text, told):
    with pytest.raises(InputError, match=rf"--distance: .*{told}"):
        from_json(Distance, text, "--distance")
