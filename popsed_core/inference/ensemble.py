"""The ensemble: equal draws from every member, the population posterior."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from popsed_core.config.base import from_json, to_json
from popsed_core.config.fit import FitConfig
from popsed_core.config.products import ProductsConfig
from popsed_core.errors import InputError
from popsed_core.inference.flow import PopulationFlow
from popsed_core.inference.lost_photons import typical_share
from popsed_core.inference.member_quality import exclusion_reasons
from popsed_core.inference.priors.observability import Observability
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.inference.priors.selected_prior import sample_selected
from popsed_core.inference.samples import PopulationSamples
from popsed_core.inference.selected_draws import CHUNK, Observed, Selected, draw_selected, observe
from popsed_core.inference.space import ParameterSpace
from popsed_core.inference.task import FitInputs, FitTask, build_forward
from popsed_core.inference.trained_member import TrainedMember
from popsed_core.parameters import DERIVED, NAMES
from popsed_core.photometry.forward import ForwardModel
from popsed_core.running.loop import load_plain
from popsed_core.running.runtime import generator
from popsed_core.surveys.limits import limits_of
from popsed_core.theta import Theta, to_matrix

log = logging.getLogger(__name__)


def sample_ensemble(
    task: FitTask,
    products: ProductsConfig,
    survey: FitInputs,
    members: Sequence[TrainedMember],
) -> PopulationSamples:
    """Draw the same number of galaxies from each member in use, with predicted photometry.

    All of them, and an equal number from the prior, pass the survey's cuts with their noise.

    Args:
        task: survey, seed, settings; its ``member`` is ignored.
        products: how many draws.
        survey: SSP table, catalogue (bands and filters) and noise.
        members: what :func:`popsed_core.inference.fit.fit_member` returned.

    Raises:
        InputError: a member belongs to a different survey, seed, model or box, none is usable, or
            almost no draw of a member passes the survey's cuts.
    """
    for member in members:
        _check(member, task)
    left_out = exclusion_reasons(members, products.max_validation)
    for number, reason in left_out.items():
        log.warning("member %d is excluded: %s", number, reason)
    kept = [member for member in members if member["member"] not in left_out]
    forward = build_forward(task, survey, torch.device("cpu"))
    drawn = [_draw(task, member, products.n_draws, survey, forward) for member in kept]
    prior = _draw_prior(task, products.n_draws, survey, forward)
    return PopulationSamples(
        theta=np.stack([to_matrix(item.theta).numpy() for item in drawn]),
        derived=np.stack([_derive(forward, item.theta) for item in drawn]),
        mag=np.stack([item.mag.numpy() for item in drawn]),
        prior_theta=to_matrix(prior.theta).numpy(),
        prior_derived=_derive(forward, prior.theta),
        prior_mag=prior.mag.numpy(),
        names=NAMES,
        derived_names=tuple(row.name for row in DERIVED),
        bands=survey.catalogue.bands,
        source=survey.catalogue.source,
        members=tuple(member["member"] for member in kept),
        left_out=tuple(f"member {number}: {reason}" for number, reason in left_out.items()),
        removed=tuple(item.removed for item in drawn),
    )


def load_member(path: str | Path) -> TrainedMember:
    """Read a trained member.

    Raises:
        InputError: the file is missing, or holds no trained member.
    """
    member = load_plain(path)
    keys = {
        "survey",
        "member",
        "seed",
        "config",
        "spectra",
        "parameters",
        "flow",
        "zero_points",
        "history",
    }
    if not isinstance(member, dict) or not keys <= member.keys():
        raise InputError(f"{path}: holds no trained member; delete it and rerun the fit")
    return member


def load_flow(member: TrainedMember) -> PopulationFlow:
    """Rebuild the flow of a member from its configuration and weights."""
    config = from_json(FitConfig, member["config"], "member")
    flow = PopulationFlow(len(NAMES), config.flow)
    flow.load_state_dict(member["flow"])
    return flow.eval()


def _draw(
    task: FitTask, member: TrainedMember, n_draws: int, survey: FitInputs, forward: ForwardModel
) -> Selected:
    """Draw galaxies of a member that pass the survey's cuts."""
    number = member["member"]
    stream = generator(task.seed, "sample", task.survey, number)
    flow, space = load_flow(member), ParameterSpace(task.parameters)
    f_lost = None if member.get("f_lost") is None else torch.tensor(member["f_lost"])

    @torch.no_grad()
    def draw(n: int) -> Observed:
        base = flow.draw_base(n, stream).split(CHUNK)
        theta = space.to_theta(torch.cat([flow.push(chunk)[0] for chunk in base]))
        return observe(forward, theta, stream, member["zero_points"], f_lost)

    name, limits = f"member {number}", limits_of(survey.catalogue)
    remedy = "its flow has not found the survey's galaxies: train for longer (fit.n_epochs)"
    drawn = draw_selected(draw, n_draws, limits, name=name, remedy=remedy)
    log.info("%s: %.2g %% of its draws fail %s: drawn again", name, 100 * drawn.removed, limits)
    return drawn


def _draw_prior(task: FitTask, n_draws: int, survey: FitInputs, forward: ForwardModel) -> Selected:
    """Draw an equal number of galaxies from the fit's prior, which pass the survey's cuts."""
    prior = PopulationPrior(task.parameters, task.spectra.cosmology)
    stream = generator(task.seed, "prior", task.survey)
    log_observed = Observability(survey.catalogue, forward, task.fit.selection)
    f_lost = _typical_f_lost(task, forward)

    @torch.no_grad()
    def draw(n: int) -> Observed:
        if task.fit.selection is None:
            theta = prior.sample(n, stream)
        else:
            theta = sample_selected(
                prior, lambda theta: log_observed(forward.fluxes(theta, f_lost)), n, stream
            )
        theta = Theta(*(column.float() for column in theta))
        return observe(forward, theta, stream, f_lost=f_lost)

    remedy = "give the prior the survey's limits (fit.selection), or a box that fits the survey"
    return draw_selected(draw, n_draws, limits_of(survey.catalogue), name="prior", remedy=remedy)


def _typical_f_lost(task: FitTask, forward: ForwardModel) -> Tensor | None:
    """Return the prior's mean: f_lost hardly affects which galaxies are observed."""
    if task.fit.f_lost is None or not forward.has_nebular:
        return None
    return torch.tensor(typical_share(task.fit.f_lost))


def _check(member: TrainedMember, task: FitTask) -> None:
    expected = {
        "survey": task.survey,
        "seed": task.seed,
        "spectra": to_json(task.spectra),
        "parameters": to_json(task.parameters),
    }
    for key, value in expected.items():
        if member[key] != value:
            raise InputError(
                f"member {member['member']}: was fitted with {key} {member[key]}, expected "
                f"{value}; rerun the fit"
            )


@torch.no_grad()
def _derive(forward: ForwardModel, theta: Theta) -> np.ndarray:
    return forward.photometry.derived(theta).numpy()
