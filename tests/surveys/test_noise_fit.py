"""Fitting a survey's noise: the law that made the errors is recovered."""

import numpy as np
import pytest
import torch
from noise_laws import (
    LAWS,
    POGSON,
    law,
    make_catalogue,
    measured,
    noise_config,
    sloped_model,
)
from scipy import stats

from popsed_core.config.noise import NoiseConfig
from popsed_core.errors import InputError
from popsed_core.files.artefacts import Provenance, load, save
from popsed_core.photometry.noise import (
    NoiseTable,
)
from popsed_core.photometry.noise_forms import FORMS
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.noise_fit import RECIPES, fit_noise


@pytest.mark.parametrize("form", FORMS)
def test_the_error_law_is_recovered(form):
    table = fit_noise(make_catalogue(form), noise_config(form, 30))
    scatter = LAWS[form][2]
    assert table.form == form
    # median of ~1300 values: 1.25 scatter / sqrt(1300); five of these
    is_seen = measured(table)
    expected = law(form, table.mag.T).T
    np.testing.assert_allclose(table.median[is_seen], expected[is_seen], atol=0.18 * scatter)


@pytest.mark.parametrize("form", FORMS)
def test_the_scatter_is_a_normals_and_trimmed_in_the_papers_and_the_released_form(form):
    table = fit_noise(make_catalogue(form), noise_config(form, 30))
    is_ours = form == "error_given_flux"
    kept = 1.0 if is_ours else stats.truncnorm(*stats.norm.ppf([0.01, 0.99])).std()
    assert RECIPES[form].spread_of_normal == pytest.approx(kept, abs=1e-3)
    slopes = np.array(LAWS[form][:2])[:, 1:]
    within_bin = slopes * (table.mag[:, 1:2] - table.mag[:, :1]) / np.sqrt(12)
    expected = np.hypot(kept * LAWS[form][2], within_bin)
    found = table.scatter[measured(table)].reshape(2, -1)
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=0.12)
    assert table.scatter.mean() == pytest.approx(expected.mean(), rel=0.02)


@pytest.mark.parametrize("form", FORMS)
def test_the_median_error_of_a_flux_is_the_catalogues(form):
    model = sloped_model(form)
    mag = np.repeat(np.linspace(16, 20, 9)[:, None], 2, axis=1)
    maggies = torch.as_tensor(10 ** (-0.4 * mag))
    sigma = model.sigma(maggies, torch.zeros_like(maggies)).numpy()
    quantity = FORMS[form].measure(maggies.numpy(), POGSON * sigma / maggies.numpy())
    np.testing.assert_allclose(quantity, law(form, mag), atol=0.6 * LAWS[form][2])


def test_empty_bins_are_bridged():
    catalogue = make_catalogue("error_given_flux")
    mag = catalogue.mag
    is_kept = ((mag < 17) | (mag > 18.5)).all(1)
    holed = Catalogue(
        mag[is_kept], catalogue.mag_error[is_kept], np.array([is_kept.sum()]),
        catalogue.bands, catalogue.filters, ("read",),
    )  # fmt: skip
    table = fit_noise(holed, NoiseConfig(n_bins=30))
    is_seen = measured(table)
    expected = law("error_given_flux", table.mag.T).T
    np.testing.assert_allclose(table.median[is_seen], expected[is_seen], atol=0.02)


def test_too_few_galaxies_are_refused_with_the_band_and_the_remedy():
    with pytest.raises(InputError, match=r"noise of band g: .*10 galaxies \(25 in all\).*n_bins"):
        fit_noise(make_catalogue("error_given_flux", 25), NoiseConfig(n_bins=30))


def test_the_noise_table_survives_the_disk(tmp_path):
    table = fit_noise(make_catalogue("error_given_flux", 2000), NoiseConfig(n_bins=5))
    save(table, tmp_path / "noise.h5", Provenance())
    again = load(tmp_path / "noise.h5", NoiseTable)
    assert again.bands == table.bands
    np.testing.assert_array_equal(again.median, table.median)
