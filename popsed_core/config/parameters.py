"""The section `parameters`: the box and the prior of each physical parameter."""

import dataclasses
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import ERROR, STRICT, NonNegative, Positive, from_json
from popsed_core.config.checks import check_parameters


@dataclass(frozen=True, config=STRICT)
class Uniform:
    """Uniform in the parameter itself (kappa: use flat_simplex)."""

    kind: Literal["uniform"] = "uniform"


@dataclass(frozen=True, config=STRICT)
class FlatSimplex:
    """Flat over the simplex of the SFH fractions: p(kappa) = a kappa^(a-1), a = 3, 2, 1."""

    kind: Literal["flat_simplex"] = "flat_simplex"


@dataclass(frozen=True, config=STRICT)
class TruncatedNormal:
    """Normal within the box; with ``slope`` the mean depends on another parameter."""

    kind: Literal["truncated_normal"]
    mean: float
    sigma: Positive
    slope: Annotated[float, Field(description="change of the mean per unit of `against`")] = 0.0
    against: Annotated[str | None, Field(description="another parameter's name")] = None
    pivot: Annotated[float, Field(description="value of `against` where mean holds")] = 0.0
    mean_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


@dataclass(frozen=True, config=STRICT)
class Tabulated:
    """Density linear between nodes, zero outside."""

    kind: Literal["tabulated"]
    x: Annotated[tuple[float, ...], Field(min_length=2, description="increasing nodes")]
    density: Annotated[tuple[NonNegative, ...], Field(min_length=2)]


@dataclass(frozen=True, config=STRICT)
class LogUniform:
    """Proportional to 1 / (value + offset): uniform below the offset, log-uniform beyond."""

    kind: Literal["log_uniform"]
    offset: Annotated[NonNegative, Field(description="in the unit of the parameter")] = 0.0


@dataclass(frozen=True, config=STRICT)
class Relation:
    """Normal within the box; median and scatter are linear in another parameter, between nodes."""

    kind: Literal["relation"]
    against: Annotated[str, Field(description="the other parameter's name")]
    x: Annotated[tuple[float, ...], Field(min_length=2, description="its increasing nodes")]
    median: Annotated[tuple[float, ...], Field(description="at the nodes")]
    scatter: Annotated[tuple[Positive, ...], Field(description="at the nodes")]
    median_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


@dataclass(frozen=True, config=STRICT)
class MainSequence:
    """Main sequence: log SFR = rate + rate_slope t - log10(1 + 10^(turnover(t) - log M)).

    t is the age of the universe [Gyr], M the surviving mass (Popesso et al. 2023, equation 15).
    """

    rate: Annotated[float, Field(description="[dex Msun / yr] of the most massive, at t = 0")]
    rate_slope: Annotated[float, Field(description="[dex / Gyr]")]
    turnover: Annotated[float, Field(description="[dex Msun] mass where it bends, at t = 0")]
    turnover_slope: Annotated[float, Field(description="[dex / Gyr]")]
    scatter: Annotated[Positive, Field(description="[dex]")]
    rate_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


@dataclass(frozen=True, config=STRICT)
class Quiescent:
    """Star formation of quiescent galaxies: log-normal."""

    log_ssfr: Annotated[float, Field(description="[dex / yr] SFR per surviving mass")]
    scatter: Annotated[Positive, Field(description="[dex]")]
    log_ssfr_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


@dataclass(frozen=True, config=STRICT)
class QuiescentFraction:
    """f = 1 / (1 + (M / M_half)^-power), log M_half = log_mass + evolution x redshift."""

    log_mass: Annotated[float, Field(description="[dex Msun] surviving mass where f = 1/2")]
    power: Positive
    evolution: Annotated[float, Field(description="[dex] per unit redshift")] = 0.0
    log_mass_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


@dataclass(frozen=True, config=STRICT)
class StarFormation:
    """kappa_1: SFR given mass and redshift, of star-forming and quiescent galaxies."""

    kind: Literal["star_formation"]
    sequence: MainSequence
    quiescent: Quiescent
    fraction: QuiescentFraction


@dataclass(frozen=True, config=STRICT)
class OlderStars:
    """kappa_2 or kappa_3: a kappa^(a-1), with a power a for each of the two types of galaxies."""

    kind: Literal["older_stars"]
    star_forming: Annotated[float, Field(ge=1, description="a; 2 and 1 are flat")]
    quiescent: Annotated[float, Field(ge=1, description="a")]


@dataclass(frozen=True, config=STRICT)
class MassRelation:
    """Median and scatter at the masses of `log_mass`."""

    median: Annotated[tuple[float, ...], Field(description="at each mass")]
    scatter: Annotated[tuple[Positive, ...], Field(description="at each mass")]
    median_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


@dataclass(frozen=True, config=STRICT)
class RelationByType:
    """logzsol or tau_ism: normal about a relation with mass, one for each type of galaxies."""

    kind: Literal["relation_by_type"]
    log_mass: Annotated[
        tuple[float, ...], Field(min_length=2, description="[dex Msun] surviving, increasing")
    ]
    star_forming: MassRelation
    quiescent: MassRelation


@dataclass(frozen=True, config=STRICT)
class Bursts:
    """f_burst: (1 + f / s)^(-1 - power), s = rate of the type x min(t_burst, longest)."""

    kind: Literal["bursts"]
    star_forming: Annotated[Positive, Field(description="rate [1 / Gyr]")]
    quiescent: Annotated[Positive, Field(description="rate [1 / Gyr]")]
    power: Annotated[Positive, Field(description="of the tail of large bursts")] = 2.0
    longest: Annotated[Positive, Field(description="[Gyr] beyond it bursts grow no further")] = 1.0


@dataclass(frozen=True, config=STRICT)
class ComovingVolume:
    """Redshift: proportional to dV/dz of the configured cosmology."""

    kind: Literal["comoving_volume"]
    evolution: Annotated[
        float, Field(description="[dex] of the number density per unit redshift")
    ] = 0.0


@dataclass(frozen=True, config=STRICT)
class Schechter:
    """Mass function per dex: a sum of Schechter terms with one knee."""

    kind: Literal["schechter"]
    log_knee: Annotated[float, Field(description="[dex Msun] formed mass")]
    slope: Annotated[tuple[float, ...], Field(min_length=1, description="alpha of each term")]
    weight: Annotated[tuple[Positive, ...], Field(min_length=1, description="phi* of each")]
    log_knee_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


Prior = Annotated[
    Uniform
    | FlatSimplex
    | TruncatedNormal
    | Tabulated
    | LogUniform
    | Relation
    | StarFormation
    | OlderStars
    | RelationByType
    | Bursts
    | ComovingVolume
    | Schechter,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, config=STRICT)
class ParameterConfig:
    """Range (the flow's box), coordinate and prior of one parameter."""

    low: float
    high: float
    coordinate: Annotated[
        Literal["linear", "log", "flat_simplex"],
        Field(description="in which the flow starts uniform"),
    ] = "linear"
    prior: Prior = dataclasses.field(default_factory=Uniform)

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} is not below high {self.high}")
        if self.coordinate == "log" and self.low <= 0:
            raise ValueError(f"a log coordinate needs low > 0, got {self.low}")


def parameters_from_json(text: str, source: str = "parameters") -> dict[str, ParameterConfig]:
    """Parse the section ``parameters`` from what :func:`to_json` wrote.

    Raises:
        InputError: the text is not JSON or does not validate, or a parameter is missing or wrong.
    """
    parameters = from_json(dict[str, ParameterConfig], text, source)
    check_parameters(parameters, source)
    return parameters
