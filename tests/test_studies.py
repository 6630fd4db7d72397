"""Every variant of every study is a valid configuration that matches its name."""

from pathlib import Path

import pytest
from studies.run_study import settings_of

from popsed_core.config.base import merge, read_yaml, to_plain

STUDIES = sorted((Path(__file__).parent / "studies").glob("*.yaml"))
VARIANTS = [
    (variant, survey)
    for study in map(read_yaml, STUDIES)
    for variant in study.get("variants", ())
    for survey in variant.get("surveys", study["surveys"])
]


@pytest.mark.parametrize(("variant", "survey"), VARIANTS, ids=str)
def test_a_variant_wins_over_the_changes_of_its_mock(variant, survey):
    fit = to_plain(settings_of(variant).fit_for(survey))
    wanted = variant.get("overlay", {}).get("fit", {})
    assert merge(fit, wanted) == fit
