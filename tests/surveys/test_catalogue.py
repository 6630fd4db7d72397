import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from popsed_core.config.surveys import Cuts
from popsed_core.errors import InputError
from popsed_core.files.artefacts import Provenance, load, save
from popsed_core.surveys.catalogue import (
    Catalogue,
    Reference,
    SurveyTable,
    format_cut_flow,
    select,
    write_cut_flow,
)


def photometry(**changes):
    values = {
        "maggies": np.array([[1e-8, 2e-8], [1e-9, 2e-9], [1e-7, np.nan], [-1e-9, 1e-8]]),
        "maggies_error": np.full((4, 2), 5e-10),
        "bands": ("g", "r"),
        "filters": ("sdss2010-g", "sdss2010-r"),
        "path": "table.fits",
    }
    return SurveyTable(**values | changes)


def test_magnitudes_and_maggies_are_inverse():
    catalogue, _ = select(photometry(), Cuts(min_snr=0))
    np.testing.assert_allclose(catalogue.maggies, [[1e-8, 2e-8], [1e-9, 2e-9]])
    np.testing.assert_allclose(catalogue.mag[0], [20.0, 19.247425], atol=1e-6)


def test_nan_photometry_and_negative_flux_are_named_cuts():
    catalogue, _ = select(photometry(), Cuts(min_snr=3))
    assert catalogue.cut_names == (
        "read",
        "finite photometry",
        "flux > 0",
        "flux error > 0",
        "SNR > 3 in every band",
    )
    assert catalogue.n_kept.tolist() == [4, 3, 2, 2, 1]


@given(st.floats(0.5, 50, allow_subnormal=False), st.floats(15, 25, allow_subnormal=False))
def test_what_passes_obeys_every_cut(min_snr, limit):
    generator = np.random.default_rng(1)
    flux = 10 ** generator.uniform(-10, -5, (300, 2))
    error = flux * 10 ** generator.uniform(-3, 0, (300, 2))
    cuts = Cuts(min_snr=min_snr, max_mag={"r": limit})
    is_kept = np.all(flux > min_snr * error, axis=1) & (flux[:, 1] > 10 ** (-0.4 * limit))
    if not is_kept.any():
        return
    catalogue, reference = select(photometry(maggies=flux, maggies_error=error), cuts)
    assert np.all(catalogue.mag_error * min_snr < 1.0857363)
    assert np.all(catalogue.mag[:, 1] < limit)
    assert np.all(np.diff(catalogue.n_kept) <= 0)
    assert len(catalogue.mag) == catalogue.n_kept[-1] == is_kept.sum() == len(reference.values)


def test_unknown_redshift_is_no_reason_to_drop_a_row():
    redshift = np.array([np.nan, 0.0001, 0.1, 0.1])
    catalogue, reference = select(
        photometry(reference={"redshift": redshift}), Cuts(min_snr=0, min_redshift=0.002)
    )
    assert catalogue.n_kept.tolist()[-2:] == [2, 1]
    assert np.isnan(reference.values).all()


def test_empty_selection_names_the_cut_that_emptied_it():
    with pytest.raises(InputError) as caught:
        select(photometry(), Cuts(min_snr=1e6))
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("table.fits: no galaxy is left")
    assert "read: 4, finite photometry: 3, flux > 0: 2" in text
    assert "loosen the cut 'SNR > 1e+06 in every band'" in text


def test_empty_table_is_an_empty_selection():
    nothing = photometry(maggies=np.empty((0, 2)), maggies_error=np.empty((0, 2)))
    with pytest.raises(InputError, match="no galaxy is left; rows after each cut: read: 0"):
        select(nothing, Cuts())


@pytest.mark.parametrize(
    ("cuts", "name"),
    [
        (Cuts(min_redshift=0.1), "the survey has no redshift"),
        (Cuts(min_j_minus_k=0.025), "the survey has no J - K"),
        (Cuts(max_mag={"K": 20.0}), "cuts.max_mag: no band 'K'"),
    ],
)
def test_cut_on_what_the_survey_lacks_is_refused(cuts, name):
    with pytest.raises(InputError, match=name):
        select(photometry(), cuts)


def test_mock_carries_its_source_and_its_truth():
    catalogue, reference = select(
        photometry(source="mock", reference={"redshift": np.arange(4.0)}), Cuts()
    )
    assert (catalogue.source, reference.kind) == ("mock", "truth")


def test_catalogue_and_reference_survive_the_disk(tmp_path):
    made = select(photometry(reference={"redshift": np.arange(4.0)}), Cuts())
    for artefact, kind in zip(made, (Catalogue, Reference), strict=True):
        save(artefact, tmp_path / "artefact.h5", Provenance())
        again = load(tmp_path / "artefact.h5", kind)
        for name, value in vars(artefact).items():
            np.testing.assert_array_equal(getattr(again, name), value)


def test_cut_flow_table_adds_up(tmp_path):
    catalogue, _ = select(photometry(), Cuts(min_snr=3))
    write_cut_flow(catalogue, tmp_path / "cut_flow.csv")
    with (tmp_path / "cut_flow.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["cut"] for row in rows] == list(catalogue.cut_names)
    assert all(int(row["rows_in"]) - int(row["lost"]) == int(row["rows_out"]) for row in rows)
    assert [row["rows_out"] for row in rows[:-1]] == [row["rows_in"] for row in rows[1:]]
    assert [path.name for path in tmp_path.iterdir()] == ["cut_flow.csv"]


def test_cut_flow_on_the_screen_has_one_line_per_cut():
    lines = format_cut_flow(("read", "flux > 0"), (12000, 11000)).splitlines()
    assert lines[-1].split() == ["flux", ">", "0", "12,000", "11,000", "1,000"]
    assert len({len(line) for line in lines}) == 1
