"""Distance of a mock's true population from its own catalogue, for each noise model.

No fit: the true galaxies of one half are observed once more and compared with the other half, by
the sliced Wasserstein distance squared in whitened magnitudes.  Two halves of the catalogue are the
floor.  What is above it, a fit would have to mend by a wrong population.
"""

from collections.abc import Mapping
from pathlib import Path

import torch

from popsed_core.config.noise import NoiseConfig
from popsed_core.config.root import Config
from popsed_core.files.artefacts import load
from popsed_core.inference.distances.features import build_features
from popsed_core.inference.distances.sliced import SlicedWasserstein
from popsed_core.inference.task import FitInputs, FitTask, build_forward
from popsed_core.parameters import NAMES
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.catalogue import Catalogue, Reference
from popsed_core.surveys.noise_fit import fit_noise
from popsed_core.theta import from_matrix

N_DIRECTIONS = 256
CHUNK = 2000  # galaxies per forward pass
OBSERVED = {"flux": "observed"}
POSITIVE = {"truncation": "positive"}
FORMS = {
    "ours": {},
    "errors at the observed flux": OBSERVED,
    "fluxes only positive": POSITIVE,
    "the paper's": {"form": "snr_given_flux", "n_bins": 50} | OBSERVED | POSITIVE,
}


def measure(results: Path, name: str, settings: Config) -> Mapping[str, float]:
    """Return the squared distance with each noise model, and the floor."""
    catalogue = load(results / name / "catalogue.h5", Catalogue)
    reference = load(results / name / "reference.h5", Reference)
    grid = load(results / "ssp.h5", SSPGrid)
    n = len(catalogue.mag) // 2
    fit = settings.fit_for(name)
    spectra, parameters = settings.spectra, settings.parameters_for(name)
    task = FitTask(name, 1, settings.seed, fit, spectra, parameters)
    columns = [reference.names.index(parameter) for parameter in NAMES]
    theta = from_matrix(torch.as_tensor(reference.values[:n, columns]).float())
    mag = torch.as_tensor(catalogue.mag).float()
    features = build_features(mag[n:], catalogue.bands, fit.features)
    stream = torch.Generator().manual_seed(settings.seed)
    distance = SlicedWasserstein(
        features(mag[n:]), n, p=2, n_pool=N_DIRECTIONS, n_step=N_DIRECTIONS, generator=stream
    )
    found = {"floor": distance(features(mag[:n]), stream, 1.0).item()}
    for title, changes in FORMS.items():
        noise = fit_noise(catalogue, NoiseConfig(**changes))
        forward = build_forward(task, FitInputs(grid, catalogue, noise), torch.device("cpu"))
        with torch.no_grad():
            parts = zip(*(column.split(CHUNK) for column in theta), strict=True)
            again = torch.cat([forward(type(theta)(*part), stream) for part in parts])
            found[title] = distance(features(again), stream, 1.0).item()
    return found
