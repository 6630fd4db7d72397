"""The prior of real galaxies, as they are observed."""
