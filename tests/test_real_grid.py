"""From a real FSPS grid (MIST 2.5, CK04 atmospheres) to a fit, if the grid is available."""

import dataclasses
import math

import h5py
import numpy as np
import pytest
import torch
from laws_tools import SDSS, galaxy, prior_draws
from real_data import SHARED
from toy_world import FIT, SPECTRA, make_survey, make_task

from popsed_core.inference.fit import fit_member
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.stellar.ssp.dsps import read_dsps

TABLE = SHARED / "ssp_fsps05_mist25_ck04_chabrier.npz"
ZSUN = 0.0185  # of FSPS 4.0

pytestmark = pytest.mark.skipif(not TABLE.is_file(), reason=f"no real FSPS grid: {TABLE.name}")


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """The table through the reader of DSPS tables."""
    path = tmp_path_factory.mktemp("real") / "dsps.h5"
    with np.load(TABLE) as table, h5py.File(path, "w") as file:
        file["ssp_wave"] = table["wave_AA"].astype(float)
        file["ssp_lg_age_gyr"] = table["log_age_yr"].astype(float) - 9
        file["ssp_lgmet"] = table["log_z_zsol"].astype(float) + math.log10(ZSUN)
        file["ssp_flux"] = table["lnu_lsun_hz_per_msun"].T
        file["surviving_mass"] = table["mass"].T
        file.attrs.update(imf="Chabrier", log_zsun=math.log10(ZSUN))
    return read_dsps(path, (1000.0, 30_000.0))


def test_photometry_is_that_of_galaxies(grid):
    photometry = build_synthetic_photometry(grid, SDSS, SPECTRA, (0.005, 0.8)).double()
    with torch.no_grad():
        mag = -2.5 * torch.log10(photometry(prior_draws(300))).numpy()
        one = -2.5 * torch.log10(photometry(galaxy(redshift=0.1, log_stellar_mass=10.5)))[0]
    assert np.isfinite(mag).all()
    u, g, r, i, z = one.tolist()
    assert 16 < r < 19
    assert u > g > r > i > z
    assert 0.3 < g - r < 1.2


def test_a_few_steps_of_a_fit_run(grid):
    survey = dataclasses.replace(make_survey(), grid=grid)
    history = fit_member(make_task(), survey)[0]["history"]
    assert len(history["validation"]) == FIT.n_epochs
    assert np.isfinite([*history["validation"], *history["gradient"]]).all()
