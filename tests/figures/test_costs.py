"""What training costs, drawn: the numbers of both benches, each once."""

import numpy as np
import synthetic

from popsed_core.figures.costs import draw

FIGURE = draw(step_costs=synthetic.STEP_COSTS, galaxy_costs=synthetic.GALAXY_COSTS)
STEPS, TIMES, MEMORY = FIGURE.axes
GALAXIES = synthetic.GALAXY_COSTS["galaxies"]


def lines(axes):
    return {line.get_label(): line.get_ydata() for line in axes.get_lines()}


def test_each_recipe_has_its_step_and_its_distance_with_their_exponents():
    found = lines(STEPS)
    assert [label.split(" $")[0] for label in found] == [
        f"{name}: {part}" for name in synthetic.STEP_COSTS["recipes"]
        for part in ("step", "distance")
    ]  # fmt: skip
    assert r"ours: step $\propto N^{1.00}$" in found
    assert "other: step" in found, "one size has no exponent"


def test_the_time_of_a_fit_is_that_of_all_its_steps():
    found = lines(TIMES)
    n_steps = synthetic.GALAXY_COSTS["n_steps"]
    np.testing.assert_allclose(found["before the first step"], GALAXIES["setup_s"])
    np.testing.assert_allclose(found[f"{n_steps:,} steps"], n_steps * np.array(GALAXIES["step_s"]))


def test_memory_of_host_and_gpu_is_in_gigabytes_and_in_view():
    found = lines(MEMORY)
    np.testing.assert_allclose(found["host"], np.array(GALAXIES["memory_mb"]) / 1024)
    np.testing.assert_allclose(found["GPU"], np.array(GALAXIES["device_mb"]) / 1024)
    assert MEMORY.get_ylim()[0] == 0
    assert MEMORY.get_ylim()[1] > max(found["host"])
    galaxies = {key: value for key, value in GALAXIES.items() if key != "device_mb"}
    alone = draw(
        step_costs=synthetic.STEP_COSTS,
        galaxy_costs=synthetic.GALAXY_COSTS | {"galaxies": galaxies},
    )
    assert "GPU" not in lines(alone.axes[2])
