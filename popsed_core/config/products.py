"""The section `products`."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import STRICT, Count


@dataclass(frozen=True, config=STRICT)
class ProductsConfig:
    """What is drawn from the trained ensemble."""

    n_draws: Annotated[Count, Field(description="galaxies per member")] = 5000
    n_table: Annotated[Count, Field(description="rows of samples.fits and samples.csv")] = 10_000
    max_validation: Annotated[
        float,
        Field(gt=1, description="validation distance over the median, above which a member is out"),
    ] = 3.0
