"""The configuration: frozen dataclasses, unknown keys forbidden, a unit in each description.

``load(path, *overlays)`` reads YAML, merges the overlays, and validates; an error names the
dotted path of the key, its value and what is expected.  Imports neither torch nor any
science, so that the Snakefile can read it while the DAG is built.
"""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import STRICT, Name, merge, parse, read_yaml, to_plain
from popsed_core.config.checks import check_bands, check_parameters, check_table_survey
from popsed_core.config.downloads import Download
from popsed_core.config.emulator import EmulatorConfig, TrainingSetConfig, _check_segments
from popsed_core.config.fit import FitConfig
from popsed_core.config.noise import NoiseConfig
from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.products import ProductsConfig
from popsed_core.config.runtime import RuntimeConfig
from popsed_core.config.spectra import SpectraConfig
from popsed_core.config.ssp import CLOUDY_DOWNLOADS, SSPConfig
from popsed_core.config.surveys import (
    GamaSurvey,
    KcorrectSurvey,
    MockSurvey,
    StandinConfig,
    Survey,
    TableSurvey,
)


@dataclass(frozen=True, config=STRICT)
class Config:
    """The whole configuration (config.yaml)."""

    seed: Annotated[int, Field(ge=0)]
    survey: Annotated[Name, Field(description="what a bare `snakemake` fits")]
    downloads: dict[Name, Download]
    ssp: SSPConfig
    spectra: SpectraConfig
    training_set: TrainingSetConfig
    surveys: dict[Name, Survey]
    noise: NoiseConfig
    parameters: dict[str, ParameterConfig]
    fit: FitConfig
    emulator: EmulatorConfig
    products: ProductsConfig
    standin: StandinConfig = dataclasses.field(default_factory=StandinConfig)
    runtime: RuntimeConfig = dataclasses.field(default_factory=RuntimeConfig)

    def __post_init__(self) -> None:
        if self.survey not in self.surveys:
            raise ValueError(f"survey {self.survey!r} is not one of surveys: {list(self.surveys)}")
        if self.ssp.path is None and self.ssp.reader == "dsps":
            raise ValueError("ssp.path: reader dsps needs a table; set ssp.path to its file")
        if self.ssp.path is None and self.ssp.reader == "bc03":
            self._check_download("bc03", "ssp.path")
        if self.ssp.nebular.kind == "cloudy":
            self._check_cloudy()
        check_parameters(self.parameters)
        for name, survey in self.surveys.items():
            self._check_survey(name, survey)
            check_bands(survey, self.fit_for(name), self.bands_of(name), f"surveys.{name}")
            if survey.parameters:
                check_parameters(self.parameters_for(name), f"surveys.{name}.parameters")
        _check_segments(self.training_set, self.emulator)
        if self.training_set.method == "fsps":
            _check_recipe(self.ssp, self.spectra)

    def _check_survey(self, name: str, survey: Survey) -> None:
        where = f"surveys.{name}"
        if isinstance(survey, TableSurvey):
            check_table_survey(survey, f"{where}.")
        elif isinstance(survey, KcorrectSurvey) and survey.path is None:
            self._check_download("kcorrect_sdss", f"{where}.path")
        elif isinstance(survey, GamaSurvey):
            keys = ("photometry", "masses", "extinction.path")[: len(survey.paths)]
            for key, path in zip(keys, survey.paths, strict=True):
                if path is None:
                    self._check_download(f"gama_{key.removesuffix('.path')}", f"{where}.{key}")
        elif isinstance(survey, MockSurvey):
            if isinstance(self.surveys.get(survey.noise_from, survey), MockSurvey):
                raise ValueError(f"{where}.noise_from: {survey.noise_from!r} is not a real survey")
            if survey.cuts.min_j_minus_k is not None or survey.cuts.min_redshift is not None:
                raise ValueError(
                    f"{where}.cuts: a mock has neither J - K nor stars; "
                    "remove min_j_minus_k and min_redshift"
                )

    def _check_download(self, name: str, path: str) -> None:
        if name not in self.downloads:
            raise ValueError(
                f"downloads.{name}: missing; add it, or set {path} to a file of your own"
            )

    def _check_cloudy(self) -> None:
        # the grids were computed for BC03's stars, whose ionising photons are needed for any table
        more = () if self.ssp.reader == "bc03" else ("bc03",)
        for name in (*CLOUDY_DOWNLOADS, *more):
            if name not in self.downloads:
                raise ValueError(
                    f"downloads.{name}: missing, ssp.nebular cloudy needs it; add it, or set "
                    "ssp.nebular to {kind: none}"
                )

    def bands_of(self, survey: str) -> tuple[str, ...]:
        """Return the names of a survey's bands; a mock has those of the survey it imitates."""
        section = self.surveys[survey]
        if isinstance(section, MockSurvey):
            section = self.surveys[section.noise_from]
        return tuple(section.bands)

    def fit_for(self, survey: str) -> FitConfig:
        """Return the fit section with the survey's own changes.

        Raises:
            InputError: a change is unknown or wrong.
        """
        tree = merge(to_plain(self.fit), self.surveys[survey].fit)
        return parse(FitConfig, tree, f"surveys.{survey}.fit")

    def parameters_for(self, survey: str) -> dict[str, ParameterConfig]:
        """Return the parameters section with the survey's own changes.

        Raises:
            InputError: a change is unknown or wrong.
        """
        tree = merge(to_plain(self.parameters), self.surveys[survey].parameters)
        return parse(dict[str, ParameterConfig], tree, f"surveys.{survey}.parameters")


def _check_recipe(ssp: SSPConfig, spectra: SpectraConfig) -> None:
    found = {
        "ssp.reader": (ssp.reader, "fsps"),
        "spectra.star_formation": (spectra.star_formation, "bins"),
        "spectra.burst": (spectra.burst, "released"),
    }
    for key, (value, needed) in found.items():
        if value != needed:
            raise ValueError(
                f"training_set.method: fsps needs {key}: {needed}, as in the released code, got "
                f"{value}; change it, or the method to table"
            )


def load(path: str | Path, *overlays: str | Path) -> Config:
    """Read and validate a YAML configuration, with overlays merged over it.

    Raises:
        InputError: a file is missing or not YAML, or a key is unknown, missing or wrong; the
            message names the file and the dotted key.
    """
    tree: dict[str, Any] = {}
    for item in (path, *overlays):
        tree = merge(tree, read_yaml(item))
    return parse(Config, tree, str(path))
