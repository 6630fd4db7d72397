"""The section `noise`."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import STRICT


@dataclass(frozen=True, config=STRICT)
class NoiseConfig:
    """The noise model, fitted from the catalogue's own errors."""

    form: Annotated[
        Literal["error_given_flux", "snr_given_flux", "log_snr_given_flux"],
        Field(description="ours; the paper's; the released code's"),
    ] = "error_given_flux"
    flux: Annotated[
        Literal["intrinsic", "observed"],
        Field(description="flux at which it is measured: noiseless, or the catalogue's (paper)"),
    ] = "intrinsic"
    truncation: Annotated[
        Literal["cuts", "positive"],
        Field(
            description="noisy fluxes are drawn such that they pass the catalogue's cuts, or only "
            "positive (paper)"
        ),
    ] = "cuts"
    n_bins: Annotated[int, Field(ge=3, description="magnitude bins per band")] = 30

    def __post_init__(self) -> None:
        for key, ours in (("flux", "intrinsic"), ("truncation", "cuts")):
            if getattr(self, key) == ours and self.form != "error_given_flux":
                raise ValueError(f"{key}: {ours} needs form error_given_flux, got {self.form}")
