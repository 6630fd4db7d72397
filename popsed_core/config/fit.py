"""The section `fit`: flow, schedules, calibration."""

import dataclasses
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import STRICT, Count, NonNegative, Positive
from popsed_core.config.distances import Distance, FeaturesConfig, SlicedConfig
from popsed_core.config.schedules import LearningRate, NoiseAnnealing, PriorWeight


@dataclass(frozen=True, config=STRICT)
class FlowConfig:
    """Neural spline coupling flow (Durkan et al. 2019)."""

    n_blocks: Count = 6
    n_bins: Annotated[int, Field(ge=2, description="spline bins")] = 16
    n_hidden: Annotated[Count, Field(description="features of each conditioner")] = 64
    n_layers: Annotated[Count, Field(description="residual blocks of each conditioner")] = 2
    tail_bound: Positive = 3.0
    start_jitter: Annotated[
        NonNegative, Field(description="sigma of each member's random shift at the start")
    ] = 0.1


@dataclass(frozen=True, config=STRICT)
class SelectionConfig:
    """Faint limits that turn the prior of galaxies into one of observed galaxies."""

    quantile: Annotated[
        float, Field(gt=0, le=1, description="of the catalogue's magnitudes: the limit per band")
    ] = 0.99
    width: Annotated[Positive, Field(description="[mag] over which the probability falls")] = 0.3


@dataclass(frozen=True, config=STRICT)
class LostPhotonsConfig:
    """Share of ionising photons absorbed by dust or escaped: a normal prior between 0 and 1."""

    mean: Annotated[float, Field(ge=0, le=1)] = 0.4
    sigma: Positive = 0.2


@dataclass(frozen=True, config=STRICT)
class FitConfig:
    """Training of one flow, and how many."""

    n_members: Annotated[Count, Field(description="flows in the ensemble")] = 4
    members_per_job: Annotated[
        Count,
        Field(
            description="flows that share each step, to fill a GPU; their numbers are those of "
            "separate jobs but for rounding"
        ),
    ] = 1
    members: Annotated[
        Literal["randomised", "restarts"],
        Field(
            description="each member has a bootstrap of the catalogue, zero points and a prior "
            "drawn from their errors, so that they sample a posterior; or only a new start (the "
            "paper)"
        ),
    ] = "randomised"
    n_epochs: Count = 40
    n_steps: Annotated[Count, Field(description="optimiser steps per epoch")] = 20
    n_samples: Annotated[Count, Field(description="synthetic galaxies per step")] = 2000
    holdout: Annotated[float, Field(gt=0, lt=1, description="of the catalogue, for validation")] = (
        0.05
    )
    model_error: Annotated[
        NonNegative, Field(description="[mag] error floor of the model per band")
    ] = 0.03
    colour_error: Annotated[
        NonNegative,
        Field(description="[mag] error of the model that is smooth in wavelength, per galaxy"),
    ] = 0.0
    colour_error_length: Annotated[
        Positive, Field(description="[-] correlation length of colour_error in ln wavelength")
    ] = 0.5
    zero_point_error: Annotated[
        NonNegative,
        Field(description="[mag] prior sigma of each band's offset, fitted with the flow; 0: none"),
    ] = 0.02
    f_lost: Annotated[
        LostPhotonsConfig | None,
        Field(description="fitted with the flow where spectra have nebular light; null: none lost"),
    ] = dataclasses.field(default_factory=LostPhotonsConfig)
    prior_strength: Annotated[
        Positive,
        Field(
            description="[nat] log probability lost per nat of KL(q || prior): the "
            "costs of zero points and lost photons are divided by it"
        ),
    ] = 60.0
    max_gradient: Annotated[Positive, Field(description="gradients are clipped to this norm")] = 1.0
    flow: FlowConfig = dataclasses.field(default_factory=FlowConfig)
    features: FeaturesConfig = dataclasses.field(default_factory=FeaturesConfig)
    distance: Distance = dataclasses.field(default_factory=SlicedConfig)
    learning_rate: LearningRate = dataclasses.field(default_factory=LearningRate)
    prior_weight: PriorWeight = dataclasses.field(default_factory=PriorWeight)
    selection: Annotated[
        SelectionConfig | None, Field(description="null: the prior of all galaxies (the paper)")
    ] = dataclasses.field(default_factory=SelectionConfig)
    noise_annealing: NoiseAnnealing = dataclasses.field(default_factory=NoiseAnnealing)
