"""Random draws for the tests of distances."""

import torch


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(n: int, n_features: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, n_features, generator=stream(seed), dtype=torch.float64)
