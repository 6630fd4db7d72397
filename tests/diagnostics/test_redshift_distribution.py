import csv

import numpy as np
import pytest

from popsed_core.diagnostics.redshift_distribution import (
    N_BINS,
    default_edges,
    redshift_distribution,
    write_redshift_distribution,
)
from popsed_core.surveys.catalogue import Reference


def test_every_density_integrates_to_one(samples):
    result = redshift_distribution(samples)
    widths = np.diff(result.edges)
    np.testing.assert_allclose(result.members @ widths, 1)
    assert result.mean @ widths == pytest.approx(1)
    assert 0 < result.prior @ widths < 1  # most of the prior lies beyond the galaxies


def test_the_band_is_ordered(samples):
    result = redshift_distribution(samples)
    for low, high in [("lowest", "q16"), ("q16", "q84"), ("q84", "highest"), ("lowest", "mean")]:
        assert np.all(getattr(result, low) <= getattr(result, high) + 1e-12)


def test_density_of_uniform_redshifts_is_flat():
    redshift = (np.arange(4000) + 0.5) / 4000 * 0.4
    edges = default_edges(redshift)
    assert np.diff(edges) == pytest.approx(0.01)
    assert edges[-1] > redshift.max()
    assert len(edges) - 1 == N_BINS


def test_a_far_outlier_does_not_change_the_bins_of_the_core():
    redshift = np.append(np.linspace(0.01, 0.3, 1000), 5.0)
    edges = default_edges(redshift)
    assert edges[1] == pytest.approx(0.01)
    assert edges[-1] > 5


def test_known_redshifts_beyond_the_draws_are_within_the_edges(samples):
    known = Reference(np.linspace(0.05, 1.4, 500)[:, None], ("redshift",))
    result = redshift_distribution(samples, known)
    assert result.edges[-1] > 1.4
    assert result.known @ np.diff(result.edges) == pytest.approx(1)
    alone = redshift_distribution(samples)
    assert alone.known is None
    n = len(alone.mean)
    np.testing.assert_allclose(result.mean[:n], alone.mean)


def test_csv_has_the_reference_where_there_is_one(samples, reference, tmp_path):
    result = redshift_distribution(samples, reference)
    write_redshift_distribution(result, tmp_path / "n.csv")
    rows = list(csv.DictReader((tmp_path / "n.csv").read_text().splitlines()))
    np.testing.assert_allclose([float(row["reference"]) for row in rows], result.known, rtol=1e-5)


def test_csv_has_a_a_row_per_bin_and_a_column_per_member(samples, tmp_path):
    result = redshift_distribution(samples)
    path = tmp_path / "n.csv"
    write_redshift_distribution(result, path)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert len(rows) == len(result.mean)
    np.testing.assert_allclose([float(row["mean"]) for row in rows], result.mean, rtol=1e-5)
    np.testing.assert_allclose(
        [float(row["member_3"]) for row in rows], result.members[2], rtol=1e-5
    )
    assert [item.name for item in tmp_path.iterdir()] == ["n.csv"]
