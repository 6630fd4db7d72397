import hypothesis
import pytest
import synthetic

# a busy machine is no reason to fail: time is not what these tests are about
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture
def samples():
    return synthetic.make_samples()


@pytest.fixture
def observed():
    return synthetic.make_observed()


@pytest.fixture
def catalogue(observed):
    return observed[0]


@pytest.fixture
def reference(observed):
    return observed[1]


@pytest.fixture
def members():
    return synthetic.make_members()
