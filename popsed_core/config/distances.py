"""The keys `fit.features` and `fit.distance`."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import STRICT, Count, Fraction, Name, NonNegative, Positive


@dataclass(frozen=True, config=STRICT)
class FeaturesConfig:
    """The space in which distributions of magnitudes are compared."""

    kind: Literal["zscored", "whitened", "colours"] = "whitened"
    reference: Annotated[Name | None, Field(description="band of `colours`; null: middle")] = None
    floor: Annotated[NonNegative, Field(description="[mag] smallest width that is whitened")] = 0.02


@dataclass(frozen=True, config=STRICT)
class SinkhornConfig:
    """Debiased entropic optimal transport (GeomLoss)."""

    kind: Literal["sinkhorn"]
    p: Literal[1, 2] = 2
    scaling: Annotated[float, Field(gt=0, lt=1)] = 0.9
    backend: Literal["tensorized", "online", "multiscale"] = "tensorized"
    n_data: Annotated[Count, Field(description="catalogue rows drawn per step")] = 2000
    blur: Annotated[
        tuple[tuple[Fraction, Positive], ...],
        Field(description="(fraction of the run, blur) steps", min_length=1),
    ] = ((0.0, 0.3), (0.075, 0.25), (0.15, 0.2), (0.225, 0.15), (0.3, 0.1), (0.375, 0.05),
         (0.45, 0.002))  # fmt: skip


@dataclass(frozen=True, config=STRICT)
class SlicedConfig:
    """Sliced Wasserstein distance to the catalogue's quantiles along a pool of directions."""

    kind: Literal["sliced"] = "sliced"
    p: Annotated[
        Literal[1, 2],
        Field(description="mean |difference|, less sensitive to outliers, or its square"),
    ] = 1
    n_pool: Count = 2048
    n_step: Annotated[Count, Field(description="directions drawn per step")] = 64


@dataclass(frozen=True, config=STRICT)
class UnbiasedSlicedConfig:
    """Squared sliced Wasserstein distance, unbiased at any number of samples."""

    kind: Literal["unbiased_sliced"]
    n_pool: Count = 2048
    n_step: Annotated[Count, Field(description="directions drawn per step")] = 64


@dataclass(frozen=True, config=STRICT)
class CharacteristicConfig:
    """Squared difference of characteristic functions at a pool of frequencies."""

    kind: Literal["characteristic"]
    n_pool: Count = 2048
    n_step: Annotated[Count, Field(description="frequencies drawn per step")] = 256
    low: Annotated[Positive, Field(description="smallest |frequency|, log-uniform")] = 0.3
    high: Annotated[Positive, Field(description="largest |frequency|")] = 20.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")


PlainDistance = Annotated[
    SinkhornConfig | SlicedConfig | UnbiasedSlicedConfig | CharacteristicConfig,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, config=STRICT)
class DistanceTerm:
    """One of the distances that are added, with its weight."""

    weight: Positive
    distance: PlainDistance


@dataclass(frozen=True, config=STRICT)
class CombinedConfig:
    """A weighted sum of distances."""

    kind: Literal["combined"]
    terms: Annotated[tuple[DistanceTerm, ...], Field(min_length=1)]


@dataclass(frozen=True, config=STRICT)
class ExpectedConfig:
    """Chi-squared of characteristic functions, averaged exactly over the noise.

    Half of it per galaxy of the catalogue is the distance, so that ``prior_weight`` is one prior's
    where it is 1 / N.
    """

    kind: Literal["expected"]
    n_frequencies: Annotated[Count, Field(description="cosine and sine of each")] = 100
    low: Annotated[Positive, Field(description="smallest |frequency|, log-uniform")] = 0.05
    high: Annotated[Positive, Field(description="largest |frequency|")] = 4.0
    weighting: Annotated[
        Literal["efficient", "equal"],
        Field(description="inverse covariance of the features, or all features alike"),
    ] = "efficient"
    floor: Annotated[
        NonNegative,
        Field(
            description="directions whose variance is below the largest times this over the number "
            "of galaxies carry no weight: a few galaxies make most of it"
        ),
    ] = 0.1
    feature_error: Annotated[
        NonNegative,
        Field(description="[-] error of the model in the mean of each feature, for the weights"),
    ] = 0.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")


Distance = Annotated[
    SinkhornConfig
    | SlicedConfig
    | UnbiasedSlicedConfig
    | CharacteristicConfig
    | CombinedConfig
    | ExpectedConfig,
    Field(discriminator="kind"),
]
