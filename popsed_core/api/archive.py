"""A fit in one file: a zip of the artefacts that the workflow would leave, with their checksums.

    manifest.json   version, survey, sha256 of each of the others
    config.json     the whole configuration
    catalogue.h5, reference.h5, noise.h5, ssp.h5, member_K.pt, emulator.pt where there is one

Nothing in it is code: arrays are HDF5 with checksums, members are read as plain values and tensors.
The same fit is the same bytes.
"""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from popsed_core.api.survey import Survey
from popsed_core.config.base import from_json, to_json
from popsed_core.config.root import Config
from popsed_core.errors import InputError
from popsed_core.files import artefacts
from popsed_core.files.atomic import atomic_path
from popsed_core.files.inputs import DAMAGE, require_file
from popsed_core.files.provenance import Provenance
from popsed_core.files.version import __version__
from popsed_core.inference.ensemble import load_member
from popsed_core.inference.task import FitInputs
from popsed_core.inference.trained_member import TrainedMember
from popsed_core.photometry.noise import NoiseTable
from popsed_core.running.loop import load_plain, save_plain
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.catalogue import Catalogue, Reference

FORMAT = 1  # of the file; a reader refuses others
MANIFEST, CONFIG, EMULATOR = "manifest.json", "config.json", "emulator.pt"
KINDS = {"catalogue": Catalogue, "reference": Reference, "noise": NoiseTable, "ssp": SSPGrid}
NO_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
REMEDY = "take a whole copy, or save the fit once more"


def write(survey: Survey, members: Sequence[TrainedMember], path: str | Path) -> None:
    """Write a fit, atomically.

    Args:
        survey: what was fitted.
        members: the trained flows.
        path: the file to make or replace.

    Raises:
        InputError: the file cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder, atomic_path(path) as partial:
        place = Path(folder)
        _write_parts(survey, members, place)
        names = sorted(item.name for item in place.iterdir())
        manifest = {
            "format": FORMAT,
            "popsed_version": __version__,
            "survey": survey.name,
            "members": [member["member"] for member in members],
            "sha256": {name: artefacts.sha256(place / name) for name in names},
        }
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            text = json.dumps(manifest, indent=1, sort_keys=True).encode()
            archive.writestr(zipfile.ZipInfo(MANIFEST, NO_DATE), text)
            for name in names:
                info = zipfile.ZipInfo(name, NO_DATE)
                with (place / name).open("rb") as part, archive.open(info, "w") as target:
                    while piece := part.read(1 << 20):
                        target.write(piece)


def _write_parts(survey: Survey, members: Sequence[TrainedMember], folder: Path) -> None:
    inputs = survey.inputs
    (folder / CONFIG).write_text(to_json(survey.config))
    source, seed = inputs.catalogue.source, survey.config.seed
    origin = Provenance(source=source, seed=seed, command="popsed_core.Fit.save")
    parts = {
        "catalogue": inputs.catalogue,
        "reference": survey.known,
        "noise": inputs.noise,
        "ssp": inputs.grid,
    }
    for name, artefact in parts.items():
        artefacts.save(artefact, folder / f"{name}.h5", origin)
    for member in members:
        save_plain(dict(member), folder / f"member_{member['member']}.pt")
    if inputs.emulator is not None:
        save_plain({"segments": list(inputs.emulator)}, folder / EMULATOR)


def read(path: str | Path) -> tuple[Survey, tuple[TrainedMember, ...]]:
    """Return the survey and the members of a fit that :func:`write` wrote.

    Args:
        path: the file.

    Raises:
        InputError: there is no such file, it is damaged, or no fit, or of a format that this
            version does not know.
    """
    require_file(path)
    with tempfile.TemporaryDirectory() as folder:
        manifest = _unpack(Path(path), Path(folder))
        return _read_parts(manifest, Path(folder))


def _unpack(path: Path, folder: Path) -> Mapping[str, Any]:
    """Write the parts into a folder, each held to its checksum; return the manifest."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            if manifest["format"] != FORMAT:
                raise InputError(
                    f"{path}: format {manifest['format']} of popsed {manifest['popsed_version']}, "
                    f"but this is {__version__}, which reads format {FORMAT}; update popsed"
                )
            for name, expected in manifest["sha256"].items():
                content = archive.read(name)
                if Path(name).name != name or hashlib.sha256(content).hexdigest() != expected:
                    raise InputError(f"{path}: {name} is not what was saved; {REMEDY}")
                (folder / name).write_bytes(content)
            return manifest
    except InputError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, *DAMAGE) as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{path}: no saved fit, or damaged ({text}); {REMEDY}") from error


def _read_parts(
    manifest: Mapping[str, Any], folder: Path
) -> tuple[Survey, tuple[TrainedMember, ...]]:
    config = from_json(Config, (folder / CONFIG).read_text(), CONFIG)
    found = {name: artefacts.load(folder / f"{name}.h5", kind) for name, kind in KINDS.items()}
    emulator = folder / EMULATOR
    segments = load_plain(emulator)["segments"] if emulator.exists() else None
    inputs = FitInputs(found["ssp"], found["catalogue"], found["noise"], segments)
    survey = Survey(manifest["survey"], config, inputs, found["reference"])
    members = tuple(load_member(folder / f"member_{k}.pt") for k in manifest["members"])
    return survey, members
