"""How objects show themselves: a few lines of text, a small table in notebooks, never an array."""

from collections.abc import Mapping
from html import escape


class Shown:
    """Mixin: an object that is shown by its title and a few facts."""

    def _title(self) -> str:
        """Return what it is, in a few words."""
        raise NotImplementedError

    def _facts(self) -> Mapping[str, str]:
        """Return what to know of it, four lines at most, by name."""
        raise NotImplementedError

    def __repr__(self) -> str:
        lines = [self._title(), *(f"  {name}: {text}" for name, text in self._facts().items())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align: left'>{escape(name)}</th>"
            f"<td style='text-align: left'>{escape(text)}</td></tr>"
            for name, text in self._facts().items()
        )
        return f"<b>{escape(self._title())}</b><table>{rows}</table>"


def short_list(names: tuple[str, ...], most: int = 9) -> str:
    """Return names in a line, the last ones counted where they are many."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def counted(n: int, thing: str) -> str:
    """Return a number of things in words, such as ``8 flows``."""
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"
