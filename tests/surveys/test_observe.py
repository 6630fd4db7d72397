"""Mock surveys: the populations are the stated ones, and the truth explains the magnitudes."""

import dataclasses

import numpy as np
import pytest
import torch
from laws_tools import SDSS
from scipy import stats
from toy_world import BANDS, ERROR_AT_18, GRID, SPECTRA, base_catalogue, noise_table

from popsed_core.config.surveys import Cuts, MockSurvey
from popsed_core.errors import InputError
from popsed_core.files.artefacts import Provenance, save
from popsed_core.parameters import DERIVED, NAMES
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.surveys.catalogue import Reference
from popsed_core.surveys.mocks import observe as mock
from popsed_core.surveys.mocks.observe import RealSurvey
from popsed_core.theta import from_matrix

KINDS = ("table2_mock", "realistic_mock")
BASE = base_catalogue()
NOISE = noise_table(BASE)
LIMIT = 17.77  # [mag]


def observe(
    kind="table2_mock", *, name="mock", seed=1, n_galaxies=200, noise=NOISE, known=None, **changes
):
    settings = {"limit_mag": LIMIT} | changes
    config = MockSurvey(kind, "toy", n_galaxies=n_galaxies, **settings)
    like = RealSurvey(BASE, noise, known)
    return mock.observe(name, config, SPECTRA, seed=seed, grid=GRID, like=like)


@pytest.fixture(scope="module", autouse=True)
def small_batches():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mock, "BATCH", 4000)
        patch.setattr(mock, "MAX_BATCHES", 20)
        yield


@pytest.fixture(scope="module", params=KINDS)
def observed(request):
    return observe(request.param, n_galaxies=800)


@pytest.fixture(scope="module")
def photometry():
    return build_synthetic_photometry(GRID, SDSS, SPECTRA, (1e-3, 0.8)).double()


def true_mag(photometry, reference):
    theta = from_matrix(torch.as_tensor(reference.values[:, : len(NAMES)]))
    with torch.no_grad():
        return -2.5 * np.log10(photometry(theta).numpy())


# --- what a mock survey is ------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for folder in ("first", "second"):
        catalogue, reference = observe("realistic_mock", model_error=0.03, zero_point_error=0.01)
        save(catalogue, tmp_path / folder / "catalogue.h5", Provenance())
        save(reference, tmp_path / folder / "reference.h5", Provenance())
    for name in ("catalogue.h5", "reference.h5"):
        first, second = ((tmp_path / folder / name).read_bytes() for folder in ("first", "second"))
        assert first == second


@pytest.mark.parametrize("change", [{"name": "other"}, {"seed": 2}])
def test_another_name_or_seed_draws_other_galaxies(change):
    first, second = observe()[1], observe(**change)[1]
    assert not np.intersect1d(first.values, second.values).size


def test_every_galaxy_passes_the_limits(observed):
    catalogue, _ = observed
    assert catalogue.mag.shape == (800, 5)
    assert (catalogue.mag[:, BANDS.index("r")] < LIMIT).all()
    assert (1.0857362 / catalogue.mag_error > 1).all()


def test_further_limits_hold_too():
    catalogue, _ = observe(cuts=Cuts(min_snr=30.0, max_mag={"z": 17.0}))
    assert (catalogue.mag[:, BANDS.index("z")] < 17).all()
    assert (1.0857362 / catalogue.mag_error > 30).all()
    assert catalogue.cut_names[1:4] == ("r < 17.77", "z < 17", "SNR > 30 in every band")


def test_the_cut_flow_counts_every_galaxy_drawn(observed):
    counts = observed[0].n_kept
    assert counts[0] % 4000 == 0
    assert (np.diff(counts) <= 0).all()
    assert counts[-1] == 800


def test_bands_and_filters_are_the_base_surveys(observed):
    catalogue, _ = observed
    assert (catalogue.bands, catalogue.filters) == (BASE.bands, BASE.filters)


@pytest.mark.parametrize(("base", "expected"), [("toy", "toy"), ("real", "toy")])
def test_toy_spectra_make_a_toy_mock(base, expected):
    config = MockSurvey("table2_mock", "toy", n_galaxies=20)
    real = dataclasses.replace(BASE, source=base)
    catalogue, _ = mock.observe(
        "m", config, SPECTRA, seed=1, grid=GRID, like=RealSurvey(real, NOISE)
    )
    assert catalogue.source == expected


def test_the_truth_has_every_parameter_and_derived_quantity(observed, photometry):
    _, reference = observed
    assert reference.names == (*NAMES, *(row.name for row in DERIVED))
    assert reference.kind == "truth"
    theta = from_matrix(torch.as_tensor(reference.values[:, : len(NAMES)]))
    derived = photometry.derived(theta).numpy()
    np.testing.assert_allclose(reference.values[:, len(NAMES) :], derived, rtol=1e-10)


def test_the_truth_explains_the_magnitudes_within_the_noise(observed, photometry):
    catalogue, reference = observed
    chi = (catalogue.mag - true_mag(photometry, reference)) / catalogue.mag_error
    bright = catalogue.mag_error < 0.05
    assert bright.sum() > 1000
    # the bands without a limit scatter freely
    for band in ("u", "g", "i", "z"):
        values = chi[:, BANDS.index(band)][bright[:, BANDS.index(band)]]
        assert len(values) > 100, band
        assert abs(values.mean()) < 4 / np.sqrt(len(values)) + 0.05
        assert values.std() == pytest.approx(1, abs=4 / np.sqrt(2 * len(values)) + 0.03)


def test_quoted_errors_follow_the_noise_table(observed):
    catalogue, _ = observed
    expected = ERROR_AT_18 * 10 ** (0.4 * (catalogue.mag - 18))
    ratio = np.log10(catalogue.mag_error / expected)[catalogue.mag > 14]
    assert abs(np.median(ratio)) < 0.01
    assert ratio.std() < 0.04


def test_the_quoted_error_is_the_one_that_the_noise_was_drawn_with(photometry):
    """Errors scatter by a factor 2; a second draw of them would give residuals heavy tails."""
    uncertain = dataclasses.replace(NOISE, scatter=np.full_like(NOISE.scatter, 0.3))
    catalogue, reference = observe(n_galaxies=800, noise=uncertain)
    flux = 10 ** (-0.4 * true_mag(photometry, reference))
    chi = (catalogue.maggies - flux) / (catalogue.maggies * catalogue.mag_error / 1.0857362)
    chi = chi[catalogue.mag_error < 0.1]
    assert len(chi) > 2000
    assert chi.std() == pytest.approx(1, abs=0.05)
    assert abs(stats.kurtosis(chi)) < 0.3  # of a normal; 5 or more with two draws


def test_model_error_adds_its_scatter_per_galaxy_and_band(photometry):
    catalogue, reference = observe(n_galaxies=800, model_error=0.3)
    g, i = BANDS.index("g"), BANDS.index("i")
    residual = (catalogue.mag - true_mag(photometry, reference))[:, [g, i]]
    expected = np.hypot(0.3, np.median(catalogue.mag_error[:, [g, i]], axis=0))
    np.testing.assert_allclose(residual.std(axis=0), expected, rtol=0.12)
    assert abs(np.corrcoef(residual.T)[0, 1]) < 0.15


def test_colour_errors_are_smooth_in_wavelength_and_have_the_tails_asked_for():
    waves = np.array([3551.0, 4686.0, 6166.0, 7480.0, 8932.0])
    config = MockSurvey("realistic_mock", "toy", colour_error=0.03, colour_error_length=0.5)
    error = mock.ModelErrors(config, waves).draw(np.random.default_rng(1), 40_000)
    np.testing.assert_allclose(error.std(axis=0), 0.03, rtol=0.03)
    expected = np.exp(-0.5 * (np.log(waves[2] / waves[0]) / 0.5) ** 2)
    assert np.corrcoef(error[:, 0], error[:, 2])[0, 1] == pytest.approx(expected, abs=0.02)
    assert abs(stats.kurtosis(error[:, 0])) < 0.2
    config = dataclasses.replace(config, error_tail=5.0)
    heavy = mock.ModelErrors(config, waves).draw(np.random.default_rng(1), 40_000) / 0.03
    share = stats.t(5).cdf(np.linspace(-6, 6, 25))
    found = [(heavy[:, 3] < x).mean() for x in np.linspace(-6, 6, 25)]
    np.testing.assert_allclose(found, share, atol=0.01)


def test_no_colour_error_leaves_the_independent_one():
    config = MockSurvey("realistic_mock", "toy", model_error=0.02)
    error = mock.ModelErrors(config, np.array([4000.0, 5000.0])).draw(
        np.random.default_rng(2), 20_000
    )
    np.testing.assert_allclose(error.std(axis=0), 0.02, rtol=0.03)
    assert abs(np.corrcoef(error.T)[0, 1]) < 0.03


def test_zero_point_errors_shift_a_band_for_all_galaxies_alike(photometry):
    catalogue, reference = observe(n_galaxies=400, zero_point_error=0.5)
    residual = catalogue.mag - true_mag(photometry, reference)
    noise = np.median(catalogue.mag_error, axis=0)
    offset = np.median(residual, axis=0)
    scatter = stats.median_abs_deviation(residual, axis=0, scale="normal")
    assert np.abs(offset).max() > 0.2
    assert offset.std() > 0.1
    np.testing.assert_allclose(scatter, noise, rtol=0.35)


# --- mistakes -------------------------------------------------------------------------------


def test_an_unknown_limit_band_is_refused():
    with pytest.raises(
        InputError, match=r"surveys\.mock\.limit_band: got \['y'\], expected one of"
    ):
        observe(limit_band="y")


def test_an_impossible_limit_is_refused_with_the_count(monkeypatch):
    monkeypatch.setattr(mock, "MAX_BATCHES", 2)
    config = MockSurvey("table2_mock", "toy", n_galaxies=10**6, limit_mag=15.0)
    with pytest.raises(InputError, match=r"surveys\.m: only \d+ of 8000 .* r < 15\.0; loosen"):
        mock.observe("m", config, SPECTRA, seed=1, grid=GRID, like=RealSurvey(BASE, NOISE))


def test_a_limit_beyond_any_galaxy_is_refused_at_once():
    config = MockSurvey("table2_mock", "toy", limit_mag=-20.0)
    with pytest.raises(InputError, match=r"limit_mag: no galaxy .* that bright; loosen it"):
        mock.observe("m", config, SPECTRA, seed=1, grid=GRID, like=RealSurvey(BASE, NOISE))


def test_a_cut_on_an_unknown_band_is_refused():
    with pytest.raises(InputError, match=r"surveys\.mock\.cuts\.max_mag: got \['y'\], expected"):
        observe(cuts=Cuts(max_mag={"y": 20.0}))


# --- redshifts and masses of a survey -------------------------------------------------------

KNOWN = Reference(
    np.array([[0.05, 9.5], [0.1, 10.0], [0.2, 11.0], [0.3, np.nan], [1.5, 11.0], [0.1, 14.0]]),
    ("redshift", "log_stellar_mass"),
)


def test_a_resampled_mock_has_pairs_of_the_survey_without_a_limit():
    catalogue, truth = observe(
        joint="reference", limit_mag=None, known=KNOWN, cuts=Cuts(min_snr=0.0), n_galaxies=900
    )
    pairs = np.stack([truth.column("redshift"), truth.column("log_stellar_mass")], axis=1)
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    np.testing.assert_array_equal(found, KNOWN.values[:3])
    assert abs(counts - 300).max() < 60
    assert catalogue.mag[:, 2].max() > LIMIT
    assert "r < 17.77" not in catalogue.cut_names


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (None, "joint: reference, but none is given"),
        (Reference(KNOWN.values[:, :1], ("redshift",)), "has no log_stellar_mass"),
        (Reference(KNOWN.values[3:], KNOWN.names), "no galaxy has a redshift in"),
    ],
)
def test_a_reference_that_cannot_be_resampled_is_refused(known, told):
    with pytest.raises(InputError, match=told):
        observe(joint="reference", limit_mag=None, known=known)


def test_a_volume_needs_a_limit():
    with pytest.raises(ValueError, match="limit_mag: joint: volume has no faint end"):
        observe(limit_mag=None)
