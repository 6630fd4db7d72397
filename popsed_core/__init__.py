"""PopSED: the properties of a galaxy population, from its photometry (Li et al. 2023)."""

__version__ = "0.1.0"
