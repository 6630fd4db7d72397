"""The ensemble: equal draws from every member, reproducible, and consistent with the physics."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from toy_world import BANDS, FIT, PARAMETERS, SPECTRA, make_survey, make_task

from popsed_core.config.fit import FlowConfig
from popsed_core.config.products import ProductsConfig
from popsed_core.errors import InputError
from popsed_core.files.artefacts import Provenance, save
from popsed_core.inference import ensemble, selected_draws
from popsed_core.inference.ensemble import load_flow, sample_ensemble
from popsed_core.inference.fit import fit_member
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.parameters import DERIVED, NAMES
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.theta import from_matrix

PRODUCTS = ProductsConfig(n_draws=300, n_table=50)
SHORT = replace(FIT, n_epochs=1)


@pytest.fixture(scope="module")
def survey():
    return make_survey(400)


@pytest.fixture(scope="module")
def trained(survey):
    """Two barely trained members."""
    return [fit_member(make_task(k, SHORT), survey)[0] for k in (1, 2)]


@pytest.fixture(scope="module")
def drawn(survey, trained):
    return sample_ensemble(make_task(), PRODUCTS, survey, trained)


def photometry(survey, dtype=torch.float32):
    box = PARAMETERS["redshift"]
    ends = (box.low, box.high)
    filters = survey.catalogue.filters
    return build_synthetic_photometry(survey.grid, filters, SPECTRA, ends).to(dtype)


def test_every_member_gives_equally_many_draws(drawn):
    assert drawn.theta.shape == (2, 300, len(NAMES))
    assert drawn.derived.shape == (2, 300, len(DERIVED))
    assert drawn.mag.shape == (2, 300, len(BANDS))
    assert drawn.prior_theta.shape == (300, len(NAMES))
    assert drawn.prior_mag.shape == (300, len(BANDS))


def test_columns_and_source_are_named(drawn, survey):
    assert drawn.names == NAMES
    assert drawn.derived_names == tuple(row.name for row in DERIVED)
    assert drawn.bands == survey.catalogue.bands
    assert drawn.source == survey.catalogue.source


def test_all_is_finite_and_within_the_box(drawn):
    for values in (drawn.mag, drawn.derived):
        assert np.isfinite(values).all()
    for values in (drawn.prior_theta, drawn.prior_derived, drawn.prior_mag):
        assert np.isfinite(values).all()
    for name, box in PARAMETERS.items():
        column = drawn.column(name)
        assert column.min() >= np.float32(box.low)
        assert column.max() <= np.float32(box.high)


def test_the_same_members_give_the_same_bytes(survey, trained, drawn, tmp_path):
    again = sample_ensemble(make_task(), PRODUCTS, survey, trained)
    for name, samples in (("first.h5", drawn), ("second.h5", again)):
        save(samples, tmp_path / name, Provenance())
    assert (tmp_path / "first.h5").read_bytes() == (tmp_path / "second.h5").read_bytes()


def test_a_members_draws_do_not_depend_on_the_others(survey, trained, drawn):
    alone = sample_ensemble(make_task(), PRODUCTS, survey, trained[1:])
    np.testing.assert_array_equal(alone.theta[0], drawn.theta[1])
    np.testing.assert_array_equal(alone.mag[0], drawn.mag[1])
    assert not np.array_equal(drawn.theta[0], drawn.theta[1])


def test_members_draw_from_streams_of_their_own(survey, trained):
    twins = [trained[0], {**trained[0], "member": 2}]
    theta = sample_ensemble(make_task(), PRODUCTS, survey, twins).theta
    assert not np.intersect1d(theta[0, :, 0], theta[1, :, 0]).size


def test_chunks_bound_the_memory_and_change_no_parameter(survey, trained, drawn, monkeypatch):
    for module in (ensemble, selected_draws):
        monkeypatch.setattr(module, "CHUNK", 70)
    again = sample_ensemble(make_task(), PRODUCTS, survey, trained)
    np.testing.assert_allclose(again.theta, drawn.theta, rtol=1e-4)  # sums in another order
    assert again.mag.shape == drawn.mag.shape


def test_draws_are_the_flows(survey, trained, drawn):
    """Many draws of the rebuilt flow have the distribution of the ensemble's."""
    u, _ = load_flow(trained[0]).sample(3000, torch.Generator().manual_seed(0))
    share = torch.special.ndtr(u[:, NAMES.index("tau_bc")])
    expected = 3.0 * share.detach().numpy()
    assert stats.ks_2samp(drawn.column("tau_bc")[0], expected).pvalue > 1e-3


def test_derived_quantities_are_those_of_the_parameters(survey, drawn):
    theta = from_matrix(torch.as_tensor(drawn.theta[1]).double())
    expected = photometry(survey, torch.float64).derived(theta).numpy()
    np.testing.assert_allclose(drawn.derived[1], expected, rtol=2e-4, atol=2e-4)


def test_the_priors_derived_quantities_are_those_of_its_parameters(survey, drawn):
    theta = from_matrix(torch.as_tensor(drawn.prior_theta).double())
    expected = photometry(survey, torch.float64).derived(theta).numpy()
    np.testing.assert_allclose(drawn.prior_derived, expected, rtol=2e-4, atol=2e-4)


def test_magnitudes_are_those_of_the_parameters_with_noise(survey, drawn):
    with torch.no_grad():
        maggies = photometry(survey)(from_matrix(torch.as_tensor(drawn.theta[0])))
    residual = drawn.mag[0] + 2.5 * np.log10(maggies.numpy())
    bright = maggies.numpy() > 10 ** (-0.4 * 17)
    assert bright.sum() > 20
    # error floor of the model 0.03 mag, and at most 0.012 mag of noise at 17 mag
    assert residual[bright].std() == pytest.approx(0.031, rel=5 / np.sqrt(2 * bright.sum()))
    assert abs(np.median(residual[bright])) < 0.02


@pytest.fixture(scope="module")
def of_all_galaxies(survey, trained):
    """The ensemble of a fit whose prior has no selection."""
    task = make_task(fit=replace(SHORT, selection=None))
    return sample_ensemble(task, PRODUCTS, survey, trained)


@pytest.mark.parametrize("name", NAMES)
def test_prior_draws_follow_the_prior(of_all_galaxies, name):
    prior = PopulationPrior(PARAMETERS, SPECTRA.cosmology)
    expected = prior.sample(5000, torch.Generator().manual_seed(9))._asdict()[name].numpy()
    assert stats.ks_2samp(of_all_galaxies.prior_column(name), expected).pvalue > 1e-3


def test_with_a_selection_the_prior_is_one_of_observed_galaxies(survey, drawn, of_all_galaxies):
    """They are as bright as the catalogue's faintest, unlike most of the prior's."""
    limit = np.quantile(survey.catalogue.mag, 0.99, axis=0)

    def bright(samples):
        theta = from_matrix(torch.as_tensor(samples.prior_theta))
        with torch.no_grad():
            mag = -2.5 * torch.log10(photometry(survey)(theta)).numpy()
        return (mag < limit + 0.6).all(axis=1).mean()

    assert bright(drawn) > 0.9
    assert bright(of_all_galaxies) < 0.8


@pytest.mark.parametrize(
    "change", [{"survey": "other"}, {"seed": 8}, {"parameters": "{}"}, {"spectra": "{}"}]
)
def test_a_member_of_another_survey_seed_or_model_is_refused(survey, trained, change):
    stranger = {**trained[1], **change}
    (key,) = change
    with pytest.raises(InputError, match=rf"member 2: was fitted with {key} .*; rerun the fit"):
        sample_ensemble(make_task(), PRODUCTS, survey, [trained[0], stranger])


def test_a_flow_is_rebuilt_from_its_own_configuration(survey):
    wide = replace(SHORT, flow=FlowConfig(3, 5, 12, 1))
    member = fit_member(make_task(fit=wide), survey)[0]
    samples = sample_ensemble(make_task(), PRODUCTS, survey, [member])
    assert samples.theta.shape == (1, 300, len(NAMES))


@pytest.fixture(scope="module")
def limited(survey):
    """The same survey with cuts that keep half of it."""
    faint = np.quantile(survey.catalogue.mag, 0.5, axis=0)
    catalogue = replace(survey.catalogue, min_snr=15.0, max_mag=(*faint[:4], np.inf))
    return replace(survey, catalogue=catalogue)


@pytest.fixture(scope="module")
def as_selected(limited, trained):
    """Draws of members fitted without these cuts."""
    return sample_ensemble(make_task(), PRODUCTS, limited, trained)


def test_no_draw_fails_the_surveys_cuts(as_selected, limited):
    limit = np.array(limited.catalogue.max_mag, dtype=np.float32)
    assert as_selected.mag.shape == (2, 300, len(BANDS))
    assert (as_selected.mag < limit).all()
    assert (as_selected.prior_mag < limit).all()
    assert as_selected.prior_mag.shape == (300, len(BANDS))
    assert len(as_selected.removed) == 2
    assert all(0.05 < share < 0.99 for share in as_selected.removed)


def test_without_cuts_no_draw_is_removed(drawn):
    assert drawn.removed == (0.0, 0.0)


def test_a_selected_ensemble_is_that_of_all_draws_that_pass(survey, limited, trained, as_selected):
    """A twin without cuts, with more draws, holds the same galaxies first."""
    limit = np.array(limited.catalogue.max_mag, dtype=np.float32)
    large = sample_ensemble(make_task(), replace(PRODUCTS, n_draws=3000), survey, trained)
    passed = large.column("redshift")[0][(large.mag[0] < limit).all(axis=1)]
    assert stats.ks_2samp(passed, as_selected.column("redshift")[0]).pvalue > 1e-3
    assert stats.ks_2samp(large.column("redshift")[0], passed).statistic > 0.1


def test_parameters_and_magnitudes_stay_together(survey, as_selected):
    with torch.no_grad():
        maggies = photometry(survey)(from_matrix(torch.as_tensor(as_selected.theta[0])))
    noiseless = -2.5 * np.log10(maggies.numpy())
    assert np.abs(np.median(as_selected.mag[0] - noiseless, axis=0)).max() < 0.05
    assert np.corrcoef(as_selected.mag[0][:, 2], noiseless[:, 2])[0, 1] > 0.95
