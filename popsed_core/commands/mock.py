"""``popsed mock observe|gama``: synthetic galaxies with known truth, as a survey sees them."""

import argparse
import logging
from pathlib import Path

from popsed_core.commands.catalogue import add_outputs, save_catalogue
from popsed_core.commands.common import (
    INPUTS,
    Subparsers,
    add_inputs,
    add_noun,
    add_redshift_range,
    add_section,
    add_seed,
    add_threads,
    add_verb,
    check_bands,
    positive,
)
from popsed_core.provenance.verbs import provenance

log = logging.getLogger(__name__)


def register(nouns: Subparsers) -> None:
    """Add the noun ``mock``."""
    verbs = add_noun(nouns, "mock", "synthetic surveys")
    observe = add_verb(verbs, "observe", run_observe, "draw galaxies and observe them [mag]")
    observe.add_argument("--survey", required=True, metavar="NAME", help="names the random stream")
    add_section(observe, "section", "spectra")
    add_seed(observe)
    add_inputs(observe, "ssp", "noise")
    observe.add_argument(
        "--base-catalogue", type=Path, required=True, metavar="PATH", help=INPUTS["catalogue"]
    )
    observe.add_argument(
        "--base-reference", type=Path, metavar="PATH", help="to resample, where joint is reference"
    )
    add_redshift_range(observe)
    add_outputs(observe)
    add_threads(observe)
    observe.set_defaults(label="{survey}: ")
    gama = add_verb(verbs, "gama", run_gama, "write a stand-in for GAMA's tables [mag]")
    gama.add_argument("--n-galaxies", type=positive, required=True, metavar="N", help="rows")
    add_section(gama, "spectra")
    add_seed(gama)
    add_inputs(gama, "ssp")
    add_threads(gama)
    gama.add_argument("photometry", type=Path, help="ApMatchedCat to write (FITS)")
    gama.add_argument("masses", type=Path, help="StellarMasses to write (FITS)")
    gama.set_defaults(label="GAMA stand-in: ")


def run_observe(args: argparse.Namespace) -> None:
    """Draw, observe, select and write a mock survey."""
    from popsed_core.config.base import from_json
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
    spectra = from_json(SpectraConfig, args.spectra, "--spectra")
    wave_range = float(grid.ssp_wave[0]), float(grid.ssp_wave[-1])
    check_filters(base.filters, args.redshift, wave_range, spectra.igm)
    known = None if args.base_reference is None else load(args.base_reference, Reference)
    catalogue, reference = observe(
        args.survey,
        from_json(MockSurvey, args.section, "--section"),
        spectra,
        seed=args.seed,
        grid=grid,
        like=RealSurvey(base, noise, known),
    )
    log.info("%s", format_cut_flow(catalogue.cut_names, catalogue.n_kept.tolist()))
    inputs = {"ssp": args.ssp, "base_catalogue": args.base_catalogue, "noise": args.noise}
    inputs |= {"base_reference": args.base_reference} if known is not None else {}
    save_catalogue(args, catalogue, reference, inputs)


def run_gama(args: argparse.Namespace) -> None:
    """Write tables that look like GAMA's."""
    from popsed_core.config.base import from_json
    from popsed_core.config.spectra import SpectraConfig
    from popsed_core.files.artefacts import load
    from popsed_core.provenance.sidecars import write_beside
    from popsed_core.running.runtime import set_threads
    from popsed_core.stellar.ssp.grid import SSPGrid
    from popsed_core.surveys.mocks.gama_standin import make_standin, write_tables

    set_threads(args.n_threads)
    spectra = from_json(SpectraConfig, args.spectra, "--spectra")
    tables = make_standin(args.n_galaxies, args.seed, load(args.ssp, SSPGrid), spectra)
    write_tables(*tables, args.photometry, args.masses)
    origin = provenance(args, {"ssp": args.ssp}, "stand-in")
    write_beside(origin, args.photometry, args.masses)
