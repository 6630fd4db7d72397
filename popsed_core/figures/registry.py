"""Drawing a figure by its name.

``write(name, artefacts, *paths)`` is all that a command line needs: it draws, marks the source
and saves.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from popsed_core.errors import InputError
from popsed_core.figures.canvas import Canvas, mark
from popsed_core.figures.names import FIGURES, OPTIONAL, SPECIAL
from popsed_core.figures.style import check_endings, save, users_own
from popsed_core.files.provenance import worst_source


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
    needs = needs_of(name)
    missing = [need for need in needs if need not in OPTIONAL and artefacts.get(need) is None]
    if missing:
        raise InputError(f"figure {name}: needs {', '.join(missing)}; give the file of each")
    needed = {need: artefacts.get(need) for need in needs}
    place = {} if on is None else {"on": on}
    return import_module(f"popsed_core.figures.{name}").draw(**needed, **place)


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
    shown = [artefacts.get(need) for need in needs_of(name)]
    several = (each if isinstance(each, list | tuple) else [each] for each in shown)
    return worst_source("real", *(_source(one) for each in several for one in each))


def _source(artefact: Any) -> str:
    """Return the source of an artefact; one without, such as a reference, does not count."""
    is_mapping = isinstance(artefact, Mapping)
    return (artefact.get("source") if is_mapping else getattr(artefact, "source", "")) or "real"


def needs_of(name: str) -> tuple[str, ...]:
    """Return the names of the artefacts that a figure takes.

    Raises:
        InputError: no figure has this name.
    """
    known = FIGURES | SPECIAL
    if name not in known:
        raise InputError(f"figure {name!r}: unknown; one of {', '.join(known)}")
    return known[name]
