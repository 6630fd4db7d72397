"""What every figure is drawn from."""

import pytest
import synthetic

from popsed_core.config.noise import NoiseConfig
from popsed_core.surveys.noise_fit import fit_noise


@pytest.fixture(scope="session")
def artefacts():
    catalogue, reference = synthetic.make_observed()
    return {
        "samples": synthetic.make_samples(),
        "catalogue": catalogue,
        "reference": reference,
        "noise": fit_noise(catalogue, NoiseConfig(n_bins=10)),
        "members": synthetic.make_members(),
        "accuracy": synthetic.make_accuracy(),
        "bases": synthetic.make_bases(),
        "exact": synthetic.make_samples(),
        "emulated": synthetic.make_samples(seed=5),
        "step_costs": synthetic.STEP_COSTS,
        "galaxy_costs": synthetic.GALAXY_COSTS,
    }
