"""The certificate of an emulator as numbers, as a page, and read back by a fit."""

import dataclasses
import json

import numpy as np
import pytest
import synthetic

from popsed_core.diagnostics.emulator_report import (
    accuracy_markdown,
    headline,
    read_accuracy,
    summarise_accuracy,
)
from popsed_core.errors import InputError

ACCURACY = dataclasses.replace(synthetic.make_accuracy(), source="toy")
SPEED = {name: {"exact": 200.0, "emulator": 3000.0} for name in (
    "spectra_forward", "photometry_forward", "photometry_forward_backward")}  # fmt: skip
NUMBERS = summarise_accuracy(ACCURACY, SPEED, "f" * 64)


def test_each_range_of_wavelength_has_its_pooled_and_its_worst_error():
    for (title, row), pooled in zip(NUMBERS["spectrum"].items(), ACCURACY.pooled, strict=True):
        low, high = map(float, title.split("-"))
        inside = (low <= ACCURACY.wave) & (ACCURACY.wave < high)
        assert (row["error_68"], row["error_95"]) == tuple(pooled)
        assert row["worst_pixel_68"] == pytest.approx(ACCURACY.spectrum[0, inside].max(), rel=1e-4)
        assert row["largest_bias"] == pytest.approx(abs(ACCURACY.bias[inside]).max(), rel=1e-4)


def test_errors_of_bands_are_quantiles_of_their_sizes():
    for column, band in zip(ACCURACY.rest_mag.T, ACCURACY.bands, strict=True):
        row = NUMBERS["rest_mag"][band]
        assert row["error_68"] == pytest.approx(np.quantile(abs(column), 0.68), rel=1e-3)
        assert row["bias"] == pytest.approx(np.median(column), rel=1e-3)


def test_speed_is_a_ratio_and_fsps_is_told_where_it_was_timed():
    assert NUMBERS["throughput"]["photometry_forward"]["ratio"] == 15
    assert "FSPS itself" not in accuracy_markdown(NUMBERS)
    timed = SPEED | {"spectra_forward": SPEED["spectra_forward"] | {"fsps": 2.0}}
    page = accuracy_markdown(summarise_accuracy(ACCURACY, timed, "f" * 64))
    assert "1,500 times as fast, the exact engine 100 times" in page


def test_the_page_has_every_section_and_names_the_emulator():
    page = accuracy_markdown(NUMBERS)
    for part in ("f" * 64, "## Spectra", "## Magnitudes", "## Rank correlation", "## Throughput",
                 "## Lookback time of the burst [dex Gyr]", "over the galaxy's age"):  # fmt: skip
        assert part in page
    assert page.count("\n| rest frame |") == 1


def test_a_certificate_comes_back_and_its_headline_has_its_numbers(tmp_path):
    path = tmp_path / "accuracy.json"
    path.write_text(json.dumps(NUMBERS))
    assert read_accuracy(path) == json.loads(path.read_text())
    assert "1.50% (68 %), 4.00% (95 %)" in headline(NUMBERS)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"emulator": "x"}'])
def test_another_file_is_no_certificate(tmp_path, text):
    path = tmp_path / "accuracy.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"not the accuracy of an emulator; make it with"):
        read_accuracy(path)


def test_a_certificate_of_nobody_is_refused(tmp_path):
    path = tmp_path / "accuracy.json"
    path.write_text(json.dumps({**NUMBERS, "emulator": None}))
    with pytest.raises(InputError, match="names no emulator"):
        read_accuracy(path)
