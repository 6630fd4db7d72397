"""What a band costs: rows that all other cuts would have kept."""

import numpy as np

from popsed_core.config.surveys import Cuts
from popsed_core.surveys.band_costs import BandCost, format_band_costs
from popsed_core.surveys.catalogue import SurveyTable, select

BANDS = ("u", "g", "r")
FILTERS = tuple(f"sdss2010-{band}" for band in BANDS)


def costs_of(flux, error, cuts, **more):
    catalogue, _ = select(SurveyTable(flux, error, BANDS, FILTERS, **more), cuts)
    return catalogue.band_costs


def failing(costs):
    return tuple(cost.n_failing for cost in costs)


def faint_in_u(n=1000):
    """Of galaxies of magnitude 20, 65 in 100 are not detected in u, 10 of these nor in g."""
    flux, error = np.full((n, 3), 1e-8), np.full((n, 3), 1e-9)
    flux[: 65 * n // 100, 0] = 5e-10
    flux[: n // 10, 1] = -1e-10
    return flux, error


def test_rows_below_the_signal_to_noise_ratio_are_counted_by_band():
    found = costs_of(*faint_in_u(), Cuts(min_snr=1.0))
    assert found[0] == BandCost("u", 1000, 650, 550)
    assert failing(found) == (650, 100, 0)
    assert format_band_costs(found).endswith("u 650 (550), g 100 (0), r 0 (0)")


def test_without_a_cut_only_flux_that_is_not_there_counts():
    found = costs_of(*faint_in_u(), Cuts(min_snr=0.0))
    assert failing(found) == (0, 100, 0)
    assert found[1].n_alone == 100


def test_a_missing_measurement_counts():
    flux, error = faint_in_u()
    flux[-200:, 2] = np.nan
    error[-300:-200, 2] = np.inf
    assert failing(costs_of(flux, error, Cuts(min_snr=0.0))) == (0, 100, 300)


def test_rows_that_another_cut_takes_are_no_fault_of_a_band():
    flux, error = faint_in_u()
    flux[:300, 2] = 1e-9  # 22.5 mag in r
    found = costs_of(flux, error, Cuts(min_snr=1.0, max_mag={"r": 21.0}))
    assert found[0].n_rows == 700
    assert failing(found) == (350, 0, 0)


def test_rows_without_any_measurement_are_no_fault_of_a_band():
    flux, error = faint_in_u()
    flux[-300:] = np.nan
    found = costs_of(flux, error, Cuts(min_snr=1.0))
    assert found[0].n_rows == 700
    assert failing(found) == (650, 100, 0)


def test_a_single_band_has_all_the_blame():
    flux, error = (values[:, :1] for values in faint_in_u())
    catalogue, _ = select(SurveyTable(flux, error, ("u",), FILTERS[:1]), Cuts(min_snr=1.0))
    assert catalogue.band_costs == (BandCost("u", 1000, 650, 650),)
