"""What identifies a fit: all that matters, and nothing else."""

from dataclasses import replace

import numpy as np
from toy_world import FIT, PARAMETERS, make_survey, make_task

from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.schedules import NoiseAnnealing
from popsed_core.config.spectra import CosmologyConfig, SpectraConfig
from popsed_core.inference.task import fingerprint


def test_the_fingerprint_hangs_on_all_that_matters_and_on_nothing_else(survey):
    task = make_task()
    narrow = ParameterConfig(0.01, 0.3)
    brighter = replace(survey.catalogue, mag=survey.catalogue.mag - 0.01)
    louder = replace(survey.noise, median=survey.noise.median + 0.01)
    dimmer = replace(survey.grid, ssp_flux=survey.grid.ssp_flux * np.float32(0.5))
    changed = [
        (make_task(member=2), survey),
        (make_task(seed=1), survey),
        (make_task(survey="other"), survey),
        (make_task(fit=replace(FIT, noise_annealing=NoiseAnnealing(29.0))), survey),
        (make_task(parameters={**PARAMETERS, "redshift": narrow}), survey),
        (replace(task, spectra=SpectraConfig(60, cosmology=CosmologyConfig(70.0))), survey),
        (task, replace(survey, catalogue=brighter)),
        (task, replace(survey, noise=louder)),
        (task, replace(survey, grid=dimmer)),
    ]
    prints = [fingerprint([task], survey) for task, survey in [(task, survey), *changed]]
    assert len(set(prints)) == len(prints)
    assert fingerprint([replace(task, device="cuda")], survey) == prints[0]
    assert fingerprint([make_task()], make_survey()) == prints[0]
