"""Log lines on standard error: time, label, message."""

import logging
import sys


def start_logging(label: str = "", is_debug: bool = False) -> None:
    """Send the package's log lines to standard error, one line per record.

    Args:
        label: put before each line.
        is_debug: show details too.
    """
    line = f"%(asctime)s {label}%(message)s"
    logging.basicConfig(format=line, datefmt="%H:%M:%S", stream=sys.stderr)
    # only warnings of other libraries: fontTools logs every glyph
    logging.getLogger("popsed_core").setLevel(logging.DEBUG if is_debug else logging.INFO)
