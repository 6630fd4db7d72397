"""PopSED: what a population of galaxies is like, from its photometry alone (Li et al. 2023)."""

__version__ = "0.1.0"
