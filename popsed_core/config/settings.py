"""What each verb is given of the configuration, and nothing else of it.

``settings_of("fit member", config, survey="mine")`` is what the verb reads and records, and its
hash is what the rule of the workflow tracks: a changed key makes exactly those files again whose
verb is given it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from popsed_core.config.base import to_plain
from popsed_core.config.root import Config

Plain = Mapping[str, Any]
OF_THE_FIT_ONLY = ("engine", "n_pixels", "igm")  # keys of `spectra` that training sets do not have
ONLY_OF_CHUNKS = ("method", "n_chunks", "n_validation_chunks", "chunk_size", "grid")


@dataclass(frozen=True)
class Settings:
    """What a verb is given of the configuration, as plain values.

    Attributes:
        section: its main section, which its files record as ``config``.
        more: other sections and values by name, which they record among the arguments.
        seed: the run's seed; 0 where the verb draws nothing.
    """

    section: Plain = field(default_factory=dict)
    more: Plain = field(default_factory=dict)
    seed: int = 0

    @property
    def hash(self) -> str:
        """16 digits that change with any of the values."""
        text = json.dumps([self.section, self.more, self.seed])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def settings_of(verb: str, config: Config, **names: Any) -> Settings:
    """Return what a verb is given of a configuration.

    Args:
        verb: such as ``noise fit``.
        config: the whole configuration.
        names: whose: ``survey``, ``engine`` (instead of the configured one), ``download``; what
            the verb does not ask for is ignored.
    """
    return SETTINGS[verb](config, names) if verb in SETTINGS else Settings()


def without(section: Any, *keys: str) -> Plain:
    """Return a section as plain values without some of its keys."""
    return {key: value for key, value in to_plain(section).items() if key not in keys}


def _download(config: Config, names: Plain) -> Settings:
    return Settings(to_plain(config.downloads[names["download"]]))


def _ssp(config: Config, names: Plain) -> Settings:
    # the settings of BC03 and FSPS only where they are read
    read = {config.ssp.reader, config.ssp.nebular.kind}
    return Settings(without(config.ssp, *({"bc03", "fsps"} - read)))


def _catalogue(config: Config, names: Plain) -> Settings:
    more = {
        "redshift": _redshift_range(config, names),
        "wave": [config.ssp.wave_low, config.ssp.wave_high],
        "igm": config.spectra.igm,
    }
    return Settings(_survey(config, names), more)


def _mock(config: Config, names: Plain) -> Settings:
    more = {
        "spectra": without(config.spectra, "engine"),
        "redshift": _redshift_range(config, names),
    }
    return Settings(_survey(config, names), more, config.seed)


def _standin(config: Config, names: Plain) -> Settings:
    more = {
        "spectra": without(config.spectra, "engine"),
        "n_galaxies": config.standin.n_galaxies,
    }
    return Settings({}, more, config.seed)


def _chunk(config: Config, names: Plain) -> Settings:
    is_by_fsps = config.training_set.method == "fsps"
    more = {
        "spectra": without(config.spectra, *OF_THE_FIT_ONLY),
        "parameters": _boxes(config),
        "fsps": to_plain(config.ssp.fsps) if is_by_fsps else {},
    }
    section = without(config.training_set, "n_chunks", "n_validation_chunks")
    return Settings(section, more, config.seed)


def _index(config: Config, names: Plain) -> Settings:
    return Settings({}, {"n_validation": config.training_set.n_validation_chunks})


def _basis(config: Config, names: Plain) -> Settings:
    keys = ("edges", "n_components", "target")
    return Settings({key: to_plain(getattr(config.emulator, key)) for key in keys})


def _segment(config: Config, names: Plain) -> Settings:
    is_fresh = config.emulator.source == "fresh"
    more = {
        "training_set": without(config.training_set, *(ONLY_OF_CHUNKS if is_fresh else ())),
        "spectra": without(config.spectra, *OF_THE_FIT_ONLY),
        "parameters": _boxes(config),
    }
    return Settings(to_plain(config.emulator), more, config.seed)


def _validation(config: Config, names: Plain) -> Settings:
    is_by_fsps = config.ssp.reader == "fsps"
    return Settings({}, {"fsps": to_plain(config.ssp.fsps)} if is_by_fsps else {})


def _fit(config: Config, names: Plain) -> Settings:
    # what decides one member's numbers; not how many there are, nor how many to a job
    section = without(config.fit_for(names["survey"]), "n_members", "members_per_job")
    return Settings(section, _model(config, names), config.seed)


def _ensemble(config: Config, names: Plain) -> Settings:
    return Settings(without(config.products, "n_table"), _model(config, names), config.seed)


def _tables(config: Config, names: Plain) -> Settings:
    return Settings(without(config.products, "n_draws"))


def _survey(config: Config, names: Plain) -> Plain:
    return without(config.surveys[names["survey"]], "fit", "parameters")


def _redshift_range(config: Config, names: Plain) -> list[float]:
    """Return the redshifts of a survey's fit, over which the spectra must cover its filters."""
    redshift = config.parameters_for(names["survey"])["redshift"]
    return [redshift.low, redshift.high]


def _model(config: Config, names: Plain) -> Plain:
    engine = names.get("engine") or config.spectra.engine
    return {
        "spectra": {**to_plain(config.spectra), "engine": engine},
        "parameters": to_plain(config.parameters_for(names["survey"])),
    }


def _boxes(config: Config) -> Plain:
    """Return what an emulator is trained for: ranges, and coordinates where draws use them."""
    keys = ["low", "high"]
    if config.training_set.draws != "uniform":
        keys.append("coordinate")
    return {
        name: {key: getattr(item, key) for key in keys} for name, item in config.parameters.items()
    }


SETTINGS: dict[str, Callable[[Config, Plain], Settings]] = {
    "data fetch": _download,
    "fsps fetch": lambda config, names: Settings(to_plain(config.ssp.fsps)),
    "ssp build": _ssp,
    "catalogue build": _catalogue,
    "mock observe": _mock,
    "mock gama": _standin,
    "noise fit": lambda config, names: Settings(to_plain(config.noise)),
    "spectra chunk": _chunk,
    "spectra index": _index,
    "spectra basis": _basis,
    "emulator train": _segment,
    "emulator validate": _validation,
    "fit member": _fit,
    "ensemble sample": _ensemble,
    "products tables": _tables,
    "products summary": lambda config, names: Settings({}, {}, config.seed),
}
