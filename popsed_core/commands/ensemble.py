"""``popsed ensemble sample``: draw the population from all members alike."""

import argparse
from dataclasses import replace
from typing import Any

from popsed_core.commands.common import (
    Subparsers,
    add_members,
    add_noun,
    add_output,
    add_threads,
    add_verb,
)
from popsed_core.commands.configured import add_config
from popsed_core.commands.fit_inputs import add_fit_inputs, paths_of_fit, read_inputs, read_task
from popsed_core.provenance.verbs import numbered, provenance


def register(nouns: Subparsers) -> None:
    """Add the noun ``ensemble``."""
    verbs = add_noun(nouns, "ensemble", "all trained members together")
    sample = add_verb(verbs, "sample", run_sample, "draw equal numbers of galaxies per member")
    add_config(sample, _paths)
    add_fit_inputs(sample)
    add_members(sample)
    add_threads(sample)
    add_output(sample, "samples to write (HDF5)")
    sample.set_defaults(label="{survey}: ")


def _paths(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import member_files, of_survey

    return {
        **paths_of_fit(config, args),
        "members": member_files(config, args.survey),
        "output": of_survey(args.survey, "samples.h5"),
    }


def run_sample(args: argparse.Namespace) -> None:
    """Draw and write the population samples."""
    from popsed_core.config.base import from_json, parse
    from popsed_core.config.fit import FitConfig
    from popsed_core.config.products import ProductsConfig
    from popsed_core.files.artefacts import save
    from popsed_core.inference.ensemble import load_member, sample_ensemble
    from popsed_core.running.runtime import set_threads

    set_threads(args.n_threads)
    products = parse(ProductsConfig, args.settings.section, "products")
    members = [load_member(path) for path in args.members]
    fit = from_json(FitConfig, members[0]["config"], str(args.members[0]))
    task = read_task(args, 0, fit)
    survey, inputs, source = read_inputs(args, task)
    samples = replace(sample_ensemble(task, products, survey, members), source=source)
    inputs |= numbered("member", args.members)
    save(samples, args.output, provenance(args, inputs, source, survey=args.survey))
