"""SSP table: the light of simple stellar populations, in the names of the DSPS format.

``ssp_flux[m, a, w]`` is the luminosity per unit frequency of one solar mass formed at once with
metallicity m, seen at age a (Hearin et al. 2023, DSPS; Conroy et al. 2009, FSPS).
"""

from dataclasses import dataclass

import numpy as np

from popsed_core.artefacts import array, check_axes


@dataclass(frozen=True)
class SSPGrid:
    """An SSP table; arrays are float64 unless noted.

    Attributes:
        ssp_lgmet: log10 of the metal mass fraction, increasing [dex].
        ssp_lg_age_gyr: log10 of the age, increasing [dex Gyr].
        ssp_wave: rest-frame vacuum wavelength, increasing [AA].
        ssp_flux: float32 luminosity per unit mass formed [Lsun / Hz / Msun].
        surviving_mass: mass in stars and remnants per unit mass formed [Msun / Msun].
        library: isochrones and spectra, e.g. ``BC03-2016/MILES``.
        imf: initial mass function.
        log_zsun: log10 of the metal mass fraction that ``logzsol`` counts from [dex].
        lsun: the solar luminosity the table was normalised with [erg / s].
        source: ``real`` or ``toy``.
    """

    ssp_lgmet: np.ndarray = array("dex", "metallicity")
    ssp_lg_age_gyr: np.ndarray = array("dex(Gyr)", "age")
    ssp_wave: np.ndarray = array("Angstrom", "wave")
    ssp_flux: np.ndarray = array("Lsun / (Hz Msun)", "metallicity", "age", "wave")
    surviving_mass: np.ndarray = array("", "metallicity", "age")
    library: str = ""
    imf: str = ""
    log_zsun: float = 0.0
    lsun: float = 0.0
    source: str = "real"

    def __post_init__(self) -> None:
        check_axes(self)
        for name in ("ssp_lgmet", "ssp_lg_age_gyr", "ssp_wave"):
            if not np.all(np.diff(getattr(self, name)) > 0):
                raise ValueError(f"{name}: expected strictly increasing values")
        if not (np.all(np.isfinite(self.ssp_flux)) and np.all(self.ssp_flux >= 0)):
            raise ValueError("ssp_flux: expected finite values >= 0")
