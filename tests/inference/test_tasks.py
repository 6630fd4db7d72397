"""The tasks of an ensemble: what is no part of a member's identity, and who trains with whom."""

from pathlib import Path

import pytest

from popsed_core.config.read import read_config
from popsed_core.inference.tasks import member_groups, member_task

SMOKE = Path(__file__).resolve().parents[2] / "config" / "smoke.yaml"


@pytest.mark.parametrize(
    ("n", "size", "expected"),
    [(4, 1, [[1], [2], [3], [4]]), (5, 2, [[1, 2], [3, 4], [5]]), (2, 8, [[1, 2]])],
)
def test_groups_are_filled_in_order(n, size, expected):
    assert member_groups(n, size) == expected


@pytest.mark.parametrize("text", ["n_members: 7", "members_per_job: 3"])
def test_how_many_there_are_is_no_part_of_a_member(text, tmp_path):
    path = tmp_path / "other.yaml"
    path.write_text(f"fit: {{{text}}}\n")
    plain, other = read_config(SMOKE), read_config(SMOKE, path)
    assert plain.fit != other.fit
    assert member_task(plain, "table2_mock", 1) == member_task(other, "table2_mock", 1)


def test_the_surveys_own_changes_count():
    task = member_task(read_config(SMOKE), "table2_mock", 1)
    assert task.fit.model_error == 0
    assert task.fit.n_epochs == 3
