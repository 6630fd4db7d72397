"""PopSED from Python: what ``import popsed_core as popsed`` offers, one module for each thing.

docs/api.md shows the whole in ten lines.  Here units come in and go out: astropy Tables and
Quantities at the border, plain arrays below it.
"""
