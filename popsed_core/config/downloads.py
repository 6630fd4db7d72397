"""The section `downloads`: where files come from."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import STRICT


@dataclass(frozen=True, config=STRICT)
class Download:
    """A file on the web, or inside a published wheel that the package client downloads."""

    package: Annotated[str | None, Field(description="requirement, e.g. kcorrect==5.1.9")] = None
    member: Annotated[str | None, Field(description="path of the file inside the wheel")] = None
    sha256: Annotated[
        str | None,
        Field(pattern="^[0-9a-f]{64}$", description="of the file; null: pinned on first use"),
    ] = None
    path: Annotated[str | None, Field(description="use this local file instead")] = None
    urls: Annotated[
        tuple[Annotated[str, Field(pattern="^https?://[^/]+/.")], ...],
        Field(description="addresses of the file, in order of preference"),
    ] = ()

    def __post_init__(self) -> None:
        is_wheel = self.package is not None and self.member is not None
        if self.urls and (self.package is not None or self.member is not None):
            raise ValueError("give urls, or package and member, not both")
        if not self.urls and not is_wheel:
            raise ValueError("give urls, or package and member")
        if is_wheel and self.sha256 is None:
            raise ValueError("sha256: a file inside a wheel needs it")
