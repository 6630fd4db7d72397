"""The cuts applied to draws are those of the catalogue."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_world import BANDS, base_catalogue

from popsed_core.config.surveys import Cuts
from popsed_core.constants import MAG_PER_LN
from popsed_core.surveys.catalogue import SurveyTable, select
from popsed_core.surveys.limits import limits_of


def mag_and_snr(catalogue):
    mag = torch.as_tensor(catalogue.mag)
    return mag, torch.as_tensor(MAG_PER_LN / catalogue.mag_error)


@pytest.mark.parametrize(
    "cuts", [Cuts(min_snr=0.0), Cuts(min_snr=8.0), Cuts(min_snr=3.0, max_mag={"r": 17, "z": 16.5})]
)
def test_the_galaxies_that_pass_are_those_that_the_catalogue_kept(cuts):
    base = base_catalogue(500)
    flux = base.maggies
    error = flux * base.mag_error / MAG_PER_LN
    kept, _ = select(SurveyTable(flux, error, base.bands, base.filters), cuts)
    passed = limits_of(kept).passed(*mag_and_snr(base)).numpy()
    assert passed.sum() == len(kept.mag)
    np.testing.assert_allclose(base.mag[passed], kept.mag)
    assert limits_of(kept).passed(*mag_and_snr(kept)).all()


def test_limits_are_named_as_in_the_cut_flow():
    base = replace(base_catalogue(10), min_snr=1.0)
    assert str(limits_of(base)) == "SNR > 1"
    faint = (np.inf, np.inf, 17.77, np.inf, 17.0)
    assert len(faint) == len(BANDS)
    assert str(limits_of(replace(base, max_mag=faint))) == "SNR > 1, r < 17.77, z < 17"
