"""How every figure looks and is saved: fonts, sizes, colours, watermark, deterministic files.

Colours are Okabe & Ito's (2008), distinguishable with every common colour vision.  Files carry
no dates, and of versions only what their record says: same numbers, same record, same bytes.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from popsed_core.errors import InputError
from popsed_core.files.artefacts import atomic_path

P = ParamSpec("P")
_OWN: ContextVar[Mapping[str, Any]] = ContextVar("settings of the user's own")
UNSAFE = ("backend", "backend_fallback")  # to read them would choose a backend

COLUMN_WIDTH = 3.5  # [inch] one column of a journal page
PAGE_WIDTH = 7.1  # [inch] two columns
DPI = 200
MARK_SPACE = 0.12  # [inch] above the panels, where a mock is marked as one
TOY_SIZE = 3.9  # [point] of the diagonal watermark per inch of the figure's diagonal

ENSEMBLE = "#0072B2"  # blue: what was inferred
MEMBER = "#8FC3E0"  # light blue: one flow of the ensemble
KNOWN = "#8C8C8C"  # grey: observed, spectroscopic or true
KNOWN_LIGHT = "#D0D0D0"
KNOWN_DARK = "#404040"  # outlines of what is known, over colour
PRIOR = "#202020"  # near black, always dotted
ACCENT = "#D55E00"  # vermilion: lines from the literature, fits
EXTRAPOLATED = "#F3E2C7"  # sand: beyond the data
CYCLE = ("#0072B2", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#D55E00")

RC = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 9,
    "axes.labelsize": 9.5,
    "axes.titlesize": 9,
    "figure.labelsize": 9.5,
    "axes.linewidth": 0.7,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "lines.linewidth": 1.2,
    "hatch.linewidth": 0.5,
    "pdf.fonttype": 42,
    "svg.hashsalt": "popsed",
}
# neither dates nor matplotlib's own line about itself
METADATA = {
    ".pdf": {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": "popsed"},
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": "popsed"},
}
RECORD = {".pdf": "Keywords", ".png": "Provenance", ".svg": "Description"}
DIAGONALS = {
    "toy": "toy spectra: not for science",
    "stand-in": "stand-in galaxies: not for science",
}


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorate a drawing function so that it runs in this style, whatever the user's own is.

    Within :func:`users_own` what the user has set wins.
    """

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(RC | _OWN.get({}))
            return draw(*args, **kwargs)

    return wrapper


@contextmanager
def users_own() -> Iterator[None]:
    """Draw in this style but for what the user has set in ``rcParams``: what is no default."""
    plain = mpl.rcParamsDefault
    changed = {key: mpl.rcParams[key] for key in plain if key not in UNSAFE}
    own = {key: value for key, value in changed.items() if value != plain[key]}
    token = _OWN.set(own)
    try:
        yield
    finally:
        _OWN.reset(token)


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure [inch] whose layout keeps labels apart."""
    engine = ConstrainedLayoutEngine(rect=(0, 0, 1, 1 - MARK_SPACE / height))
    return Figure(figsize=(width, height), layout=engine)


def save(figure: Figure, *paths: str | Path, source: str, record: str = "") -> None:
    """Write a figure, once per path, in the format of its ending (pdf, png or svg).

    Args:
        figure: what ``draw`` returned; a watermark is added to it unless the source is real.
        paths: files to make or replace.
        source: ``real``, ``mock``, ``stand-in`` or ``toy``.
        record: where the figure comes from, for the file's metadata.

    Raises:
        InputError: an ending is none of pdf, png, svg.
    """
    check_endings(*paths)
    watermark(figure, source)
    for path in map(Path, paths):
        metadata = METADATA[path.suffix] | ({RECORD[path.suffix]: record} if record else {})
        with mpl.rc_context(RC), atomic_path(path) as partial:
            figure.savefig(partial, format=path.suffix[1:], dpi=DPI, metadata=metadata)


def check_endings(*paths: str | Path) -> None:
    """Raise InputError unless every path ends in a format that figures are written in."""
    for path in map(Path, paths):
        if path.suffix not in METADATA:
            raise InputError(f"{path}: expected a name ending in {', '.join(METADATA)}")


def watermark(figure: Figure, source: str) -> None:
    """Mark what is not real, once: a small label for a mock, a diagonal for toy and stand-in."""
    if source == "real" or any(text.get_gid() == "watermark" for text in figure.texts):
        return
    with mpl.rc_context(RC):
        if source in DIAGONALS:
            width, height = figure.get_size_inches()
            angle = math.degrees(math.atan2(height, width))
            figure.text(
                0.5, 0.5, DIAGONALS[source], ha="center", va="center", rotation=angle, alpha=0.35,
                color=ACCENT, fontsize=TOY_SIZE * math.hypot(width, height), zorder=100,
                gid="watermark",
            )  # fmt: skip
        else:
            figure.text(
                0.995, 0.995, source, ha="right", va="top", fontsize=7, color=KNOWN, style="italic",
                gid="watermark",
            )  # fmt: skip


def note(axes: Axes, text: str) -> None:
    """Write a remark in the middle of an empty panel."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=KNOWN)
