"""The summary as Markdown tables with units; prior-dominated rows are flagged."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from popsed_core.diagnostics.closeness import NEAR
from popsed_core.diagnostics.noise import MIN_SNR
from popsed_core.diagnostics.recovery import PRIOR_DOMINATED, SAME_WIDTH

SOURCES = {
    "real": "observed galaxies",
    "mock": "mock galaxies with known truth",
    "stand-in": "stand-in galaxies in the place of a survey: not for science",
    "toy": "a toy stellar-population table: not for science",
}
PRIOR_MARK = "prior-dominated"


def as_markdown(summary: Mapping[str, Any]) -> str:
    """Return the summary of :func:`popsed_core.diagnostics.summary.summarise` as Markdown."""
    sections = [_head(summary), _quantities(summary)]
    if summary["comparison"]:
        sections.append(_comparison(summary))
    sections.append(_photometry(summary))
    if summary["noise"]:
        sections.append(_noise(summary))
    if summary["fit"]["objective"]:
        sections.append(_training(summary))
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
        + _removed(summary["removed"])
        + "".join(f"\n\n**WARN {text}**" for text in summary["warnings"])
        + "".join(f"\n\n**Left out:** {reason}." for reason in summary["left_out"])
    )


def _removed(shares: Sequence[float]) -> str:
    if not any(shares):
        return ""
    return (
        f" All draws pass the survey's cuts; up to {max(shares):.1%} of those of a flow did not, "
        "and were drawn again."
    )


def _quantities(summary: Mapping[str, Any]) -> str:
    header = (
        "quantity", "unit", "median", "16-84%", "prior's median", "prior's 16-84%", "2.5-97.5%",
        "scatter", "constrained", "note",
    )  # fmt: skip
    rows = []
    for name, entry in summary["quantities"].items():
        at, prior = entry["percentiles"], entry["prior"]["percentiles"]
        mark = f", {PRIOR_MARK}" if entry["is_prior_dominated"] else ""
        rows.append(
            (
                name,
                entry["unit"] or "-",
                number(at["50"]),
                _range(at, "16", "84"),
                number(prior["50"]),
                _range(prior, "16", "84"),
                _range(at, "2.5", "97.5"),
                number(entry["member_scatter"]["50"]),
                number(entry["constrained"]),
                entry["against_prior"] + mark,
            )
        )
    note = (
        "Scatter: standard deviation of the medians of the flows. Constrained: 1 - (central 68% "
        "width of the posterior) / (that of the prior); widths within "
        f"{SAME_WIDTH:.0%} are the same. Prior-dominated: constrained is within "
        f"{PRIOR_DOMINATED} of zero and the Wasserstein-1 distance to the prior is below "
        f"{PRIOR_DOMINATED} of its standard deviation; such a row shows the prior, not the data."
    )
    return f"## Distributions\n\n{table(header, rows)}\n\n{note}"


def _range(at: Mapping[str, float], low: str, high: str) -> str:
    return f"{number(at[low])} to {number(at[high])}"


def _comparison(summary: Mapping[str, Any]) -> str:
    header = (
        "quantity", "of", "against", "galaxies", "W1", "W1/std", "KS", "mean offset",
        "median offset", "width ratio", "beyond 99%", "in 68% band", "in full band",
    )  # fmt: skip
    keys = ("w1", "w1_over_std", "ks", "mean_offset", "median_offset", "width_ratio",
            "share_beyond")  # fmt: skip
    rows = []
    for name, row in summary["comparison"].items():
        prior = row["prior"]
        against = (row["kind"], f"{row['n_reference']:,}")
        bands = [number(row[key]) for key in ("coverage_68", "coverage_full")]
        rows.append((name, "fit", *against, *(number(row[key]) for key in keys), *bands))
        of_prior = [number(prior[key]) for key in keys]
        rows.append((name, "prior", *against, *of_prior, "-", number(row["prior_coverage"])))
    note = (
        "Each quantity twice: the fit, and its prior, which has seen no photometry. Offsets are "
        "inferred minus reference, in the unit of the quantity. Width ratio: of the central 68%. "
        "Beyond 99%: share of the draws beyond the 99% quantile of the reference (0.01 if alike). "
        "In band: share of histogram bins in which the reference lies within the spread of the "
        "flows, widened by the Poisson error."
    )
    return f"## Against the reference\n\n{table(header, rows)}\n\n{note}" + _redshift(summary)


def _redshift(summary: Mapping[str, Any]) -> str:
    row = summary["comparison"].get("redshift")
    if row is None:
        return ""
    prior = row["prior"]
    return (
        f"\n\nn(z), prior W1 {number(prior['w1'])}, fit W1 {number(row['w1'])}. Inferred minus "
        f"reference over 1 + z: mean {row['mean_offset_1pz']:+.4f} "
        f"(prior {prior['mean_offset_1pz']:+.4f}), standard deviation "
        f"{row['std_offset_1pz']:+.4f} (prior {prior['std_offset_1pz']:+.4f}). Share at "
        f"z < {NEAR:g}: {row['share_near']:.2%} (prior {prior['share_near']:.2%}, reference "
        f"{row['share_near_reference']:.2%})."
    )


def _photometry(summary: Mapping[str, Any]) -> str:
    row = summary["photometric_distance"]
    members = ", ".join(number(value) for value in row["members"])
    return (
        "## Photometry\n\n"
        "Sliced Wasserstein-1 distance of predicted to observed magnitudes, whitened, central 95 % "
        f"({row['n_each']:,} galaxies on each side): ensemble {number(row['ensemble'])}, flows "
        f"{members}; prior {number(row['prior'])}; floor {number(row['floor'])} +- "
        f"{number(row['floor_scatter'])} between random halves of the catalogue.\n\n"
        + _classifier(summary)
        + "\n\n"
        "Zero points fitted, added to the model [mag]: "
        + _zero_points(summary)
        + "."
        + _f_lost(summary)
    )


def _f_lost(summary: Mapping[str, Any]) -> str:
    row = summary["f_lost"]
    if row is None:
        return ""
    return f" Ionising photons lost: {row['mean']:.2f} +- {row['scatter']:.2f}."


def _classifier(summary: Mapping[str, Any]) -> str:
    row = summary["classifier"]
    return (
        "Classifier two-sample test (0.5: predicted and observed magnitudes cannot be told apart, "
        f"1: always): accuracy {row['accuracy']:.3f}, prior {row['prior']:.3f}, floor "
        f"{row['floor']:.3f} between random halves of the catalogue, all +- {row['error']:.3f} "
        f"({row['n_each']:,} galaxies on each side)."
    )


def _zero_points(summary: Mapping[str, Any]) -> str:
    prior = summary["zero_point_prior"]
    return ", ".join(
        f"{band} {row['mean']:+.3f} +- {row['scatter']:.3f}"
        for band, row in summary["zero_points"].items()
    ) + (f"; prior 0 +- {prior:g}" if prior else "")


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


def _training(summary: Mapping[str, Any]) -> str:
    row = summary["fit"]["objective"]
    return (
        f"## Training\n\nobjective: {row['ratio']:.1f} times its expected floor "
        f"({number(row['value'])} against {number(row['floor'])})."
    )


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
