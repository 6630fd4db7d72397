"""The summary as Markdown: tables that people read, with units, prior-dominated rows flagged."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from popsed_core.products.diagnostics import PRIOR_DOMINATED
from popsed_core.products.noise_check import MIN_SNR

SOURCES = {
    "real": "observed galaxies",
    "mock": "mock galaxies with known truth",
    "stand-in": "stand-in galaxies in the place of a survey: not for science",
    "toy": "a toy stellar-population table: not for science",
}
PRIOR_MARK = "prior-dominated"


def as_markdown(summary: Mapping[str, Any]) -> str:
    """Return the summary of :func:`popsed_core.products.summary.summarise` as Markdown."""
    sections = [_head(summary), _quantities(summary)]
    if summary["comparison"]:
        sections.append(_comparison(summary))
    sections.append(_photometry(summary))
    if summary["noise"]:
        sections.append(_noise(summary))
    if summary["fit"]["seconds"]:
        sections.append(_cost(summary))
    return "\n\n".join(sections) + "\n"


def _head(summary: Mapping[str, Any]) -> str:
    sizes = summary["sizes"]
    return (
        "# Population summary\n\n"
        f"Source: {SOURCES[summary['source']]}. {sizes['catalogue']:,} galaxies fitted; "
        f"{sizes['members']} flows with {sizes['draws_per_member']:,} draws each; "
        f"seed {summary['seed']}."
        + "".join(f"\n\n**Left out:** {reason}." for reason in summary["left_out"])
    )


def _quantities(summary: Mapping[str, Any]) -> str:
    header = ("quantity", "unit", "median", "16-84%", "2.5-97.5%", "scatter", "constrained", "note")
    rows = []
    for name, entry in summary["quantities"].items():
        at = entry["percentiles"]
        mark = PRIOR_MARK if entry["is_prior_dominated"] else "-"
        rows.append(
            (
                name,
                entry["unit"] or "-",
                number(at["50"]),
                f"{number(at['16'])} to {number(at['84'])}",
                f"{number(at['2.5'])} to {number(at['97.5'])}",
                number(entry["member_scatter"]["50"]),
                number(entry["constrained"]),
                mark,
            )
        )
    note = (
        "Scatter: standard deviation of the medians of the flows. Constrained: 1 - (central 68% "
        "width of the posterior) / (that of the prior). Prior-dominated: constrained is within "
        f"{PRIOR_DOMINATED} of zero and the Wasserstein-1 distance to the prior is below "
        f"{PRIOR_DOMINATED} of its standard deviation; such a row shows the prior, not the data."
    )
    return f"## Distributions\n\n{table(header, rows)}\n\n{note}"


def _comparison(summary: Mapping[str, Any]) -> str:
    header = (
        "quantity", "against", "galaxies", "W1", "W1/std", "KS", "mean offset", "median offset",
        "in 68% band", "in full band",
    )  # fmt: skip
    keys = ("w1", "w1_over_std", "ks", "mean_offset", "median_offset", "coverage_68",
            "coverage_full")  # fmt: skip
    rows = [
        (name, row["kind"], f"{row['n_reference']:,}", *(number(row[key]) for key in keys))
        for name, row in summary["comparison"].items()
    ]
    note = (
        "Offsets are inferred minus reference, in the unit of the quantity. In band: share of "
        "histogram bins in which the reference lies within the spread of the flows, widened by "
        "the Poisson error."
    )
    return f"## Against the reference\n\n{table(header, rows)}\n\n{note}" + _redshift(summary)


def _redshift(summary: Mapping[str, Any]) -> str:
    row = summary["comparison"].get("redshift")
    if row is None:
        return ""
    return (
        f"\n\nn(z), inferred minus reference over 1 + z: mean {row['mean_offset_1pz']:+.4f}, "
        f"standard deviation {row['std_offset_1pz']:+.4f}."
    )


def _photometry(summary: Mapping[str, Any]) -> str:
    row = summary["photometric_distance"]
    members = ", ".join(number(value) for value in row["members"])
    return (
        "## Photometry\n\n"
        "Sliced Wasserstein-1 distance of predicted to observed magnitudes, whitened, central 95 % "
        f"({row['n_each']:,} galaxies on each side): ensemble {number(row['ensemble'])}, flows "
        f"{members}; floor {number(row['floor'])} +- {number(row['floor_scatter'])} between "
        "random halves of the catalogue.\n\n" + _classifier(summary) + "\n\n"
        "Zero points fitted, added to the model [mag]: " + _zero_points(summary) + "."
    )


def _classifier(summary: Mapping[str, Any]) -> str:
    row = summary["classifier"]
    return (
        "Classifier two-sample test (0.5: predicted and observed magnitudes cannot be told apart, "
        f"1: always): accuracy {row['accuracy']:.3f}, floor {row['floor']:.3f} between random "
        f"halves of the catalogue, both +- {row['error']:.3f} ({row['n_each']:,} galaxies on each "
        "side)."
    )


def _zero_points(summary: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{band} {row['mean']:+.3f} +- {row['scatter']:.3f}"
        for band, row in summary["zero_points"].items()
    )


def _noise(summary: Mapping[str, Any]) -> str:
    header = ("band", "galaxies", "KS", "median", "width")
    rows = [
        (band, f"{row['n_galaxies']:,}", *(number(row[key]) for key in ("ks", "median", "width")))
        for band, row in summary["noise"].items()
    ]
    note = (
        "Where the catalogue's errors lie among those that the noise model predicts at their "
        f"magnitude, galaxies of expected SNR above {MIN_SNR:g}: Kolmogorov-Smirnov distance of "
        "the probability integral transform to uniform; median (0 expected; above: errors larger "
        "than predicted) and half the central 68.3 % (1 expected) of the normal scores."
    )
    return f"## Noise\n\n{table(header, rows)}\n\n{note}"


def _cost(summary: Mapping[str, Any]) -> str:
    fit = summary["fit"]
    return (
        "## Cost\n\n"
        f"{fit['seconds_total']:.0f} s of training in all flows; peak memory of one flow "
        f"{fit['peak_memory_mb']:.0f} MB."
    )


def number(value: float | None) -> str:
    """Return a number with three digits, or a dash where there is none."""
    return "-" if value is None else f"{value:.3g}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
