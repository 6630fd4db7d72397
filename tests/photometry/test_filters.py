"""Filter curves by name, from wherever they come."""

import numpy as np
import pytest

from popsed_core.errors import InputError
from popsed_core.photometry.filters import load_filter


@pytest.mark.parametrize("name", ["sdss2010-q", "no_such_filter", "missing/curve.txt"])
def test_an_unknown_filter_is_named(name):
    with pytest.raises(InputError, match=name):
        load_filter(name)


def test_filters_come_from_speclite_sedpy_and_files_alike(tmp_path):
    speclite, sedpy = load_filter("sdss2010-r"), load_filter("sdss_r0")
    assert speclite.effective_wave == pytest.approx(6200, abs=60)
    assert sedpy.effective_wave == pytest.approx(6200, abs=60)
    path = tmp_path / "mine.txt"
    np.savetxt(path, np.stack([speclite.wave, speclite.response], 1))
    assert load_filter(str(path)).effective_wave == pytest.approx(speclite.effective_wave, abs=0.1)


def test_a_file_that_is_no_filter_is_named(tmp_path):
    path = tmp_path / "bad.txt"
    path.write_text("wave response\nfive six\n")
    with pytest.raises(InputError, match=r"bad\.txt"):
        load_filter(str(path))
    path.write_text("4000 0.1\n5000 -0.5\n6000 0.2\n")
    with pytest.raises(InputError, match="negative"):
        load_filter(str(path))
