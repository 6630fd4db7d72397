"""Factorise a table of spectra: most of its rows are nearly mixtures of a few dozen."""

import numpy as np

N_BALANCE = 10  # sweeps that balance rows and columns; converged long before


def factorise(table: np.ndarray, tolerance: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Write a non-negative table as a product of two thin matrices, by a balanced SVD.

    Rows and columns are scaled to unit mean square first, so that a faint spectrum and a dark
    wavelength are kept as precisely, relatively, as bright ones.

    Args:
        table: spectra (row, pixel), not negative.
        tolerance: largest root-mean-square relative error of the balanced table; None keeps the
            table (the second factor is then the identity).

    Returns:
        Coefficients (row, rank) and basis spectra (rank, pixel).
    """
    if tolerance is None:
        return table, np.eye(table.shape[1])
    rows = np.ones((table.shape[0], 1))
    columns = np.ones((1, table.shape[1]))
    for _ in range(N_BALANCE):
        rows = np.sqrt(np.mean((table / columns) ** 2, axis=1, keepdims=True))
        columns = np.sqrt(np.mean((table / rows) ** 2, axis=0, keepdims=True))
    left, weight, right = np.linalg.svd(table / rows / columns, full_matrices=False)
    tail = np.sqrt(np.cumsum(weight[::-1] ** 2)[::-1] / table.size)
    rank = max(int(np.searchsorted(-tail, -tolerance)), 1)
    return rows * left[:, :rank] * weight[:rank], right[:rank] * columns
