"""The FSPS data: which files a build of FSPS opens, and whether they all exist.

The list follows ``sps_setup.f90`` of FSPS 3.2 (python-fsps 0.4) and 4.0 (python-fsps 0.5).  FSPS
stops at the first file it cannot open, which ends Python without an error; here every missing
file is named in advance.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from popsed_core.config.ssp import FSPSConfig
from popsed_core.errors import InputError

MAX_PATH = 200  # characters of SPS_HOME: FSPS keeps whole file names in 250
N_NAMED = 5  # missing files that a message names
# data that fit each python-fsps.  The tag v3.2 is too old for the last 0.4: no X-ray binaries.
TAGS = {"0.4": "a4e66acfc10a7879ac51b8a530cef10baa266108", "0.5": "v4.0"}

ISOCHRONES = {
    "mist": "MIST",
    "pdva": "Padova/Padova2007",
    "prsc": "PARSEC",
    "bsti": "BaSTI",
    "gnva": "Geneva",
}
WITH_NEBULAE = ("mist", "pdva", "prsc", "bpss")
N_LIBRARY_METALS = {"miles": 5, "basel": 6, "c3k": 11}
N_HOT_STAR_METALS = 12
DUST_MODELS = {"DL07": 7, "THEMIS": 11}
XRAY_METALS = (
    "-1.30", "-1.00", "-0.80", "-0.70", "-0.50", "-0.40", "-0.30", "-0.20", "+0.00", "+0.20",
    "+0.30",
)  # fmt: skip
ALWAYS = (
    "data/emlines_info.dat",
    "data/FILTER_LIST",
    "data/allfilters.dat",
    "data/allindices.dat",
    "SPECTRA/A0V_KURUCZ_92.SED",
    "SPECTRA/SUN_STScI.SED",
    "SPECTRA/Hot_spectra/WMBASIC.teff",
    "SPECTRA/Hot_spectra/WMBASIC_zlegend.dat",
    "SPECTRA/Hot_spectra/ipagb.teff",
    "SPECTRA/Hot_spectra/ipagb_solar.spec",
    "SPECTRA/Hot_spectra/ipagb_halo.spec",
    "SPECTRA/Hot_spectra/CMFGEN_WN.teff",
    "SPECTRA/Hot_spectra/CMFGEN_WC.teff",
    "SPECTRA/Hot_spectra/CMFGEN_WN_Zall.spec",
    "SPECTRA/Hot_spectra/CMFGEN_WC_Zall.spec",
    "SPECTRA/AGB_spectra/Orich.teff",
    "SPECTRA/AGB_spectra/Orich.spec",
    "SPECTRA/AGB_spectra/Crich.teff",
    "SPECTRA/AGB_spectra/Crich.spec",
    "SPECTRA/AGB_spectra/Crich_Aringer.teff",
    "SPECTRA/AGB_spectra/Crich_Aringer.spec",
    "SPECTRA/xrb/xsp.lambda",
    "dust/dusty/Orich_dusty.spec",
    "dust/dusty/Crich_dusty.spec",
    "dust/Nenkova08_y010_torusg_n10_q2.0.dat",
    "dust/alldirty_h.dat",
    "dust/alldirty_c.dat",
    "dust/Gordon03_table4.dat",
)


class FSPSBuild(NamedTuple):
    """What the installed python-fsps was compiled with.

    Attributes:
        version: of python-fsps.
        isochrones: ``mist``, ``pdva``, ...
        spectra: ``miles``, ``c3k_lr``, ...
        dust: dust emission, ``DL07`` or ``THEMIS``.
        n_metallicities: of the isochrones.
    """

    version: str
    isochrones: str
    spectra: str
    dust: str
    n_metallicities: int

    @property
    def is_v4(self) -> bool:
        """Whether this is FSPS 4.0, whose files have other names."""
        major, minor = self.version.split(".")[:2]
        return (int(major), int(minor)) >= (0, 5)

    def __str__(self) -> str:
        libraries = (self.isochrones, self.spectra, self.dust)
        return f"python-fsps {self.version}: {', '.join(libraries).upper()}"


def data_folder(config: FSPSConfig, record: Path | None) -> Path:
    """Return the folder of the FSPS data.

    Args:
        config: its ``sps_home``, with environment variables expanded, comes first.
        record: what ``popsed fsps fetch`` wrote; the data lie beside it.

    Raises:
        InputError: neither is given, or the folder does not exist or has too long a name.
    """
    if config.sps_home is not None:
        folder = Path(os.path.expandvars(config.sps_home)).expanduser()
    elif record is not None:
        folder = record.with_suffix("")
    else:
        raise InputError(
            "ssp.fsps.sps_home: reader fsps needs the FSPS data; give their folder, "
            "or get them with `popsed fsps fetch`"
        )
    if "$" in str(folder):
        raise InputError(
            f"ssp.fsps.sps_home: {folder}: no such variable; export it, or give a path"
        )
    if not folder.is_dir():
        raise InputError(f"ssp.fsps.sps_home: {folder}: no such folder; clone the FSPS repository")
    folder = folder.resolve()
    if len(str(folder)) > MAX_PATH:
        raise InputError(
            f"SPS_HOME={folder}: {len(str(folder))} characters, FSPS takes {MAX_PATH}; move it, or "
            "make a link with a shorter name and give that"
        )
    return folder


def check_data(build: FSPSBuild, home: Path) -> None:
    """Refuse data on which FSPS would stop.

    Raises:
        InputError: files are missing or empty; names the first of them, and the remedy.
    """
    missing = missing_files(build, home)
    if not missing:
        return
    named = ", ".join(missing[:N_NAMED])
    more = f" and {len(missing) - N_NAMED} more" if len(missing) > N_NAMED else ""
    raise InputError(
        f"SPS_HOME={home}: {build} needs {named}{more}, missing or empty; "
        f"use the FSPS data of version {tag_for(build.version)} (`popsed fsps fetch`)"
    )


def tag_for(version: str) -> str:
    """Return the revision of the FSPS repository that fits a version of python-fsps.

    Raises:
        InputError: unknown version.
    """
    minor = ".".join(version.split(".")[:2])
    if minor not in TAGS:
        raise InputError(
            f"ssp.fsps.version: python-fsps {version} is unknown here ({list(TAGS)}); "
            "give ssp.fsps.tag as well"
        )
    return TAGS[minor]


def missing_files(build: FSPSBuild, home: Path) -> list[str]:
    """Return the files below ``home`` that FSPS needs and that are absent or empty."""
    return [name for name in required_files(build, home) if not _has_content(home / name)]


def required_files(build: FSPSBuild, home: Path) -> Iterator[str]:
    """Yield every file that FSPS opens, relative to ``home``, once.

    Which isochrones and spectra there must be is written in the data's own lists of
    metallicities; where a list is absent, it alone is named.
    """
    yield from ALWAYS
    yield from _listed(home, "SPECTRA/Hot_spectra/WMBASIC_zlegend.dat", N_HOT_STAR_METALS,
                       "SPECTRA/Hot_spectra/WMBASIC_z{:.4f}.spec")  # fmt: skip
    yield from (f"SPECTRA/xrb/xsp_feh{metals}.spec" for metals in XRAY_METALS)
    for index in range(DUST_MODELS.get(build.dust, 0)):
        yield f"dust/dustem/{build.dust}_MW3.1_{index}0.dat"
    if build.isochrones in WITH_NEBULAE:
        yield from (f"nebular/ZAU_ND_{build.isochrones}.{end}" for end in ("cont", "lines"))
    if build.isochrones in ISOCHRONES:
        yield from _isochrone_files(build, home)
        yield from _library_files(build, home)


def _isochrone_files(build: FSPSBuild, home: Path) -> Iterator[str]:
    folder = f"ISOCHRONES/{ISOCHRONES[build.isochrones]}"
    yield f"{folder}/zlegend.dat"
    if build.isochrones != "mist":
        name = folder + "/isoc_z{:.4f}.dat"
    elif build.is_v4:
        name = folder + "/isoc_feh_{}_afe_p0_vvcrit0.4_full.dat"
    else:
        name = folder + "/isoc_z{}.dat"
    yield from _listed(home, f"{folder}/zlegend.dat", build.n_metallicities, name)


def _library_files(build: FSPSBuild, home: Path) -> Iterator[str]:
    kind, family = build.spectra, build.spectra[:3] if build.spectra[:3] == "c3k" else build.spectra
    folder = {"miles": "MILES", "basel": "BaSeL3.1", "c3k": "C3K"}.get(family)
    if folder is None:
        return
    is_in_own_folder = family == "c3k" and build.is_v4
    folder = f"SPECTRA/{folder}/{kind}" if is_in_own_folder else f"SPECTRA/{folder}"
    legend = f"{folder}/{kind}_zlegend.dat" if is_in_own_folder else f"{folder}/zlegend.dat"
    yield from (f"{folder}/{kind}.lambda", f"{folder}/{kind}.res", legend)
    grid = f"{folder}/" if build.is_v4 else "SPECTRA/BaSeL3.1/basel_"
    yield from (f"{grid}logt.dat", f"{grid}logg.dat")
    names = {"miles": "imiles_z{:.4f}", "basel": "basel_wlbc_z{:.4f}", "c3k": kind + "_z{:.4f}"}
    name = f"{names[family]}.spectra.bin"
    if is_in_own_folder:
        name = kind + "_feh{}_afe+0.0.spec.bin"
    yield from _listed(home, legend, N_LIBRARY_METALS[family], f"{folder}/{name}")


def _listed(home: Path, legend: str, n: int, name: str) -> Iterator[str]:
    """Yield the files of the first ``n`` metallicities that a list of them names."""
    path = home / legend
    if not _has_content(path):
        return  # the list itself is required elsewhere
    words = [line.split()[0] for line in path.read_text().splitlines() if line.strip()]
    for word in words[:n]:
        yield name.format(float(word)) if "{:" in name else name.format(word)
    if len(words) < n:
        yield f"{legend} (lists {len(words)} metallicities, this build needs {n})"


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
