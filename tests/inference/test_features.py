"""Feature spaces: widths, invertibility, and errors that name the band."""

import numpy as np
import pytest
import synthetic
import torch

from popsed_core.config.distances import FeaturesConfig
from popsed_core.errors import InputError
from popsed_core.inference.distances.features import Features, build_features

BANDS = ["u", "g", "r", "i", "z"]


@pytest.fixture(scope="module")
def mag():
    """Return magnitudes whose widths along hidden directions span a factor of 100."""
    random = np.random.default_rng(0)
    mixing = np.linalg.qr(random.normal(size=(5, 5)))[0]
    return 18 + random.normal(size=(4000, 5)) * [2, 0.4, 0.13, 0.06, 0.01] @ mixing


def features_of(mag, kind, **options):
    features = build_features(mag, BANDS, FeaturesConfig(kind=kind, **options))
    return features(torch.from_numpy(mag).float()).numpy()


@pytest.mark.parametrize("kind", ["zscored", "whitened", "colours"])
def test_features_have_zero_mean_and_unit_width_without_a_floor(mag, kind):
    values = features_of(mag, kind, floor=0.0)
    accuracy = 2e-3 if kind == "zscored" else 0.02  # robust: to that of 4000 galaxies
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=accuracy)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=accuracy)


def test_whitened_features_are_uncorrelated(mag):
    covariance = np.cov(features_of(mag, "whitened", floor=0.0), rowvar=False)
    np.testing.assert_allclose(covariance, np.eye(5), atol=0.04)


def test_floor_keeps_narrow_directions_narrow(mag):
    widths = features_of(mag, "whitened", floor=0.1).std(axis=0)
    np.testing.assert_allclose(widths, [1, 1, 1, 0.6, 0.1], rtol=0.05)


def test_whitening_does_not_depend_on_the_signs_of_eigenvectors(mag):
    flipped = features_of(mag[::-1].copy(), "whitened")[::-1]
    np.testing.assert_allclose(flipped, features_of(mag, "whitened"), atol=2e-3)


def test_colours_are_a_reference_and_adjacent_differences(mag):
    values = features_of(mag, "colours", reference="g", floor=0.0)
    expected = np.column_stack([mag[:, 1], -np.diff(mag, axis=1)])
    values, expected = ((x - x.mean(axis=0)) / x.std(axis=0) for x in (values, expected))
    np.testing.assert_allclose(values, expected, atol=5e-3)


def test_colours_take_the_middle_band_by_default(mag):
    np.testing.assert_array_equal(
        features_of(mag, "colours"), features_of(mag, "colours", reference="r")
    )


def spoilt(n_wrong, value, seed):
    """Return 10,000 galaxies, and the same with the i magnitude of some replaced."""
    random = np.random.default_rng(seed)
    clean = synthetic.make_observed(n=10_000, seed=seed)[0].mag
    wrong = clean.copy()
    wrong[random.permutation(10_000)[:n_wrong], 3] = value
    return clean, wrong


def width_ratios(clean, wrong, kind):
    """Return the widths that clean galaxies have in the features of the others, over their own."""
    widths = []
    for mag in (clean, wrong):
        features = build_features(mag, BANDS, FeaturesConfig(kind=kind))
        covariance = np.cov(features(torch.from_numpy(clean).float()).double(), rowvar=False)
        widths.append(np.sqrt(np.linalg.eigvalsh(covariance)))
    return widths[1] / widths[0]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", ["whitened", "colours"])
@pytest.mark.parametrize("value", [5.0, 22.0, 128.0])
def test_wrong_magnitudes_hardly_move_the_widths(kind, value, seed):
    one = width_ratios(*spoilt(1, value, seed), kind)
    np.testing.assert_allclose(one, 1, atol=0.002)
    hundred = width_ratios(*spoilt(100, value, seed), kind)
    np.testing.assert_allclose(hundred, 1, atol=0.15)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_wrong_magnitude_rules_a_plain_covariance(seed):
    """Why it is robust: widths of .6 with one row of i = 5, and less with one of 128."""
    for value, most in ((5.0, 0.8), (128.0, 0.4)):
        clean, wrong = spoilt(1, value, seed)
        variances = np.linalg.eigvals(
            np.linalg.solve(np.cov(wrong, rowvar=False), np.cov(clean, rowvar=False))
        )
        assert np.sqrt(variances.real.min()) < most


@pytest.mark.parametrize("kind", ["zscored", "whitened", "colours"])
def test_features_of_one_band_work(mag, kind):
    features = build_features(mag[:, :1], ["u"], FeaturesConfig(kind=kind))
    assert features(torch.zeros(3, 1)).shape == (3, 1)


@pytest.mark.parametrize("kind", ["zscored", "whitened", "colours"])
def test_features_are_invertible(mag, kind):
    features = build_features(torch.from_numpy(mag), BANDS, FeaturesConfig(kind=kind)).double()
    values = torch.from_numpy(mag)
    back = features(values) @ torch.linalg.inv(features.matrix) + features.shift
    torch.testing.assert_close(back, values)


def test_unknown_reference_band_is_named(mag):
    with pytest.raises(InputError, match=r"features.reference.*'K'"):
        features_of(mag, "colours", reference="K")


def test_bad_magnitude_is_named_with_band_and_row(mag):
    broken = mag.copy()
    broken[7, 2] = np.nan
    with pytest.raises(InputError, match="band r, row 7 is nan"):
        features_of(broken, "whitened")


def test_constant_band_is_named(mag):
    broken = mag.copy()
    broken[:, 3] = 20.0
    with pytest.raises(InputError, match="band i is constant"):
        features_of(broken, "zscored")


def test_degenerate_colour_without_floor_names_the_remedy(mag):
    broken = mag.copy()
    broken[:, 3] = broken[:, 4]
    with pytest.raises(InputError, match=r"features.floor"):
        features_of(broken, "colours", floor=0.0)


def test_wrong_number_of_bands_is_named(mag):
    features = build_features(mag, BANDS, FeaturesConfig())
    with pytest.raises(ValueError, match="got 4 bands, expected 5"):
        features(torch.zeros(3, 4))


def test_matrix_that_loses_colours_is_refused():
    with pytest.raises(ValueError, match=r"got \(3, 2\), expected \(3, 3\)"):
        Features(torch.zeros(3), torch.zeros(3, 2))
    with pytest.raises(ValueError, match="singular"):
        Features(torch.zeros(3), torch.ones(3, 3))
