import pytest
import synthetic


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
