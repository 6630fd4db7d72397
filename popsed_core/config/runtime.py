"""The section `runtime`."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import STRICT, Count


@dataclass(frozen=True, config=STRICT)
class RuntimeConfig:
    """How to run; never changes a result on the same device, never reruns a rule."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    n_threads: Count = 1
    offline: Annotated[
        str | None,
        Field(description="folder with downloads fetched by hand; null: use the network"),
    ] = None
