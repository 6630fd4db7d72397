"""What an installation needs, what is optional, and how each fault is mended."""

import importlib.metadata
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from popsed_core.errors import InputError
from popsed_core.files.packaged import packaged
from popsed_core.running.keops import is_installed, keops_fault

OLDEST_PYTHON = (3, 11)
DISK_NEEDED = 2.0  # [GB] downloads, SSP table and results of the demo
LOCK = packaged("envs/requirements.lock")
FSPS_DATA = "resources/fsps"  # where `popsed fsps fetch` puts them in the workflow
COMPILERS = ("c++", "g++", "clang++")
N_NAMED = 8  # missing files that a line names

Status = Literal["OK", "optional", "problem"]


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: what.
        status: ``OK``, ``optional`` (absent, and that is fine) or ``problem``.
        found: what there is.
        remedy: what to do, if anything.
    """

    name: str
    status: Status
    found: str
    remedy: str = ""


def examine(folder: Path | None = None, lock: Path = LOCK) -> list[Check]:
    """Look at the installation and at the folder in which results will be written.

    Args:
        folder: where the workflow runs; default the current directory.
        lock: the exact versions that the project is tested with.
    """
    where = Path.cwd() if folder is None else folder
    checks: list[Callable[[], Check]] = [
        check_python,
        check_torch,
        lambda: check_versions(lock),
        check_keops,
        lambda: check_sps_home(where),
        lambda: check_nebular(where),
        check_gpu,
        lambda: check_disk(where),
        lambda: check_write_access(where),
    ]
    return [check() for check in checks]


def has_problem(checks: Sequence[Check]) -> bool:
    """Tell whether anything keeps the workflow from running."""
    return any(check.status == "problem" for check in checks)


def format_checks(checks: Sequence[Check]) -> str:
    """Return one aligned line per check, with the remedy below where there is one."""
    lines = []
    for check in checks:
        lines.append(f"{check.status:<10}{check.name:<16}{check.found}")
        if check.remedy:
            lines.append(f"{'':<26}-> {check.remedy}")
    return "\n".join(lines)


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Check:
    """Python is recent enough."""
    text = ".".join(str(part) for part in version)
    if version >= OLDEST_PYTHON:
        return Check("python", "OK", text)
    needed = ".".join(str(part) for part in OLDEST_PYTHON)
    remedy = f"install Python >= {needed}, then `make env PYTHON=python{needed}`"
    return Check("python", "problem", text, remedy)


def check_torch() -> Check:
    """PyTorch imports and computes."""
    try:
        import torch

        total = float(torch.ones(2).sum())
    except (ImportError, OSError, RuntimeError) as error:
        return Check("torch", "problem", _short(error), "`make env` installs the locked version")
    status: Status = "OK" if total == 2.0 else "problem"
    return Check("torch", status, torch.__version__)


def check_versions(lock: Path = LOCK) -> Check:
    """Installed versions are those of the lock file."""
    if not lock.exists():
        return Check("versions", "optional", "no lock file beside the package (not a checkout)")
    different = list(_differences(lock))
    if not different:
        return Check("versions", "OK", f"as in {lock.name}")
    remedy = f"`make env`, or pip install -r envs/{lock.name}"
    return Check("versions", "problem", "; ".join(different), remedy)


def _differences(lock: Path) -> Iterator[str]:
    lines = (line.split("#")[0].strip() for line in lock.read_text().splitlines())
    for line in filter(None, lines):
        name, _, wanted = line.split(";")[0].strip().partition("==")
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} missing"
            continue
        if found.split("+")[0] != wanted.split("+")[0]:
            yield f"{name} {found}, expected {wanted}"


def check_keops() -> Check:
    """KeOps, for Sinkhorn distances on very many galaxies."""
    fault = keops_fault()
    if not fault:
        return Check("KeOps", "OK", f"{importlib.metadata.version('pykeops')} compiles")
    need = "only for the Sinkhorn backends online and multiscale"
    if not is_installed():
        return Check("KeOps", "optional", fault, f"{need}: pip install pykeops")
    has_compiler = any(map(shutil.which, COMPILERS))
    remedy = (
        "clear its cache (~/.cache/keops*) and try again"
        if has_compiler
        else "install a C++ compiler, e.g. g++, and clear ~/.cache/keops*"
    )
    return Check("KeOps", "optional", fault, f"{need}: {remedy}; or use backend: tensorized")


def check_sps_home(folder: Path | None = None) -> Check:
    """Every file that the installed python-fsps opens is there, before it can stop at one."""
    home = _sps_home(folder)
    if not home:
        remedy = "only for SSP tables made with FSPS: `popsed fsps fetch`, or export SPS_HOME"
        return Check("SPS_HOME", "optional", "not set", remedy)
    from popsed_core.stellar.ssp.fsps import installed_build
    from popsed_core.stellar.ssp.fsps_data import missing_files, tag_for

    try:
        build = installed_build()
    except InputError as error:
        return Check("SPS_HOME", "optional", home, f"nothing to check it with: {error}")
    missing = missing_files(build, Path(home))
    if not missing:
        return Check("SPS_HOME", "OK", f"{home}, complete for {build}")
    named = ", ".join(missing[:N_NAMED])
    more = f" and {len(missing) - N_NAMED} more" if len(missing) > N_NAMED else ""
    remedy = f"get the FSPS data at {tag_for(build.version)} (`popsed fsps fetch`), or unset it"
    return Check("SPS_HOME", "problem", f"{home} lacks {named}{more}, for {build}", remedy)


def check_nebular(folder: Path | None = None) -> Check:
    """FSPS's tables of gas are labelled with the metallicities and ages of their own stars."""
    from popsed_core.stellar.ssp.nebular_fsps import REMEDY, faults

    home = _sps_home(folder)
    if not home:
        return Check("FSPS gas", "optional", "no SPS_HOME", "only for ssp.nebular: {kind: fsps}")
    found = faults(Path(home))
    if not found:
        return Check("FSPS gas", "OK", f"{home}/nebular")
    text = "; ".join(found[:N_NAMED])
    return Check("FSPS gas", "optional", text, f"not for ssp.nebular: {{kind: fsps}}; {REMEDY}")


def _sps_home(folder: Path | None) -> str:
    fetched = (folder or Path.cwd()) / FSPS_DATA
    return os.environ.get("SPS_HOME") or (str(fetched) if fetched.is_dir() else "")


def check_gpu() -> Check:
    """A GPU that torch can use."""
    try:
        import torch
    except ImportError:
        return Check("GPU", "optional", "torch is missing, see above")
    if not torch.cuda.is_available():
        if shutil.which("nvidia-smi") is None:
            return Check("GPU", "optional", "none found", "not needed: the demo runs on a CPU")
        found = f"there is a driver, but torch {torch.__version__} finds no GPU"
        remedy = "not needed; to use it install a torch for its CUDA version (pytorch.org)"
        return Check("GPU", "optional", found, remedy)
    try:
        torch.ones(2, device="cuda").sum().item()
    except RuntimeError as error:
        found = f"{torch.cuda.get_device_name()} does not compute: {_short(error)}"
        remedy = "set runtime.device: cpu, or install a torch for its CUDA version (pytorch.org)"
        return Check("GPU", "problem", found, remedy)
    return Check("GPU", "OK", torch.cuda.get_device_name())


def check_disk(folder: Path) -> Check:
    """Enough free space."""
    free = shutil.disk_usage(folder).free / 1e9
    if free >= DISK_NEEDED:
        return Check("disk", "OK", f"{free:.0f} GB free")
    remedy = f"free some space: downloads and results need {DISK_NEEDED:g} GB"
    return Check("disk", "problem", f"{free:.1f} GB free", remedy)


def check_write_access(folder: Path) -> Check:
    """Results can be written."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        remedy = "run in a folder of your own, e.g. a fresh clone"
        return Check("write access", "problem", _short(error), remedy)
    return Check("write access", "OK", str(folder))


def _short(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
