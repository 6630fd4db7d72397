"""All figures: the artefacts that each is drawn from.  ``figures/NAME.py`` draws it.

The workflow reads this table: a line here makes a rule of every survey.
"""

FIGURES: dict[str, tuple[str, ...]] = {
    "population": ("samples", "reference"),
    "photometry": ("samples", "catalogue"),
    "colours": ("samples", "catalogue"),
    "corner_full": ("samples", "reference"),
    "star_forming_sequence": ("samples",),
    "redshift_distribution": ("samples", "reference"),
    "recovery": ("samples", "reference"),
    "training": ("members",),
    "noise_model": ("catalogue", "noise"),
    "cut_flow": ("catalogue",),
}

# not of every survey: each has a rule of its own
SPECIAL: dict[str, tuple[str, ...]] = {
    "emulator_accuracy": ("accuracy",),
    "emulator_basis": ("bases",),
    "engines": ("exact", "emulated", "reference"),
    "costs": ("step_costs", "galaxy_costs"),
}

OPTIONAL = ("reference",)  # may be None or absent
