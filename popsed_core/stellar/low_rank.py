"""Low-rank factorisation of a table of spectra."""

import numpy as np

N_BALANCE = 10  # sweeps that balance rows and columns; fewer are enough to converge


def factorise(
    table: np.ndarray, tolerance: float | None, like: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Write a non-negative table as a product of two thin matrices, by a balanced SVD.

    Rows and columns are scaled to unit mean square first, so that a faint spectrum and a dark
    wavelength are kept as precisely, relatively, as bright ones.

    Args:
        table: spectra (row, pixel), not negative.
        tolerance: largest root-mean-square relative error of the balanced table; None keeps the
            table (the second factor is then the identity).
        like: a table of the same shape that errors are relative to; None: the table itself.

    Returns:
        Coefficients (row, rank) and basis spectra (rank, pixel).
    """
    if tolerance is None:
        return table, np.eye(table.shape[1])
    rows = np.ones((table.shape[0], 1))
    columns = np.ones((1, table.shape[1]))
    whole = table if like is None else like
    for _ in range(N_BALANCE):
        rows = _scale(whole / columns, axis=1)
        columns = _scale(whole / rows, axis=0)
    left, weight, right = np.linalg.svd(table / rows / columns, full_matrices=False)
    tail = np.sqrt(np.cumsum(weight[::-1] ** 2)[::-1] / table.size)
    rank = max(int(np.searchsorted(-tail, -tolerance)), 1)
    return rows * left[:, :rank] * weight[:rank], right[:rank] * columns


def _scale(table: np.ndarray, axis: int) -> np.ndarray:
    """Return the root mean square along an axis; 1 where all values are zero."""
    scale = np.sqrt(np.mean(table**2, axis=axis, keepdims=True))
    return np.where(scale > 0, scale, 1.0)
