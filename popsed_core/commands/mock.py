"""``popsed mock observe|gama``: synthetic galaxies with known truth, as a survey sees them."""

import argparse
import logging
from pathlib import Path
from typing import Any

from popsed_core.commands.catalogue import add_outputs, output_paths, save_catalogue
from popsed_core.commands.common import (
    INPUTS,
    Subparsers,
    add_inputs,
    add_noun,
    add_optional,
    add_threads,
    add_verb,
    check_bands,
)
from popsed_core.commands.configured import add_config
from popsed_core.errors import InputError
from popsed_core.provenance.verbs import provenance

log = logging.getLogger(__name__)


def register(nouns: Subparsers) -> None:
    """Add the noun ``mock``."""
    verbs = add_noun(nouns, "mock", "synthetic surveys")
    observe = add_verb(verbs, "observe", run_observe, "draw galaxies and observe them [mag]")
    add_config(observe, _paths_of_mock)
    add_inputs(observe, "ssp", "noise")
    observe.add_argument("--base-catalogue", type=Path, metavar="PATH", help=INPUTS["catalogue"])
    add_optional(observe, "--base-reference", "to resample, where joint is reference")
    add_outputs(observe)
    add_threads(observe)
    observe.set_defaults(label="{survey}: ")
    gama = add_verb(verbs, "gama", run_gama, "write a stand-in for GAMA's tables [mag]")
    add_config(gama, _paths_of_standin, has_survey=False)
    add_inputs(gama, "ssp")
    add_threads(gama)
    for name, table in (("photometry", "ApMatchedCat"), ("masses", "StellarMasses")):
        gama.add_argument(name, type=Path, nargs="?", help=f"{table} to write (FITS)")
    gama.set_defaults(label="GAMA stand-in: ")


def _paths_of_mock(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import SSP, imitated, of_survey, resampled

    base = imitated(config, args.survey)
    if base is None:
        raise InputError(f"survey {args.survey}: is no mock; read it with `popsed catalogue build`")
    return {
        "ssp": SSP,
        "base_catalogue": of_survey(base, "catalogue.h5"),
        "noise": of_survey(base, "noise.h5"),
        "base_reference": next(iter(resampled(config, args.survey)), None),
        **output_paths(args.survey),
    }


def _paths_of_standin(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import SSP

    folder = "resources/standin"
    tables = {"photometry": f"{folder}/ApMatchedCat.fits", "masses": f"{folder}/StellarMasses.fits"}
    return {"ssp": SSP, **tables}


def run_observe(args: argparse.Namespace) -> None:
    """Draw, observe, select and write a mock survey."""
    from popsed_core.config.base import parse
    from popsed_core.config.spectra import SpectraConfig
    from popsed_core.config.surveys import MockSurvey
    from popsed_core.files.artefacts import load
    from popsed_core.photometry.coverage import check_filters
    from popsed_core.photometry.noise import NoiseTable
    from popsed_core.running.runtime import set_threads
    from popsed_core.stellar.ssp.grid import SSPGrid
    from popsed_core.surveys.catalogue import Catalogue, Reference, format_cut_flow
    from popsed_core.surveys.mocks.observe import RealSurvey, observe

    set_threads(args.n_threads)
    grid, base = load(args.ssp, SSPGrid), load(args.base_catalogue, Catalogue)
    noise = load(args.noise, NoiseTable)
    check_bands(args, base_catalogue=base, noise=noise)
    given = args.settings
    spectra = parse(SpectraConfig, given.more["spectra"], "spectra")
    wave_range = float(grid.ssp_wave[0]), float(grid.ssp_wave[-1])
    check_filters(base.filters, tuple(given.more["redshift"]), wave_range, spectra.igm)
    known = None if args.base_reference is None else load(args.base_reference, Reference)
    catalogue, reference = observe(
        args.survey,
        parse(MockSurvey, given.section, f"surveys.{args.survey}"),
        spectra,
        seed=given.seed,
        grid=grid,
        like=RealSurvey(base, noise, known),
    )
    log.info("%s", format_cut_flow(catalogue.cut_names, catalogue.n_kept.tolist()))
    inputs = {"ssp": args.ssp, "base_catalogue": args.base_catalogue, "noise": args.noise}
    inputs |= {"base_reference": args.base_reference} if known is not None else {}
    save_catalogue(args, catalogue, reference, inputs, survey=args.survey)


def run_gama(args: argparse.Namespace) -> None:
    """Write tables that look like GAMA's."""
    from popsed_core.config.base import parse
    from popsed_core.config.spectra import SpectraConfig
    from popsed_core.files.artefacts import load
    from popsed_core.provenance.sidecars import write_beside
    from popsed_core.running.runtime import set_threads
    from popsed_core.stellar.ssp.grid import SSPGrid
    from popsed_core.surveys.mocks.gama_standin import make_standin, write_tables

    set_threads(args.n_threads)
    given = args.settings
    spectra = parse(SpectraConfig, given.more["spectra"], "spectra")
    n_galaxies = given.more["n_galaxies"]
    tables = make_standin(n_galaxies, given.seed, load(args.ssp, SSPGrid), spectra)
    write_tables(*tables, args.photometry, args.masses)
    origin = provenance(args, {"ssp": args.ssp}, "stand-in")
    write_beside(origin, args.photometry, args.masses)
