"""The summary of a fit: every number of the workflow's summary.json, short to look at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from popsed_core.api.samples import Samples
from popsed_core.api.show import Shown
from popsed_core.api.survey import Survey
from popsed_core.diagnostics.markdown import as_markdown
from popsed_core.diagnostics.summary import summarise
from popsed_core.errors import InputError

MEDIAN = "50"


@dataclass(frozen=True, repr=False, eq=False)
class Summary(Shown, Mapping[str, Any]):
    """Numbers by section, as in the workflow's summary.json: ``summary["quantities"]``.

    Attributes:
        numbers: all of them.
        survey_name: whose.
    """

    numbers: Mapping[str, Any]
    survey_name: str

    def __getitem__(self, section: str) -> Any:
        return self.numbers[section]

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values."""
        return dict(self.numbers)

    def to_markdown(self) -> str:
        """Return the main numbers as tables in Markdown, as the workflow's summary.md."""
        return as_markdown(self.numbers)

    def _title(self) -> str:
        sizes = self.numbers["sizes"]
        return (
            f"Summary of {self.survey_name}: {sizes['catalogue']:,} galaxies, "
            f"{sizes['members']} flows ({self.numbers['source']})"
        )

    def _facts(self) -> dict[str, str]:
        redshift = self.numbers["quantities"]["redshift"]
        known = self.numbers["comparison"].get("redshift")
        facts = {"median redshift": f"{redshift['percentiles'][MEDIAN]:.4g}"}
        if known is not None:
            facts["W1 of n(z)"] = f"{known['w1']:.3g} (prior {known['prior']['w1']:.3g})"
        return facts | {"warnings": "; ".join(self.numbers["warnings"])[:200] or "none"}


def summary(samples: Samples, survey: Survey | None = None) -> Summary:
    """Return the numbers that the workflow writes into summary.json.

    Args:
        samples: all draws of a fit.
        survey: what to compare with; by default the survey that was fitted.

    Raises:
        InputError: the samples are a selection, or of other bands than the survey.
    """
    if samples.is_kept is not None:
        raise InputError(
            "samples: are a selection, but the survey they are compared with is whole; give those "
            "that fit.sample() returned"
        )
    survey = survey or samples.survey
    inputs = survey.inputs
    if inputs.catalogue.bands != samples.population.bands:
        raise InputError(
            f"survey {survey.name}: has the bands {' '.join(inputs.catalogue.bands)}, but the "
            f"samples have {' '.join(samples.population.bands)}; give the survey that was fitted"
        )
    members = list(samples.members)
    numbers = summarise(
        samples.population,
        inputs.catalogue,
        survey.known,
        members,
        survey.config.seed,
        costs=[member["cost"] for member in members if "cost" in member],
        noise=inputs.noise,
    )
    return Summary(numbers, survey.name)
