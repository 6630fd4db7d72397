import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from popsed_core.errors import InputError
from popsed_core.stellar.ssp.surviving_mass import RETURN_FIT, hearin21_surviving_fraction


def test_chabrier_values_of_the_published_fit():
    log_age = np.array([7.0, 8.0, 9.0, 10.0])
    expected = [0.9003, 0.7751, 0.6676, 0.5699]
    np.testing.assert_allclose(
        hearin21_surviving_fraction(log_age, "Chabrier"), expected, atol=5e-5
    )


@given(st.floats(5.0, 10.2, allow_subnormal=False), st.sampled_from(sorted(RETURN_FIT)))
def test_mass_only_ever_decreases_and_stays_between_zero_and_one(log_age, imf):
    now = hearin21_surviving_fraction(log_age, imf)
    later = hearin21_surviving_fraction(log_age + 0.1, imf)
    assert 0 < later < now + 1e-3 < 1.01


def test_torch_equals_numpy_and_has_a_gradient():
    log_age = torch.linspace(5, 10.3, 50, dtype=torch.float64, requires_grad=True)
    fraction = hearin21_surviving_fraction(log_age, "Kroupa")
    plain = hearin21_surviving_fraction(log_age.detach().numpy(), "Kroupa")
    np.testing.assert_allclose(fraction.detach().numpy(), plain, rtol=1e-12)
    fraction.sum().backward()
    numeric = np.gradient(plain, log_age.detach().numpy(), edge_order=2)
    np.testing.assert_allclose(log_age.grad.numpy(), numeric, atol=0.01)


def test_unknown_initial_mass_function_lists_the_known_ones():
    with pytest.raises(InputError, match=r"imf: got 'Imaginary'.*Chabrier.*Kroupa.*Salpeter"):
        hearin21_surviving_fraction(8.0, "Imaginary")
