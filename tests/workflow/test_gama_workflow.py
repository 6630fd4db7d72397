"""The paper's survey from the archive's files to its report, on stand-ins for the files."""

import json

import numpy as np
import pytest
from web_archive import Archive
from workflow_tools import call, copy_tree, snakemake

from popsed_core.files.artefacts import load
from popsed_core.surveys.catalogue import Catalogue

STANDIN = ("--configfile", "config/smoke.yaml", "config/gama_standin.yaml")
TABLES = ("ApMatchedCat.fits", "StellarMasses.fits")
NAMES = ("photometry", "masses")


@pytest.fixture(scope="module")
def made(checkout, tmp_path_factory):
    """A copy in which stand-ins have gone through the whole workflow."""
    folder = tmp_path_factory.mktemp("gama") / "popsed"
    copy_tree(checkout, folder)
    snakemake(folder, "--cores", "2", *STANDIN)
    return folder


@pytest.mark.slow
def test_stand_ins_go_through_the_whole_workflow(made):
    summary = json.loads((made / "results/gama/summary.json").read_text())
    assert summary["source"] == "toy"  # its spectra are worse than its galaxies
    assert {"redshift", "log_stellar_mass"} <= set(summary["comparison"])
    lines = (made / "results/gama/cut_flow.csv").read_text().splitlines()
    assert lines[1] == '"read",800,800,0'
    assert len(list((made / "results/gama/figures").glob("*.png"))) == 10
    assert "Nothing to be done" in snakemake(made, "--cores", "1", *STANDIN)


@pytest.mark.slow
def test_downloads_from_an_archive_that_breaks_give_the_same_catalogue(made, checkout, tmp_path):
    folder = tmp_path / "popsed"
    copy_tree(checkout, folder)
    contents = {name: (made / "resources/standin" / name).read_bytes() for name in TABLES}
    target = "results/gama/catalogue.h5"
    with Archive(contents).serving() as archive:
        archive.drops, archive.statuses = [100_000, 10_000], [503]
        archive.agents = lambda agent: agent.startswith("Mozilla")
        urls = [archive.url(name) for name in TABLES]
        parts = [f"gama_{name}: {{urls: [{url}]}}" for name, url in zip(NAMES, urls, strict=True)]
        downloads = f"downloads={{{', '.join(parts)}}}"
        words = ("--configfile", "config/smoke.yaml", "--config", downloads)
        call(folder, "--cores", "1", *words, "--", target)
    found, wanted = (load(root / target, Catalogue) for root in (folder, made))
    assert np.array_equal(found.mag, wanted.mag)
    assert found.cut_names == wanted.cut_names
    pins = json.loads((folder / "config/downloads.lock.json").read_text())
    assert pins["gama_masses.fits"]["size"] == len(contents["StellarMasses.fits"])
    assert "Nothing to be done" in snakemake(folder, "-n", *words, "--", target)
