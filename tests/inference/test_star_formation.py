"""The prior's star formation, dust and metals: the published relations."""

import numpy as np
import pytest
import torch
from boxes import COSMOLOGY
from galaxies import PRIOR, at, stream
from scipy import stats

from popsed_core.inference.priors.star_formation import SURVIVING
from popsed_core.stellar.cosmology import CosmologyTable
from popsed_core.stellar.sfh import Histories, simplex_fractions
from popsed_core.theta import Theta

TYPES = PRIOR.types


def quiescent_fraction(log_mass: float, redshift: float) -> float:
    given = {
        "redshift": torch.tensor([redshift]),
        "log_stellar_mass": torch.tensor([log_mass - SURVIVING]),
    }
    return torch.sigmoid(TYPES.rates.log_odds(given)).item()


@pytest.mark.parametrize(("log_mass", "fraction"), [(10.0, 0.35), (10.5, 0.71), (11.3, 0.96)])
def test_quiescent_fraction_is_the_published_one(log_mass, fraction):
    assert quiescent_fraction(log_mass, 0.0) == pytest.approx(fraction, abs=0.01)
    peng10 = 1 - np.exp(-(10 ** (0.8 * (log_mass - 10.56))))
    assert quiescent_fraction(log_mass, 0.0) == pytest.approx(peng10, abs=0.13)


def test_quiescent_galaxies_were_rarer():
    assert quiescent_fraction(10.5, 0.6) < 0.75 * quiescent_fraction(10.5, 0.0)


def log_sfr(theta: Theta) -> np.ndarray:
    """Return the smooth history's log SFR, by the bases themselves [dex Msun / yr]."""
    histories, fractions = Histories(), simplex_fractions(theta)
    age = CosmologyTable(COSMOLOGY, 1.0).age_gyr(theta.redshift)
    window = torch.full_like(age, 0.1)
    formed = (fractions * histories.cumulative(age)[0]).sum(1)
    share = (fractions * histories.cumulative(window)[0]).sum(1) / formed
    return (theta.log_stellar_mass + torch.log10(share / 1e8)).numpy()


@pytest.mark.parametrize(
    ("log_mass", "redshift", "published"),
    [(10.0, 0.01, -0.08), (10.8, 0.3, 0.72)],  # Popesso et al. 2023 at ages of 13.69 and 10.27 Gyr
)
def test_sequence_has_its_published_rate(log_mass, redshift, published):
    theta = at(40_000, redshift=redshift, log_stellar_mass=log_mass - SURVIVING)
    rate = log_sfr(theta)
    star_forming = rate[rate > published - 1]
    # cut at the rate that the bases can form at most, and with a few quiescent galaxies
    assert np.median(star_forming) == pytest.approx(published, abs=0.05)
    assert stats.iqr(star_forming) / 1.349 == pytest.approx(0.3, abs=0.05)


def test_both_sequences_stand_apart_in_the_rate():
    rate = log_sfr(at(40_000, redshift=0.05, log_stellar_mass=10.6 - SURVIVING))
    counts, _ = np.histogram(rate - 10.6, np.arange(-14, -9, 0.2))
    assert counts[np.arange(-14, -9.2, 0.2).searchsorted(-11.3)] < 0.2 * counts.max()


def test_quiescent_galaxies_have_little_dust_and_star_forming_ones_more_if_massive():
    for log_mass, depth in ((9.5, 0.29), (10.5, 0.65)):
        theta = at(20_000, redshift=0.05, log_stellar_mass=log_mass - SURVIVING)
        is_forming = torch.from_numpy(log_sfr(theta)) > log_mass - 11.2
        assert theta.tau_ism[is_forming].median().item() == pytest.approx(depth, abs=0.05)
        assert theta.tau_ism[~is_forming].median().item() < 0.1


def test_thick_screens_are_greyer():
    theta = PRIOR.sample(50_000, stream(3))
    thin, thick = theta.tau_ism < 0.15, theta.tau_ism > 0.6
    assert theta.dust_index[thin].mean() + 0.3 < theta.dust_index[thick].mean()
