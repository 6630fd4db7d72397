"""Which bands the model covers: down to the Lyman limit, up to dust emission."""

import numpy as np
import pytest

from popsed_core.config.ssp import SSPConfig
from popsed_core.errors import InputError
from popsed_core.photometry.coverage import (
    beyond_dust_limit,
    check_coverage,
    check_filters,
    rest_frame_range,
)
from popsed_core.photometry.filters import FilterCurve, load_filter

SPECTRA = (SSPConfig().wave_low, SSPConfig().wave_high)
U, W1, W2 = (load_filter(name) for name in ("sdss2010-u", "wise2010-W1", "wise2010-W2"))


def test_the_defaults_cover_u_to_redshift_six():
    for name in ("sdss2010-u", "lsst2023-u"):
        check_filters([name], (0.001, 6.0), SPECTRA, "inoue14")
    with pytest.raises(InputError, match=r"sdss2010-u: needs rest-frame 4\d\d-.*ssp\.wave_low"):
        check_filters(["sdss2010-u"], (0.001, 6.0), SPECTRA, "none")


def test_nothing_is_asked_for_below_the_lyman_limit_where_hydrogen_absorbs():
    assert rest_frame_range([U], (0.0, 6.0), "inoue14")[0] == SPECTRA[0]
    near = [rest_frame_range([U], (0.0, 0.8), igm) for igm in ("inoue14", "none")]
    assert near[0] == near[1]


def test_a_band_that_is_dark_at_every_redshift_is_refused():
    ultraviolet = FilterCurve("mine", np.array([1400.0, 1500.0, 1600.0]), np.array([0.0, 1.0, 0.0]))
    check_coverage([ultraviolet], (0.5, 6.0), SPECTRA, "inoue14")
    with pytest.raises(InputError, match=r"mine.*below the Lyman limit.*drop the band"):
        check_coverage([ultraviolet], (1.0, 6.0), SPECTRA, "inoue14")


def test_a_band_that_sees_dust_nearby_is_warned_of_with_the_redshift():
    (warning,) = beyond_dust_limit([U, W1], (0.1, 0.8))
    assert "wise2010-W1: below redshift 0.35" in warning
    assert "parameters.redshift.low" in warning
    assert beyond_dust_limit([W1], (0.36, 0.8)) == []
    assert beyond_dust_limit([load_filter("twomass_Ks")], (0.0, 0.8)) == []


def test_a_band_that_sees_dust_at_every_redshift_is_refused():
    wide = (900.0, 60000.0)
    check_coverage([W1], (0.001, 0.8), wide)
    for curve, highest in ((W1, 0.3), (W2, 0.8)):
        with pytest.raises(InputError, match=rf"{curve.name}.*dust.*drop the band"):
            check_coverage([curve], (0.001, highest), wide)
