"""The physical parameters of a galaxy: one row each (Table 1 of Li et al. 2023).

A new parameter is a row here plus the physics that uses it.  This module does not import torch, so
that configuration and workflow load quickly; :mod:`popsed_core.theta` holds the tensors.
"""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Parameter:
    """One physical parameter.

    Attributes:
        name: the name used throughout the code.
        label: how figures write it (matplotlib mathtext), with its unit.
        unit: astropy unit string, empty if dimensionless.
        description: one line for tables and the configuration's help.
    """

    name: str
    label: str
    unit: str
    description: str


PARAMETERS = (
    Parameter("redshift", r"$z$", "", "redshift"),
    Parameter(
        "log_stellar_mass", r"$\log M_\star/M_\odot$", "dex(Msun)", "total formed stellar mass"
    ),
    Parameter("kappa_1", r"$\kappa_1$", "", "stick-breaking coordinate of the SFH bases"),
    Parameter("kappa_2", r"$\kappa_2$", "", "stick-breaking coordinate of the SFH bases"),
    Parameter("kappa_3", r"$\kappa_3$", "", "stick-breaking coordinate of the SFH bases"),
    Parameter("t_burst", r"$t_{\rm burst}\ [{\rm Gyr}]$", "Gyr", "lookback time of the burst"),
    Parameter("f_burst", r"$f_{\rm burst}$", "", "mass fraction formed in the burst"),
    Parameter("logzsol", r"$\log Z_\star/Z_\odot$", "dex", "stellar metallicity"),
    Parameter("dust_index", r"$n_{\rm dust}$", "", "slope modifier of the attenuation curve"),
    Parameter("tau_bc", r"$\tau_1$", "", "birth-cloud optical depth at 5500 AA"),
    Parameter("tau_ism", r"$\tau_2$", "", "diffuse optical depth at 5500 AA"),
)
NAMES = tuple(row.name for row in PARAMETERS)
SIMPLEX_POWER = {"kappa_1": 3, "kappa_2": 2, "kappa_3": 1}  # kappa = v**(1/a): flat simplex


class Derived(NamedTuple):
    """A quantity derived from the parameters: name, label with unit, unit, description."""

    name: str
    label: str
    unit: str
    description: str


DERIVED = (
    Derived(
        "log_sfr",
        r"$\log {\rm SFR}_{0.1\,{\rm Gyr}}\ [M_\odot/{\rm yr}]$",
        "dex(Msun / yr)",
        "mean star-formation rate over the last 0.1 Gyr",
    ),
    Derived(
        "mass_weighted_age",
        r"$t_{\rm age,MW}\ [{\rm Gyr}]$",
        "Gyr",
        "mass-weighted mean lookback time of star formation",
    ),
    Derived(
        "log_surviving_mass",
        r"$\log M_{\rm surv}/M_\odot$",
        "dex(Msun)",
        "surviving stellar mass, remnants included, from the SSP table",
    ),
    Derived(
        "log_surviving_mass_hearin21",
        r"$\log M_{\rm surv}^{\rm H21}/M_\odot$",
        "dex(Msun)",
        "surviving stellar mass by the fit of Hearin et al. 2021",
    ),
    Derived(
        "t_burst_effective",
        r"$t_{\rm burst,eff}\ [{\rm Gyr}]$",
        "Gyr",
        "lookback time of the burst, never before the galaxy",
    ),
)
