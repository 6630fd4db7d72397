"""What each verb records in the files it writes: code, versions, arguments, inputs.

The rules take the hash in their ``params`` from the same table (``code_of``), so that a file's
record and the hash that Snakemake tracks cannot name different modules.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CODE = {  # verb: the modules whose code determines its output
    "data fetch": ("popsed_core.downloads.fetch",),
    "fsps fetch": ("popsed_core.stellar.ssp.fetch_fsps",),
    "ssp build": ("popsed_core.stellar.ssp.build",),
    "catalogue build": ("popsed_core.surveys.build",),
    "mock observe": ("popsed_core.surveys.mocks.observe",),
    "mock gama": ("popsed_core.surveys.mocks.gama_standin",),
    "noise fit": ("popsed_core.surveys.noise_fit", "popsed_core.surveys.noise_outliers"),
    "spectra chunk": ("popsed_core.emulator.training_set",),
    "spectra index": ("popsed_core.emulator.training_index",),
    "spectra basis": ("popsed_core.emulator.pca",),
    "emulator train": ("popsed_core.emulator.fit",),
    "emulator assemble": ("popsed_core.emulator.emulator",),
    "emulator validate": (
        "popsed_core.diagnostics.emulator_accuracy",
        "popsed_core.costs.emulator_speed",
        "popsed_core.diagnostics.emulator_report",
    ),
    "emulator compare": ("popsed_core.diagnostics.emulator_effect",),
    "fit member": ("popsed_core.inference.fit",),
    "ensemble sample": ("popsed_core.inference.ensemble",),
    "products tables": ("popsed_core.diagnostics.tables",),
    "products summary": (
        "popsed_core.diagnostics.summary",
        "popsed_core.diagnostics.redshift_distribution",
    ),
    "crate": ("popsed_core.provenance.crate",),
    "products provenance": ("popsed_core.provenance.report",),
}
LIBRARIES = {  # that compute or plot numbers, by import name
    "astropy": "astropy",
    "fsps": "fsps",
    "geomloss": "geomloss",
    "h5py": "h5py",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "pyarrow": "pyarrow",
    "pykeops": "pykeops",
    "scipy": "scipy",
    "sedpy": "astro-sedpy",
    "sklearn": "scikit-learn",
    "speclite": "speclite",
    "rocrate": "rocrate",
    "torch": "torch",
}


def modules_of(verb: str) -> tuple[str, ...]:
    """Return the modules whose code determines the output of a verb, e.g. ``figure population``."""
    noun, _, name = verb.partition(" ")
    return (f"popsed_core.figures.{name}",) if noun == "figure" else CODE[verb]


def code_of(verb: str) -> str:
    """Return the hash of a verb's code, for its records and for the ``params`` of its rule."""
    from popsed_core.provenance.code_version import code_version

    return code_version(*modules_of(verb))


def versions_of(verb: str) -> dict[str, str]:
    """Return the versions of PopSED, of Python and of the libraries that a verb's code imports."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from popsed_core.files.version import __version__
    from popsed_core.provenance.code_version import libraries

    found = {"popsed": __version__, "python": platform.python_version()}
    for name in libraries(*modules_of(verb)):
        try:
            found |= {LIBRARIES[name]: version(LIBRARIES[name])} if name in LIBRARIES else {}
        except PackageNotFoundError:  # optional, hence unused
            continue
    return dict(sorted(found.items()))


def provenance(
    args: argparse.Namespace, inputs: Mapping[str, Path | None], source: str, **names: Any
) -> "popsed_core.files.artefacts.Provenance":
    """Return the provenance of a file that a verb is about to write.

    Args:
        args: the verb's arguments, with its ``settings`` where it has some.
        inputs: the files read, by role; None where the verb had none.
        source: one of ``SOURCES``: the worst of the inputs.
        names: arguments to record beside the settings, such as the survey's name.
    """
    from popsed_core.config.settings import Settings
    from popsed_core.files.artefacts import Provenance, sha256

    settings = getattr(args, "settings", Settings())
    given = {role: path for role, path in inputs.items() if path is not None}
    return Provenance(
        source=source,
        config=json.dumps(settings.section),
        seed=settings.seed,
        inputs={role: sha256(path) for role, path in given.items()},
        paths={role: place(path) for role, path in given.items()},
        command=args.verb,
        arguments=json.dumps({**settings.more, **names}, sort_keys=True),
        code=code_of(args.verb),
        versions=versions_of(args.verb),
    )


def numbered(role: str, paths: list[Path] | None) -> dict[str, Path]:
    """Return several files of one role by ``role_1``, ``role_2``, ..."""
    return {f"{role}_{k}": path for k, path in enumerate(paths or [], start=1)}


def place(path: Path) -> str:
    """Return a path relative to the working folder; for a file elsewhere, only its name."""
    whole, here = path.absolute(), Path.cwd()
    return whole.relative_to(here).as_posix() if whole.is_relative_to(here) else path.name
