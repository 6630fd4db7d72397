"""What training costs: a step against its samples, by recipe; a fit against the galaxies."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from popsed_core.figures import style

HEIGHT = 2.75  # [inch]
MB_PER_GB = 1024
HEADROOM = 0.15  # of the logarithmic range, above it, for each line of the legend


@style.styled
def draw(*, step_costs: Mapping[str, Any], galaxy_costs: Mapping[str, Any]) -> Figure:
    """Draw three panels: step against samples, times and memory against galaxies.

    Args:
        step_costs: what ``popsed bench step`` wrote.
        galaxy_costs: what ``popsed bench galaxies`` wrote.
    """
    figure = style.new_figure(style.PAGE_WIDTH, HEIGHT)
    left, middle, right = figure.subplots(1, 3)
    _steps(left, step_costs["recipes"])
    found = galaxy_costs["galaxies"]
    _line(middle, found["n"], found["setup_s"], "before the first step", style.ACCENT)
    n_steps = galaxy_costs["n_steps"]
    training = [n_steps * seconds for seconds in found["step_s"]]
    _line(middle, found["n"], training, f"{n_steps:,} steps", style.ENSEMBLE)
    _scales(middle, "galaxies", "time of one flow [s]")
    memory = [value / MB_PER_GB for value in found["memory_mb"]]
    _line(right, found["n"], memory, "host", style.ENSEMBLE)
    if "device_mb" in found:
        device = [value / MB_PER_GB for value in found["device_mb"]]
        _line(right, found["n"], device, "GPU", style.ACCENT)
    _scales(right, "galaxies", "peak memory [GB]")
    right.set_yscale("linear")
    right.set_ylim(0, 1.5 * max(memory))
    return figure


def _steps(axes: Axes, recipes: Mapping[str, Any]) -> None:
    for colour, (name, found) in zip(style.CYCLE, recipes.items(), strict=False):
        seconds, exponents = found["seconds"], found.get("exponent", {})
        for part, line in (("step", "-"), ("distance", "--")):
            power = rf" $\propto N^{{{exponents[part]:.2f}}}$" if part in exponents else ""
            label = f"{name}: {part}{power}"
            _line(axes, found["n_samples"], seconds[part], label, colour, line)
    _scales(axes, "samples in a step $N$", "processor time [s]")
    sizes = sorted({n for found in recipes.values() for n in found["n_samples"]})
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _line(
    axes: Axes, x: Sequence[int], y: Sequence[float], label: str, colour: str, line: str = "-"
) -> None:
    axes.plot(x, y, line, marker="o", ms=3, color=colour, label=label)


def _scales(axes: Axes, x: str, y: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** (HEADROOM * len(axes.lines)))
    axes.yaxis.set_major_locator(LogLocator(numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(loc="upper left", fontsize=7)
