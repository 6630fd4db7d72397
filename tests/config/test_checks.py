"""What one key demands of another: named by its dotted path, with what to do."""

from dataclasses import replace
from pathlib import Path

import pytest

from popsed_core.config import root
from popsed_core.config.checks import check_parameters, check_prior, drawing_order, parents
from popsed_core.config.parameters import (
    FlatSimplex,
    LogUniform,
    ParameterConfig,
    Relation,
    Tabulated,
    TruncatedNormal,
    Uniform,
)
from popsed_core.errors import InputError
from popsed_core.parameters import NAMES

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = root.load(ROOT / "config.yaml").parameters


def with_prior(name, prior, **box):
    return {**DEFAULT, name: replace(DEFAULT[name], prior=prior, **box)}


def test_the_default_parameters_pass():
    check_parameters(DEFAULT)


def test_a_parameter_that_is_missing_or_unknown_is_named():
    few = {name: box for name, box in DEFAULT.items() if name != "tau_bc"}
    with pytest.raises(InputError, match=r"parameters: .*missing or unknown: \['tau_bc'\]"):
        check_parameters(few)
    with pytest.raises(InputError, match=r"mine\.parameters: .*\['colour'\]"):
        check_parameters({**DEFAULT, "colour": DEFAULT["tau_bc"]}, "mine.parameters")


@pytest.mark.parametrize(
    ("name", "box"),
    [("redshift", (0.0, 1.0)), ("t_burst", (0.01, 25.0)), ("f_burst", (0.0, 1.5)),
     ("tau_ism", (-0.1, 3.0))],
)  # fmt: skip
def test_a_box_beyond_the_model_says_what_the_model_knows(name, box):
    low, high = box
    wide = replace(DEFAULT[name], low=low, high=high, prior=Uniform())
    with pytest.raises(InputError, match=rf"parameters\.{name}: got .* the model knows .* narrow"):
        check_parameters({**DEFAULT, name: wide})


def test_fractions_of_the_simplex_belong_to_kappa():
    box = ParameterConfig(0.0, 1.0, "flat_simplex", FlatSimplex())
    with pytest.raises(InputError, match=r"f_burst: flat_simplex is for \['kappa_1'"):
        check_parameters({**DEFAULT, "f_burst": box})


def test_a_table_may_be_zero_at_the_ends_of_its_range_and_nowhere_inside():
    ends = Tabulated("tabulated", (0.0, 1.0, 3.0), (0.0, 2.0, 0.0))
    check_prior("tau_bc", replace(DEFAULT["tau_bc"], low=0.0, high=3.0, prior=ends))
    gap = Tabulated("tabulated", (0.0, 1.0, 2.0, 3.0), (1.0, 0.0, 0.0, 1.0))
    with pytest.raises(InputError, match=r"density is zero at 1.*; narrow low and high"):
        check_prior("tau_bc", replace(DEFAULT["tau_bc"], low=0.0, high=3.0, prior=gap))


def test_nodes_increase_and_have_a_value_each():
    for x, median in (((1.0, 0.0), (0.0, 0.0)), ((0.0, 1.0), (0.0,))):
        prior = Relation("relation", "log_stellar_mass", x, median, (0.1, 0.1))
        with pytest.raises(InputError, match=r"logzsol\.prior: nodes must increase"):
            check_prior("logzsol", replace(DEFAULT["logzsol"], prior=prior))


def test_a_log_uniform_prior_begins_above_zero():
    with pytest.raises(InputError, match=r"tau_bc\.prior\.offset: needs low \+ offset > 0"):
        check_prior("tau_bc", replace(DEFAULT["tau_bc"], low=0.0, prior=LogUniform("log_uniform")))


def test_each_parameter_is_drawn_after_those_that_it_depends_on():
    order = drawing_order(parents(DEFAULT), "parameters")
    assert sorted(order) == sorted(NAMES)
    for name, others in parents(DEFAULT).items():
        assert all(order.index(other) < order.index(name) for other in others), name


def test_parameters_that_depend_on_each_other_are_refused():
    def on(other):
        return TruncatedNormal("truncated_normal", 0.0, 1.0, 0.5, other)

    both = with_prior("tau_bc", on("dust_index"))
    both["dust_index"] = replace(DEFAULT["dust_index"], prior=on("tau_bc"))
    with pytest.raises(InputError, match=r"prior\.against: got '(tau_bc|dust_index)'"):
        check_parameters(both)
