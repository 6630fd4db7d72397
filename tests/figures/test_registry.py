"""Every figure by its name: it draws, says what it shows, and what it needs."""

import dataclasses

import pytest
from reading import texts

from popsed_core.errors import InputError
from popsed_core.figures.names import FIGURES, SPECIAL
from popsed_core.figures.registry import render, source_of, write


@pytest.mark.parametrize("name", FIGURES | SPECIAL)
def test_figure_draws_and_says_what_it_shows(name, artefacts):
    figure = render(name, artefacts)
    drawn = [axes for axes in figure.axes if axes.has_data()]
    assert drawn
    labels = {
        "population": r"$\log M_\star/M_\odot$",
        "corner_full": r"$t_{\rm burst}\ [{\rm Gyr}]$",
        "photometry": "$u$ [mag]",
        "colours": "$u - g$ [mag]",
        "star_forming_sequence": r"$\log M_{\rm surv}/M_\odot$",
        "redshift_distribution": "$n(z)$ [per unit redshift]",
        "recovery": r"$(x - {\rm median}) / {\rm std}$ of the known [-]",
        "training": "epoch",
        "noise_model": r"$\log_{10}$ flux error [maggies]",
        "cut_flow": "galaxies kept [count]",
        "engines": r"$t_{\rm burst}\ [{\rm Gyr}]$",
        "costs": "time of one flow [s]",
        "emulator_basis": "error of the reconstruction [%]",
        "emulator_accuracy": r"rest-frame wavelength [$\rm\AA$]",
    }
    assert labels[name] in texts(figure)


@pytest.mark.slow
@pytest.mark.twice
@pytest.mark.parametrize("name", FIGURES | SPECIAL)
def test_same_artefacts_same_bytes(name, artefacts, tmp_path):
    found = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        paths = folder / f"{name}.pdf", folder / f"{name}.png"
        write(name, artefacts, *paths)
        found.append([path.read_bytes() for path in paths])
    assert found[0] == found[1]
    assert found[0][0].startswith(b"%PDF")
    assert b"CreationDate" not in found[0][0]
    assert found[0][1].startswith(b"\x89PNG")


def test_figure_file_is_the_same_twice(artefacts, tmp_path):
    for name in ("a", "b"):
        write("cut_flow", artefacts, tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
    for ending in ("pdf", "png"):
        first, second = (tmp_path / f"{name}.{ending}" for name in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()


def test_worst_source_wins(artefacts):
    samples = artefacts["samples"]
    toy = dataclasses.replace(samples, source="toy")
    real = dataclasses.replace(samples, source="real")
    catalogue, reference = artefacts["catalogue"], artefacts["reference"]
    assert source_of("photometry", {"samples": real, "catalogue": catalogue}) == "mock"
    assert source_of("photometry", {"samples": toy, "catalogue": catalogue}) == "toy"
    assert source_of("population", {"samples": real, "reference": reference}) == "real"
    assert source_of("population", {"samples": real, "reference": None}) == "real"
    members = [{"source": "mock"}, {"source": "real"}]
    assert source_of("training", {"members": members}) == "mock"


def test_a_figure_without_its_artefact_is_refused(artefacts):
    with pytest.raises(InputError, match="needs noise"):
        render("noise_model", {"catalogue": artefacts["catalogue"]})
    with pytest.raises(InputError, match="unknown"):
        render("no_such_figure", artefacts)
