"""``popsed products tables|summary|provenance|record``: numbers, and where they come from."""

import argparse
from pathlib import Path
from typing import Any

from popsed_core.commands.common import (
    Subparsers,
    add_inputs,
    add_members,
    add_noun,
    add_optional,
    add_output,
    add_verb,
    check_bands,
    say,
    write_text,
)
from popsed_core.commands.configured import add_config
from popsed_core.errors import InputError
from popsed_core.files.provenance import worst_source
from popsed_core.provenance.verbs import numbered, place, provenance

SUMMARISED = ("samples", "catalogue", "reference", "noise")


def register(nouns: Subparsers) -> None:
    """Add the noun ``products``."""
    verbs = add_noun(nouns, "products", "human-readable tables and summaries")
    tables = add_verb(verbs, "tables", run_tables, "write samples with units as FITS and CSV")
    add_config(tables, _paths_of_tables)
    add_inputs(tables, "samples")
    _add_output(tables, "fits", "table of galaxies, a unit per column (FITS)")
    _add_output(tables, "csv", "the same table (CSV)")
    summary = add_verb(verbs, "summary", run_summary, "compare with the data and with the truth")
    add_config(summary, _paths_of_summary)
    add_inputs(summary, "samples", "catalogue", "reference", "noise")
    add_members(summary)
    summary.add_argument("--costs", type=Path, nargs="+", metavar="PATH", help="of members (JSON)")
    _add_output(summary, "json", "every number (JSON)")
    _add_output(summary, "markdown", "the main numbers, to read (Markdown)")
    _add_output(summary, "diagnostics", "one row per quantity (CSV)")
    _add_output(summary, "redshift", "n(z) with its ensemble band (CSV)")
    origin = add_verb(verbs, "provenance", run_provenance, "versions, checksums, configuration")
    add_config(origin, _paths_of_provenance)
    add_inputs(origin, "ssp", "catalogue", "noise", "samples")
    add_members(origin)
    add_optional(origin, "--base-catalogue", "of the survey that a mock imitates")
    add_output(origin, "what to read (Markdown)")
    other = add_verb(verbs, "record", run_record, "record where the workflow's report comes from")
    other.add_argument("file", type=Path, help="made by Snakemake from the inputs")
    other.add_argument(
        "--inputs", type=Path, nargs="+", required=True, metavar="PATH", help="all that it shows"
    )
    other.add_argument("--code", required=True, metavar="HASH", help="of its texts and its style")


def _paths_of_tables(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    return _of_survey(args.survey, samples="samples.h5", fits="samples.fits", csv="samples.csv")


def _paths_of_summary(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import member_files

    return {
        **_of_survey(args.survey, **{name: f"{name}.h5" for name in SUMMARISED}),
        "members": member_files(config, args.survey),
        "costs": member_files(config, args.survey, "json"),
        **_of_survey(
            args.survey,
            json="summary.json",
            markdown="summary.md",
            diagnostics="diagnostics.csv",
            redshift="redshift_distribution.csv",
        ),
    }


def _paths_of_provenance(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import SSP, imitated, member_files, of_survey

    base = imitated(config, args.survey)
    names = ("catalogue", "noise", "samples")
    return {
        "ssp": SSP,
        **_of_survey(args.survey, **{name: f"{name}.h5" for name in names}),
        "members": member_files(config, args.survey),
        "base_catalogue": None if base is None else of_survey(base, "catalogue.h5"),
        "output": of_survey(args.survey, "provenance.md"),
    }


def _of_survey(survey: str, **names: str) -> dict[str, str]:
    from popsed_core.config.paths import of_survey

    return {option: of_survey(survey, name) for option, name in names.items()}


def run_tables(args: argparse.Namespace) -> None:
    """Write the tables."""
    from popsed_core.config.base import parse
    from popsed_core.config.products import ProductsConfig
    from popsed_core.diagnostics.tables import write_tables
    from popsed_core.files.artefacts import load, record
    from popsed_core.inference.samples import PopulationSamples
    from popsed_core.provenance.sidecars import FITS_KEY, write_beside

    config = parse(ProductsConfig, args.settings.section, "products")
    samples = load(args.samples, PopulationSamples)
    origin = provenance(args, {"samples": args.samples}, samples.source)
    cards = {FITS_KEY: record(origin)}
    write_tables(samples, config.n_table, args.fits, args.csv, cards)
    write_beside(origin, args.csv)


def run_summary(args: argparse.Namespace) -> None:
    """Write the summary, its comparison with the reference, and n(z)."""
    from popsed_core.diagnostics.redshift_distribution import (
        redshift_distribution,
        write_redshift_distribution,
    )
    from popsed_core.diagnostics.summary import summarise, write_summary
    from popsed_core.files.artefacts import load
    from popsed_core.inference.ensemble import load_member
    from popsed_core.inference.samples import PopulationSamples
    from popsed_core.photometry.noise import NoiseTable
    from popsed_core.provenance.sidecars import write_beside
    from popsed_core.surveys.catalogue import Catalogue, Reference

    samples = load(args.samples, PopulationSamples)
    catalogue, reference = load(args.catalogue, Catalogue), load(args.reference, Reference)
    noise = load(args.noise, NoiseTable)
    check_bands(args, catalogue=catalogue, samples=samples, noise=noise)
    members = [load_member(path) for path in args.members]
    costs = [_read_cost(path) for path in args.costs]
    seed = args.settings.seed
    summary = summarise(samples, catalogue, reference, members, seed, costs=costs, noise=noise)
    write_summary(summary, args.json, args.markdown, args.diagnostics)
    write_redshift_distribution(redshift_distribution(samples, reference), args.redshift)
    inputs = {name: getattr(args, name) for name in SUMMARISED}
    inputs |= numbered("member", args.members) | numbered("cost", args.costs)
    origin = provenance(args, inputs, summary["source"])
    write_beside(origin, args.json, args.markdown, args.diagnostics, args.redshift)
    for text in summary["warnings"]:
        say(f"WARN {text}")


def run_provenance(args: argparse.Namespace) -> None:
    """Write where a survey's samples come from."""
    from popsed_core.files.artefacts import Provenance, load, load_provenance, sha256
    from popsed_core.inference.ensemble import load_member
    from popsed_core.provenance.report import provenance_report
    from popsed_core.provenance.sidecars import write_beside
    from popsed_core.surveys.catalogue import Catalogue

    names = ("base_catalogue", "catalogue", "noise", "ssp", "samples")
    paths = {name: path for name in names if (path := getattr(args, name)) is not None}
    artefacts = {name: load_provenance(path) for name, path in paths.items()}
    members = {f"member {k}": path for k, path in enumerate(args.members, start=1)}
    trained = {name: load_member(path) for name, path in members.items()}
    artefacts |= {name: Provenance(**member["provenance"]) for name, member in trained.items()}
    checksums = {name: sha256(path) for name, path in (paths | members).items()}
    first = trained["member 1"]
    sections = {
        "survey": artefacts["catalogue"].config,
        "noise": artefacts["noise"].config,
        "ssp": artefacts["ssp"].config,
        "spectra": first["spectra"],
        "fit": artefacts["member 1"].config,
        "parameters": first["parameters"],
        "products": artefacts["samples"].config,
    }
    catalogue = load(args.catalogue, Catalogue)
    filters = dict(zip(catalogue.bands, catalogue.filters, strict=True))
    write_text(provenance_report(artefacts, checksums, sections, filters), args.output)
    inputs = paths | numbered("member", args.members)
    write_beside(provenance(args, inputs, artefacts["samples"].source), args.output)


def run_record(args: argparse.Namespace) -> None:
    """Write the record of a report; its source is the worst of its inputs."""
    import platform
    from importlib.metadata import version

    from popsed_core.files.artefacts import Provenance, sha256
    from popsed_core.files.version import __version__
    from popsed_core.provenance.sidecars import read_record, write_beside

    records = [found for path in args.inputs if (found := read_record(path)) is not None]
    origin = Provenance(
        source=worst_source(*(found.provenance.source for found in records)),
        inputs={path.name: sha256(path) for path in args.inputs},
        paths={path.name: place(path) for path in args.inputs},
        command="snakemake --report",
        code=args.code,
        versions={
            "popsed": __version__,
            "python": platform.python_version(),
            "snakemake": version("snakemake"),
        },
    )
    write_beside(origin, args.file)


def _read_cost(path: Path) -> dict[str, float]:
    """Return what a member cost, as ``popsed fit member`` wrote it."""
    from popsed_core.config.base import from_json
    from popsed_core.files.inputs import require_file

    text = require_file(path).read_text(errors="replace")
    cost = from_json(dict[str, float], text, str(path))
    if missing := {"seconds", "peak_memory_mb"} - cost.keys():
        raise InputError(f"{path}: lacks {sorted(missing)}; delete it and rerun the fit")
    return cost


def _add_output(parser: argparse.ArgumentParser, name: str, text: str) -> None:
    parser.add_argument(f"--{name}", type=Path, metavar="OUT", help=text)
