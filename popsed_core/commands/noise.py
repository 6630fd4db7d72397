"""``popsed noise fit``: the noise model, from the catalogue's own errors."""

import argparse
import logging
from typing import Any

from popsed_core.commands.common import Subparsers, add_inputs, add_noun, add_output, add_verb
from popsed_core.commands.configured import add_config
from popsed_core.provenance.verbs import provenance

logger = logging.getLogger(__name__)


def register(nouns: Subparsers) -> None:
    """Add the noun ``noise``."""
    verbs = add_noun(nouns, "noise", "photometric errors")
    fit = add_verb(verbs, "fit", run_fit, "fit the noise model to a catalogue's errors [mag]")
    add_config(fit, _paths)
    add_inputs(fit, "catalogue")
    add_output(fit, "noise model to write (HDF5)")


def _paths(config: Any, args: argparse.Namespace) -> dict[str, str]:
    from popsed_core.config.paths import of_survey

    return {
        "catalogue": of_survey(args.survey, "catalogue.h5"),
        "output": of_survey(args.survey, "noise.h5"),
    }


def run_fit(args: argparse.Namespace) -> None:
    """Fit and write the noise model."""
    from popsed_core.config.base import parse
    from popsed_core.config.noise import NoiseConfig
    from popsed_core.files.artefacts import load, save
    from popsed_core.surveys.catalogue import Catalogue
    from popsed_core.surveys.noise_fit import fit_noise
    from popsed_core.surveys.noise_outliers import noise_warnings

    config = parse(NoiseConfig, args.settings.section, "noise")
    catalogue = load(args.catalogue, Catalogue)
    table = fit_noise(catalogue, config)
    for warning in noise_warnings(table, catalogue):
        logger.warning("%s", warning)
    save(table, args.output, provenance(args, {"catalogue": args.catalogue}, catalogue.source))
