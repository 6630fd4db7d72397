"""SSP table: spectra of simple stellar populations, with the names of the DSPS format.

``ssp_flux[m, a, w]`` is the luminosity per unit frequency of one solar mass formed at once with
metallicity m, seen at age a (Hearin et al. 2023, DSPS; Conroy et al. 2009, FSPS).  What gas makes
of the ionising photons of its young nodes is kept apart from the stars, so that a share
of these photons can be removed later.
"""

from dataclasses import dataclass, replace

import numpy as np

from popsed_core.files.artefacts import array, check_axes, optional_array

YOUNG_LOG_AGE = 7.0  # [dex yr] nodes up to here sit in birth clouds (FSPS dust_tesc)
NODE_SLACK = 1e-3  # [dex] so that a node stored as 7.0000001 is still young


@dataclass(frozen=True)
class SSPGrid:
    """An SSP table; arrays are float64 unless noted.

    Attributes:
        ssp_lgmet: log10 of the metal mass fraction, increasing [dex].
        ssp_lg_age_gyr: log10 of the age, increasing [dex Gyr].
        ssp_wave: rest-frame vacuum wavelength, increasing [AA].
        ssp_flux: float32 luminosity of the stars per unit mass formed [Lsun / Hz / Msun].
        surviving_mass: mass in stars and remnants per unit mass formed [Msun / Msun].
        ionising_rate: photons below 911.8 AA per unit mass formed; zero where not known
            [1 / s / Msun].
        nebular_continuum: float32 luminosity of the gas if no ionising photon is lost
            [Lsun / Hz / Msun]; no young nodes where there is no gas.
        line_wave: rest-frame vacuum wavelength of emission lines [AA].
        line_luminosity: float32, likewise [Lsun / Msun].
        library: isochrones and spectra, e.g. ``BC03-2016/MILES``.
        imf: initial mass function.
        log_zsun: log10 of the metal mass fraction that ``logzsol`` counts from [dex].
        lsun: the solar luminosity the table was normalised with [erg / s].
        source: ``real`` or ``toy``.
        nebular: tables and ionisation parameter of the gas; empty without gas.
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
    ionising_rate: np.ndarray = optional_array("1 / (s Msun)", "metallicity", "age")
    nebular_continuum: np.ndarray = optional_array(
        "Lsun / (Hz Msun)", "metallicity", "young", "wave"
    )
    line_wave: np.ndarray = optional_array("Angstrom", "line")
    line_luminosity: np.ndarray = optional_array("Lsun / Msun", "metallicity", "young", "line")
    nebular: str = ""

    def __post_init__(self) -> None:
        self._fill()
        check_axes(self)
        for name in ("ssp_lgmet", "ssp_lg_age_gyr", "ssp_wave"):
            if not np.all(np.diff(getattr(self, name)) > 0):
                raise ValueError(f"{name}: expected strictly increasing values")
        lights = ("ssp_flux", "ionising_rate", "nebular_continuum", "line_wave", "line_luminosity")
        for name in lights:
            values = getattr(self, name)
            if not (np.all(np.isfinite(values)) and np.all(values >= 0)):
                raise ValueError(f"{name}: expected finite values >= 0")
        if self.has_nebular and self.nebular_continuum.shape[1] != self.n_young:
            raise ValueError(
                f"nebular_continuum: has {self.nebular_continuum.shape[1]} young ages, but "
                f"{self.n_young} ages of the table are young"
            )

    def _fill(self) -> None:
        """Give empty arrays a shape that matches the others."""
        n_metals, n_waves = len(self.ssp_lgmet), len(self.ssp_wave)
        n_young = self.n_young if self.nebular_continuum.size else 0
        shapes = {
            "ionising_rate": (n_metals, len(self.ssp_lg_age_gyr)),
            "nebular_continuum": (n_metals, n_young, n_waves),
            "line_wave": (0,),
            "line_luminosity": (n_metals, n_young, 0),
        }
        for name, shape in shapes.items():
            if getattr(self, name).size == 0:
                object.__setattr__(self, name, np.zeros(shape))

    @property
    def n_young(self) -> int:
        """The number of nodes whose stars are in birth clouds and ionise gas."""
        return int((self.ssp_lg_age_gyr + 9 <= YOUNG_LOG_AGE + NODE_SLACK).sum())

    @property
    def has_nebular(self) -> bool:
        """Whether there is any gas."""
        return self.nebular_continuum.shape[1] > 0

    def stars(self) -> "SSPGrid":
        """Return the table without its gas."""
        nothing = dict.fromkeys(("nebular_continuum", "line_wave", "line_luminosity"), np.empty(0))
        return replace(self, nebular="", **nothing) if self.has_nebular else self
