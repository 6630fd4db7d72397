"""The forms of the noise: each has an object, a recipe, and an inverse."""

from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch
from noise_laws import POGSON

from popsed_core.config.noise import NoiseConfig
from popsed_core.photometry.noise_forms import FORMS
from popsed_core.surveys.noise_fit import RECIPES


def test_every_form_of_the_configuration_has_its_object_and_its_recipe():
    forms = get_args(get_args(get_type_hints(NoiseConfig, include_extras=True)["form"])[0])
    assert set(forms) == FORMS.keys() == RECIPES.keys()


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_sigma_and_measure_of_a_form_are_inverses_and_its_sign_is_the_error_s(form):
    maggies = np.geomspace(1e-10, 1e-7, 12).reshape(6, 2)
    mag_error = np.linspace(0.01, 0.5, 12).reshape(6, 2)
    value = form.measure(maggies, mag_error)
    sigma = form.sigma(torch.as_tensor(value), torch.as_tensor(maggies)).numpy()
    np.testing.assert_allclose(sigma, maggies * mag_error / POGSON, rtol=1e-12)
    assert (form.sign * (form.measure(maggies, 1.1 * mag_error) - value) > 0).all()
