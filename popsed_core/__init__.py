"""PopSED: what a population of galaxies is like, from its photometry alone (Li et al. 2023)."""

from popsed_core.files.version import __version__ as __version__
