"""Spectra of stellar populations: SSP tables, star-formation histories, dust, cosmology."""
