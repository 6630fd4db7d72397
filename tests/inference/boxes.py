"""A box of parameters like the default configuration's, for the tests of this folder."""

from popsed_core.config.parameters import ComovingVolume, FlatSimplex, ParameterConfig, Schechter
from popsed_core.config.spectra import CosmologyConfig

COSMOLOGY = CosmologyConfig()
SIMPLEX = ParameterConfig(low=0.0, high=1.0, coordinate="flat_simplex", prior=FlatSimplex())
PARAMETERS = {
    "redshift": ParameterConfig(low=0.001, high=0.8, prior=ComovingVolume("comoving_volume")),
    "log_stellar_mass": ParameterConfig(
        low=7.5,
        high=13.0,
        prior=Schechter(kind="schechter", log_knee=11.0, slope=(-1.2,), weight=(1.0,)),
    ),
    "kappa_1": SIMPLEX,
    "kappa_2": SIMPLEX,
    "kappa_3": SIMPLEX,
    "t_burst": ParameterConfig(low=0.01, high=13.27, coordinate="log"),
    "f_burst": ParameterConfig(low=0.0, high=1.0),
    "logzsol": ParameterConfig(low=-2.6, high=0.3),
    "dust_index": ParameterConfig(low=-3.0, high=1.0),
    "tau_bc": ParameterConfig(low=0.0, high=3.0),
    "tau_ism": ParameterConfig(low=0.0, high=3.0),
}
UNIFORM = {name: ParameterConfig(low=box.low, high=box.high) for name, box in PARAMETERS.items()}
