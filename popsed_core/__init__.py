"""PopSED: what a population of galaxies is like, from its photometry alone (Li et al. 2023).

In a notebook, start with::

    import popsed_core as popsed

    config = popsed.load_config("mine.yaml")   # or popsed.defaults(survey=...)
    survey = popsed.read_survey(config)        # or with an astropy Table of your own
    fit = popsed.fit(survey)                   # a progress bar; goes on where it was stopped
    samples = fit.sample(10_000)               # samples["redshift"], samples.to_table()
    samples.plot("population", reference=survey.reference)

docs/api.md explains each call.  The same in a shell is ``popsed`` (``popsed --help``), and the
whole workflow is Snakemake's; README.md has both.  Each name is imported when it is first used.
"""

from importlib import import_module
from typing import Any

_EXPORTS = {  # name: the module that has it
    "Fit": "api.fitting",
    "InputError": "errors",
    "Prediction": "api.prediction",
    "Samples": "api.samples",
    "Summary": "api.summary",
    "Survey": "api.survey",
    "__version__": "files.version",
    "defaults": "api.configuration",
    "fit": "api.fitting",
    "load": "api.fitting",
    "load_config": "api.configuration",
    "predict": "api.prediction",
    "read_survey": "api.reading",
    "summary": "api.summary",
}
__all__ = tuple(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
