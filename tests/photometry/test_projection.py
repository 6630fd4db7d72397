"""The projection of spectra on filters."""

import torch
from laws_tools import SDSS

from popsed_core.photometry.filters import load_filter
from popsed_core.photometry.projection import Projection
from popsed_core.stellar.wavelength import log_edges

MANY = (*SDSS, "sdss_r0", "twomass_J", "decam2014-Y", "lsst2016-y")


def test_flat_source_is_one_maggie_in_every_band_at_every_redshift():
    curves = [load_filter(name) for name in MANY]
    edges = log_edges(1500.0, 20000.0, 150)
    redshift = torch.linspace(0.0, 0.8, 301).double()
    flat = torch.ones(len(redshift), 150).double()
    seen = Projection(curves, edges, 0.8)(flat, redshift)
    torch.testing.assert_close(seen, torch.ones_like(seen), atol=1e-12, rtol=0)
