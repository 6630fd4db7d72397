"""``popsed products tables|summary``: numbers for people."""

import argparse
from pathlib import Path

from popsed_core.commands.common import (
    Subparsers,
    add_inputs,
    add_members,
    add_noun,
    add_section,
    add_seed,
    add_verb,
    check_bands,
)
from popsed_core.errors import InputError


def register(nouns: Subparsers) -> None:
    """Add the noun ``products``."""
    verbs = add_noun(nouns, "products", "tables and summaries for people")
    tables = add_verb(verbs, "tables", run_tables, "write samples with units as FITS and CSV")
    add_section(tables, "section")
    add_inputs(tables, "samples")
    _add_output(tables, "fits", "table of galaxies, a unit per column (FITS)")
    _add_output(tables, "csv", "the same table (CSV)")
    summary = add_verb(verbs, "summary", run_summary, "compare with the data and with the truth")
    add_inputs(summary, "samples", "catalogue", "reference", "noise")
    add_members(summary)
    summary.add_argument(
        "--costs", type=Path, nargs="+", required=True, metavar="PATH", help="of members (JSON)"
    )
    add_seed(summary)
    _add_output(summary, "json", "every number (JSON)")
    _add_output(summary, "markdown", "the main numbers, to read (Markdown)")
    _add_output(summary, "diagnostics", "one row per quantity (CSV)")
    _add_output(summary, "redshift", "n(z) with its ensemble band (CSV)")


def run_tables(args: argparse.Namespace) -> None:
    """Write the tables."""
    from popsed_core.artefacts import load
    from popsed_core.config import ProductsConfig, from_json
    from popsed_core.products.samples import PopulationSamples
    from popsed_core.products.tables import write_tables

    config = from_json(ProductsConfig, args.section, "--section")
    write_tables(load(args.samples, PopulationSamples), config.n_table, args.fits, args.csv)


def run_summary(args: argparse.Namespace) -> None:
    """Write the summary, its comparison with the reference, and n(z)."""
    from popsed_core.artefacts import load
    from popsed_core.photometry.catalogue import Catalogue, Reference
    from popsed_core.photometry.noise import NoiseTable
    from popsed_core.products.ensemble import load_member
    from popsed_core.products.redshift_distribution import (
        redshift_distribution,
        write_redshift_distribution,
    )
    from popsed_core.products.samples import PopulationSamples
    from popsed_core.products.summary import summarise, write_summary

    samples = load(args.samples, PopulationSamples)
    catalogue, reference = load(args.catalogue, Catalogue), load(args.reference, Reference)
    noise = load(args.noise, NoiseTable)
    check_bands(args, catalogue=catalogue, samples=samples, noise=noise)
    members = [load_member(path) for path in args.members]
    costs = [_read_cost(path) for path in args.costs]
    summary = summarise(samples, catalogue, reference, members, args.seed, costs=costs, noise=noise)
    write_summary(summary, args.json, args.markdown, args.diagnostics)
    write_redshift_distribution(redshift_distribution(samples), args.redshift)


def _read_cost(path: Path) -> dict[str, float]:
    """Return what a member cost, as ``popsed fit member`` wrote it."""
    from popsed_core.config import from_json
    from popsed_core.inputs import require_file

    text = require_file(path).read_text(errors="replace")
    cost = from_json(dict[str, float], text, str(path))
    if missing := {"seconds", "peak_memory_mb"} - cost.keys():
        raise InputError(f"{path}: lacks {sorted(missing)}; delete it and rerun the fit")
    return cost


def _add_output(parser: argparse.ArgumentParser, name: str, text: str) -> None:
    parser.add_argument(f"--{name}", type=Path, required=True, metavar="OUT", help=text)
