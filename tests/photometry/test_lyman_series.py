"""Table 2 of Inoue et al. 2014 as it is copied: by the laws of hydrogen that it must obey."""

import numpy as np

from popsed_core.photometry.lyman_series import LYMAN_SERIES

WAVE = np.array([line.wave for line in LYMAN_SERIES])
FOREST = np.array([line.forest for line in LYMAN_SERIES])
DAMPED = np.array([line.damped for line in LYMAN_SERIES])
LIMIT = 911.75  # [AA] in vacuum


def test_wavelengths_are_those_of_rydberg():
    upper = np.arange(2, 41)
    assert len(LYMAN_SERIES) == len(upper)
    np.testing.assert_allclose(WAVE, LIMIT / (1 - 1.0 / upper**2), rtol=3e-5)


def test_every_coefficient_falls_along_the_series():
    for column in (*FOREST.T, *DAMPED.T):
        assert (np.diff(column) < 0).all()


def test_the_ranges_of_redshift_keep_their_ratio_from_line_to_line():
    """A digit that is copied wrongly breaks the ratio between the columns of its row."""
    for ratio in (FOREST[:, 0] / FOREST[:, 1], FOREST[:, 1] / FOREST[:, 2]):
        np.testing.assert_allclose(ratio, np.median(ratio), rtol=2e-3)
    np.testing.assert_allclose(DAMPED[:, 0] / DAMPED[:, 1], 3.0, rtol=1e-3)
