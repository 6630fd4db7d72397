"""Reading what differs from the defaults, and keeping the configuration of a run."""

from pathlib import Path

import pytest
import yaml
from overlays import SMOKE, overlay

from popsed_core.config import root
from popsed_core.config.base import to_plain
from popsed_core.config.read import KEPT, keep, kept_path, read_config
from popsed_core.errors import InputError

DEFAULT = Path(__file__).resolve().parent.parent / "config.yaml"
PRESETS = sorted(DEFAULT.parent.glob("config/*.yaml"))


def test_without_a_file_the_defaults_are_read():
    assert read_config() == root.load(DEFAULT)


def test_a_file_with_what_differs_is_merged_over_the_defaults():
    assert read_config(SMOKE) == root.load(DEFAULT, SMOKE)


def test_each_file_is_merged_over_those_before_it():
    first, second = overlay(fit={"n_members": 3}), overlay(fit={"n_members": 5}, seed=2)
    found = read_config(first, second)
    assert (found.fit.n_members, found.seed) == (5, 2)


def test_a_complete_file_stands_for_itself(tmp_path):
    whole = to_plain(root.load(DEFAULT))
    only = whole["survey"]
    whole["surveys"] = {only: whole["surveys"][only]}
    path = tmp_path / "whole.yaml"
    path.write_text(yaml.safe_dump(whole))
    assert list(read_config(path).surveys) == [only]


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_kept_configuration_reads_back_as_itself(tmp_path, path):
    config = read_config(path)
    kept = keep(config, tmp_path)
    assert read_config(kept) == config
    assert keep(read_config(kept), tmp_path) == kept


def test_other_overlays_in_the_same_folder_take_nothing_away(tmp_path):
    first, second = (keep(read_config(overlay(seed=seed)), tmp_path) for seed in (1, 2))
    assert first != second
    assert [read_config(path).seed for path in (first, second)] == [1, 2]


def test_a_damaged_kept_configuration_is_written_again(tmp_path):
    config = read_config()
    path = keep(config, tmp_path)
    path.write_text("seed: 3\n")
    assert keep(config, tmp_path) == path
    assert read_config(path) == config


def test_the_name_of_a_kept_configuration_is_short():
    assert kept_path(read_config()).parent == KEPT
    assert len(str(kept_path(read_config()))) < 40


def test_a_mistake_names_the_file_that_has_it():
    wrong = overlay(fit={"n_epoch": 3})
    with pytest.raises(InputError, match=rf"{wrong.name}: fit.n_epoch: unknown key"):
        read_config(wrong)
