"""From spectra to observed catalogues: filters, noise, selection, surveys."""
