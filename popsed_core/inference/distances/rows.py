"""The catalogue as one member sees it: read block by block, never held on the device.

A member trains on some galaxies, some of them several times (the bootstrap).  A distance needs
one pass over all of them, in any order, or a few at random; so the magnitudes stay where
they are, in memory or mapped from the catalogue's file, and features are computed on the fly.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

BLOCK = 1 << 17  # galaxies read at a time
FEW = 1 << 20  # up to here statistics are in float64; beyond, rounding averages out in the sum


class Rows:
    """Features of chosen galaxies.

    Args:
        values: magnitudes [mag], or features where ``features`` is None; may be a memory map.
        chosen: rows that count, each as often as it is listed; None: all of them once.
        features: the map from magnitudes to features, on ``device``.
        device: where features are made.
    """

    def __init__(
        self,
        values: Float[np.ndarray, "galaxy band"] | Float[Tensor, "galaxy band"],
        chosen: Int[Tensor, "row"] | None = None,
        features: Callable[[Tensor], Tensor] | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.values, self.features, self.device = values, features, torch.device(device)
        self.chosen = None if chosen is None else chosen.to(torch.int32)
        self.count = None
        if chosen is not None:
            self.count = torch.bincount(chosen, minlength=len(values)).to(torch.int16)

    def __len__(self) -> int:
        return len(self.values if self.chosen is None else self.chosen)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.values.shape[1]

    @property
    def given(self) -> torch.dtype:
        """The type of the features."""
        is_tensor = isinstance(self.values, Tensor) and self.features is None
        return self.values.dtype if is_tensor else torch.float32

    @property
    def dtype(self) -> torch.dtype:
        """The type in which statistics are computed."""
        return torch.float64 if len(self) <= FEW else torch.float32

    def blocks(self, size: int = BLOCK) -> Iterator[Float[Tensor, "row feature"]]:
        """Yield the features of all rows, in the order of the catalogue, in ``dtype``.

        Args:
            size: galaxies of the catalogue per block, before they are repeated or left out.
        """
        for start in range(0, len(self.values), size):
            part = slice(start, start + size)
            block = self._features(self.values[part])
            if self.count is not None:
                count = self.count[part].to(self.device, torch.int64)
                block = block.repeat_interleave(count, dim=0)
            yield block.to(self.dtype)

    def take(self, index: Int[Tensor, "some"]) -> Float[Tensor, "some feature"]:
        """Return the features of some rows, by their number among those that count."""
        index = index if self.chosen is None else self.chosen[index].long()
        return self._features(self.values[index.numpy()])

    def _features(self, values: np.ndarray | Tensor) -> Tensor:
        if isinstance(values, np.ndarray):  # copied: a map is read-only
            values = torch.from_numpy(np.array(values))
        on_device = values.to(self.device, self.given)
        return on_device if self.features is None else self.features(on_device)


def as_rows(data: "Rows | Float[Tensor, 'row feature']") -> Rows:
    """Return rows of a tensor of features; rows as they are."""
    return data if isinstance(data, Rows) else Rows(data, device=data.device)
