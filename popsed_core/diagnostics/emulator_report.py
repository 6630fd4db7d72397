"""The accuracy report of an emulator, as JSON and as Markdown."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from popsed_core.diagnostics.emulator_accuracy import RANGES, SHARES, EmulatorAccuracy
from popsed_core.diagnostics.markdown import SOURCES, number, table
from popsed_core.diagnostics.summary import rounded
from popsed_core.errors import InputError
from popsed_core.files.inputs import require_file

Numbers = Mapping[str, Any]
NAMES = tuple(f"error_{share:.0%}".rstrip("%") for share in SHARES)
LIBRARIES = {"real": "a library of real stellar populations", "toy": SOURCES["toy"]}


def summarise_accuracy(
    accuracy: EmulatorAccuracy, speed: Mapping[str, Mapping[str, float]], emulator_sha256: str
) -> dict[str, Any]:
    """Return the errors of an emulator as a plain, rounded dictionary.

    Args:
        accuracy: what :func:`popsed_core.diagnostics.emulator_accuracy.measure` found.
        speed: galaxies per second, by operation and engine; of spectra also by FSPS itself where
            it made them.
        emulator_sha256: of the emulator's file, which these numbers belong to.

    Returns:
        Fractional errors [-] of the ``spectrum`` by range, errors [mag] of ``rest_mag`` and, in
        bins of redshift, ``mag``, ``correlation`` of the bands, errors by age of the burst, and
        ``throughput`` [1/s].
    """
    ratios = {
        name: {**rates, "ratio": rates["emulator"] / rates["exact"]}
        for name, rates in speed.items()
    }
    return rounded(
        {
            "source": accuracy.source,
            "emulator": emulator_sha256,
            "n_spectra": len(accuracy.redshift),
            "bands": list(accuracy.bands),
            "spectrum": _spectrum(accuracy),
            "rest_mag": _rest_mag(accuracy),
            "mag": _mag(accuracy),
            "correlation": dict(
                zip(accuracy.bands, accuracy.correlation.tolist(), strict=True)
            ),
            "log_burst_age_gyr": _binned(accuracy.by_age, accuracy.age_edges),
            "burst_over_galaxy_age": _binned(accuracy.by_ratio, accuracy.ratio_edges),
            "throughput": ratios,
        }
    )  # fmt: skip


def read_accuracy(path: Path) -> dict[str, Any]:
    """Return the numbers that ``popsed emulator validate`` wrote.

    Raises:
        InputError: the file is missing or is not an accuracy report.
    """
    text = require_file(path).read_text(errors="replace")
    try:
        found = json.loads(text)
        headline(found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not the accuracy of an emulator; make it with `popsed emulator validate`"
        ) from error
    if not isinstance(found.get("emulator"), str):
        raise InputError(f"{path}: names no emulator; make it with `popsed emulator validate`")
    return found


def headline(numbers: Numbers) -> str:
    """Return the errors of an emulator as a log line."""
    parts = [
        f"{name} AA {row[NAMES[0]]:.2%} (68 %), {row[NAMES[1]]:.2%} (95 %)"
        for name, row in numbers["spectrum"].items()
    ]
    row = numbers["rest_mag"]
    bands = ", ".join(f"{band} {row[band][NAMES[0]]:.4f}" for band in numbers["bands"])
    return f"errors of spectra at {'; '.join(parts)}; of magnitudes (68 %) {bands} mag"


def accuracy_markdown(numbers: Numbers) -> str:
    """Return the accuracy report as Markdown."""
    head = (
        "# Accuracy of the emulator\n\n"
        f"Spectra: {LIBRARIES[numbers['source']]}. {numbers['n_spectra']:,} from the prior, never "
        "trained on; errors are against the exact engine, 68 % and 95 % of their sizes."
        f"\n\nEmulator: sha256 {numbers['emulator']}"
    )
    sections = [head, _spectrum_table(numbers), _mag_table(numbers), _correlation_table(numbers)]
    for key, title in {
        "log_burst_age_gyr": "Lookback time of the burst [dex Gyr]",
        "burst_over_galaxy_age": "Lookback time of the burst over the galaxy's age",
    }.items():
        rows = [
            (f"{row['low']:.2f} to {row['high']:.2f}", *_pair(row, percent=True))
            for row in numbers[key]
        ]
        table_of = table((title, "68 % [%]", "95 % [%]"), rows)
        sections.append(f"## {title}\n\nErrors of spectra at 3000-12000 AA.\n\n{table_of}")
    return "\n\n".join([*sections, _speed_table(numbers)]) + "\n"


def _spectrum(accuracy: EmulatorAccuracy) -> dict[str, dict[str, float]]:
    found = {}
    for (low, high), pooled in zip(RANGES, accuracy.pooled.tolist(), strict=True):
        is_inside = (low <= accuracy.wave) & (accuracy.wave < high)
        found[f"{low:.0f}-{high:.0f}"] = {
            **dict(zip(NAMES, pooled, strict=True)),
            "worst_pixel_68": float(accuracy.spectrum[0, is_inside].max()),
            "largest_bias": float(np.abs(accuracy.bias[is_inside]).max()),
        }
    return found


def _rest_mag(accuracy: EmulatorAccuracy) -> dict[str, dict[str, float]]:
    values = np.nanquantile(np.abs(accuracy.rest_mag), SHARES, axis=0)
    values = np.vstack([values, np.nanmedian(accuracy.rest_mag, axis=0)])
    rows = values.T.tolist()
    keys = (*NAMES, "bias")
    return {
        band: dict(zip(keys, row, strict=True))
        for band, row in zip(accuracy.bands, rows, strict=True)
    }


def _mag(accuracy: EmulatorAccuracy) -> list[dict[str, Any]]:
    edges = accuracy.redshift_edges.tolist()
    return [
        {"low": low, "high": high}
        | {
            name: dict(zip(accuracy.bands, accuracy.mag_binned[share, index].tolist(), strict=True))
            for share, name in enumerate(NAMES)
        }
        for index, (low, high) in enumerate(itertools.pairwise(edges))
    ]


def _binned(values: np.ndarray, edges: np.ndarray) -> list[dict[str, float]]:
    ends = itertools.pairwise(edges.tolist())
    return [
        {"low": low, "high": high, **dict(zip(NAMES, values[:, index].tolist(), strict=True))}
        for index, (low, high) in enumerate(ends)
    ]


def _pair(row: Numbers, *, percent: bool = False) -> list[str]:
    scale = 100 if percent else 1
    return [number(None if row[name] is None else scale * row[name]) for name in NAMES]


def _spectrum_table(numbers: Numbers) -> str:
    rows = [
        (name, *_pair(row, percent=True), number(100 * row["worst_pixel_68"]))
        for name, row in numbers["spectrum"].items()
    ]
    header = ("rest frame [AA]", "68 % [%]", "95 % [%]", "worst pixel, 68 % [%]")
    return f"## Spectra\n\n{table(header, rows)}"


def _mag_table(numbers: Numbers) -> str:
    bands = list(numbers["rest_mag"])
    rows = [("rest frame", *(" / ".join(_pair(numbers["rest_mag"][band])) for band in bands))]
    for row in numbers["mag"]:
        cells = [" / ".join(number(row[name][band]) for name in NAMES) for band in bands]
        rows.append((f"{row['low']:.3f} to {row['high']:.3f}", *cells))
    return f"## Magnitudes, 68 % / 95 % [mag]\n\n{table(('redshift', *bands), rows)}"


def _correlation_table(numbers: Numbers) -> str:
    rows = [
        (band, *(f"{value:.2f}" for value in row)) for band, row in numbers["correlation"].items()
    ]
    found = table(("", *numbers["correlation"]), rows)
    return f"## Rank correlation of the errors of rest-frame magnitudes\n\n{found}"


def _speed_table(numbers: Numbers) -> str:
    rows = [
        (name.replace("_", " "), *(f"{row[key]:,.0f}" for key in ("exact", "emulator")),
         number(row["ratio"]))
        for name, row in numbers["throughput"].items()
    ]  # fmt: skip
    header = ("operation", "exact [1/s]", "emulator [1/s]", "ratio")
    text = (
        "## Throughput\n\nGalaxies per second on one thread, medians of both engines in turn.\n\n"
        + table(header, rows)
    )
    spectra = numbers["throughput"]["spectra_forward"]
    if "fsps" not in spectra:
        return text
    return (
        f"{text}\n\nFSPS itself makes {number(spectra['fsps'])} spectra per second: the emulator "
        f"is {spectra['emulator'] / spectra['fsps']:,.0f} times as fast, the exact engine "
        f"{spectra['exact'] / spectra['fsps']:,.0f} times."
    )
