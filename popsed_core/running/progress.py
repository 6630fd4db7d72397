"""A progress bar from the log lines of long loops, so that no loop need know of one.

``loop.run`` says its epoch in every line; the bar is drawn where a person looks: in a terminal or
a notebook.  Elsewhere the log lines themselves are the progress.
"""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LOOP = logging.getLogger("popsed_core.running.loop")
WIDTH = 30  # [character] of the bar
Stream = Any  # whatever stands for standard error: a notebook has a class of its own


def is_watched(stream: Stream) -> bool:
    """Return whether somebody looks: in a terminal or a notebook."""
    return stream.isatty() or "ipykernel" in sys.modules


class Bar(logging.Handler):
    """Draws what the loop's records say of its epoch."""

    def __init__(self, label: str, first: float, last: float, stream: Stream) -> None:
        """Draw the part from ``first`` to ``last`` (shares of the whole work) of a bar."""
        super().__init__(logging.INFO)
        self.label, self.first, self.last = label, first, last
        self.stream, self.start = stream, time.monotonic()
        self.begin: float | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Redraw the bar at the record of an epoch."""
        epoch, n_epochs = getattr(record, "epoch", None), getattr(record, "n_epochs", None)
        if epoch is not None and n_epochs:
            self.draw(epoch / n_epochs, f"epoch {epoch}/{n_epochs}")

    def draw(self, share: float, text: str) -> None:
        """Draw the bar at a share of its own part."""
        if self.begin is None:
            self.begin = max(share - 1e-9, 0.0)
        done = self.first + share * (self.last - self.first)
        full = round(WIDTH * done)
        line = f"{self.label} [{'#' * full}{'.' * (WIDTH - full)}] {done:4.0%}  {text}"
        self.stream.write(f"\r{line:<79}")
        self.stream.flush()


@contextmanager
def progress_bar(label: str, first: float = 0.0, last: float = 1.0) -> Iterator[None]:
    """Show the loop of this block as a bar, where somebody looks, instead of its log lines.

    Args:
        label: before the bar.
        first: share of the whole work that is done before.
        last: and after it.
    """
    if not is_watched(sys.stderr):
        yield
        return
    bar, level, is_passed_on = Bar(label, first, last, sys.stderr), LOOP.level, LOOP.propagate
    LOOP.addHandler(bar)
    # the lines go on to the user's own handlers only where they did before
    LOOP.propagate = is_passed_on and LOOP.isEnabledFor(logging.INFO)
    LOOP.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOOP.removeHandler(bar)
        LOOP.setLevel(level)
        LOOP.propagate = is_passed_on
        sys.stderr.write("\n" if last >= 1 else "")
