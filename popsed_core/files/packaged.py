"""Files that come with the package: the defaults, the presets and the workflow.

In a checkout they lie beside the package; in an installation in its folder ``checkout``.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
FOLDER = "checkout"


def packaged(name: str) -> Path:
    """Return where a file of the checkout lies, such as ``config.yaml`` or ``workflow``."""
    installed = PACKAGE / FOLDER
    return (installed if installed.is_dir() else PACKAGE.parent) / name
