"""Spectra of galaxies: star formation, dust, gas, cosmology."""
