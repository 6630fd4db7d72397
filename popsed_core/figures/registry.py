"""All figures by name: where each is drawn, and from which artefacts.

``write(name, artefacts, *paths)`` is all that a command line needs: it draws, marks the source
and saves.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from popsed_core.errors import InputError
from popsed_core.figures.canvas import Canvas, mark
from popsed_core.figures.style import check_endings, save, users_own

WORST_FIRST = ("toy", "stand-in", "mock", "real")


class Entry(NamedTuple):
    """One figure: its module, which has ``draw``, and the names of the artefacts it takes."""

    module: str
    needs: tuple[str, ...]


OPTIONAL = ("reference",)  # may be None or absent
FIGURES = {
    "population": Entry("popsed_core.figures.population", ("samples", "reference")),
    "photometry": Entry("popsed_core.figures.photometry", ("samples", "catalogue")),
    "colours": Entry("popsed_core.figures.colours", ("samples", "catalogue")),
    "corner_full": Entry("popsed_core.figures.corner_full", ("samples", "reference")),
    "star_forming_sequence": Entry("popsed_core.figures.star_forming_sequence", ("samples",)),
    "redshift_distribution": Entry(
        "popsed_core.figures.redshift_distribution", ("samples", "reference")
    ),
    "recovery": Entry("popsed_core.figures.recovery", ("samples", "reference")),
    "training": Entry("popsed_core.figures.training", ("members",)),
    "noise_model": Entry("popsed_core.figures.noise_model", ("noise", "catalogue")),
    "cut_flow": Entry("popsed_core.figures.cut_flow", ("catalogue",)),
}

# not of every survey: each has a rule of its own
SPECIAL = {
    "emulator_accuracy": Entry("popsed_core.figures.emulator_accuracy", ("accuracy",)),
    "emulator_basis": Entry("popsed_core.figures.emulator_basis", ("bases",)),
    "engines": Entry("popsed_core.figures.engines", ("exact", "emulated", "reference")),
    "costs": Entry("popsed_core.figures.costs", ("step_costs", "galaxy_costs")),
}


def render(name: str, artefacts: Mapping[str, Any], on: Canvas = None) -> Figure:
    """Draw a figure.

    Args:
        name: a key of ``FIGURES`` or ``SPECIAL``.
        artefacts: by name: samples (PopulationSamples), catalogue, reference (Reference or
            None), noise (NoiseTable), members (sequence of the members' dictionaries), accuracy
            (EmulatorAccuracy), exact and emulated (PopulationSamples), bases (sequence of
            SpectrumBasis), step_costs and galaxy_costs (what ``popsed bench`` wrote); what the
            figure does not need is ignored.
        on: axes, figure or subfigure to draw on, for the figures of a survey; None: a new figure.

    Returns:
        The figure that was made, or that was drawn on.

    Raises:
        InputError: no figure has this name, or an artefact that it needs is absent.
    """
    entry = _entry(name)
    missing = [need for need in entry.needs if need not in OPTIONAL and artefacts.get(need) is None]
    if missing:
        raise InputError(f"figure {name}: needs {', '.join(missing)}; give the file of each")
    needed = {need: artefacts.get(need) for need in entry.needs}
    place = {} if on is None else {"on": on}
    return import_module(entry.module).draw(**needed, **place)


def draw_for_user(name: str, artefacts: Mapping[str, Any], on: Canvas = None) -> Figure:
    """Draw a figure of a survey in a notebook: with the user's own ``rcParams``, and marked.

    Args:
        name: a key of ``FIGURES``.
        artefacts: as for :func:`render`.
        on: likewise.

    Raises:
        InputError: see :func:`render`; or what it is to be drawn on has other panels.
    """
    if name not in FIGURES:
        raise InputError(f"figure {name!r}: unknown; one of {', '.join(FIGURES)}")
    with users_own():
        figure = render(name, artefacts, on)
    mark(figure, on, source_of(name, artefacts))
    return figure


def write(name: str, artefacts: Mapping[str, Any], *paths: str | Path, record: str = "") -> None:
    """Draw a figure, mark the worst source among what it shows, and save it to every path.

    Args:
        name: as for :func:`render`.
        artefacts: likewise.
        paths: files to make or replace.
        record: where the figure comes from, for the files' metadata.

    Raises:
        InputError: see :func:`render`; or a path ends in none of pdf, png, svg.
    """
    check_endings(*paths)
    figure = render(name, artefacts)
    save(figure, *paths, source=source_of(name, artefacts), record=record)


def source_of(name: str, artefacts: Mapping[str, Any]) -> str:
    """Return the worst source among what a figure shows.

    Raises:
        InputError: no figure has this name.
    """
    return worst_source([artefacts.get(need) for need in _entry(name).needs])


def worst_source(artefacts: Sequence[Any]) -> str:
    """Return toy if any artefact is a toy, else stand-in or mock if any is one, else real.

    An artefact without a source, such as a reference, does not count.
    """
    found: set[str] = set()
    for artefact in artefacts:
        members = artefact if isinstance(artefact, list | tuple) else [artefact]
        for member in members:
            is_mapping = isinstance(member, Mapping)
            source = member.get("source") if is_mapping else getattr(member, "source", None)
            found.add(source or "real")
    return next(source for source in WORST_FIRST if source in found)


def needs_of(name: str) -> tuple[str, ...]:
    """Return the names of the artefacts that a figure takes.

    Raises:
        InputError: no figure has this name.
    """
    return _entry(name).needs


def _entry(name: str) -> Entry:
    known = FIGURES | SPECIAL
    if name not in known:
        raise InputError(f"figure {name!r}: unknown; one of {', '.join(known)}")
    return known[name]
