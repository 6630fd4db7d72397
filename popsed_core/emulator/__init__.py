"""A neural emulator of the spectra: its training set, components and networks."""
