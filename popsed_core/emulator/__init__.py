"""The neural emulator of the spectra: training set, components and networks."""
