"""What several surveys say together of the light of old stars, and how much of it is believed."""

import numpy as np

from tests.studies.offset_posterior import REFERENCE, WAVE

SHARED_WAVES = slice(4, 10)  # well within what the bands of all surveys see (3200 to 7600 AA)


def believed(offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what surveys' offsets are together, and how much of it is believed, by node.

    Their mean where all see the spectra, the first's offset elsewhere, shrunk as James & Stein do:
    with e^2 the variance of one survey about the truth and s^2 that of the truth about nothing,
    both estimated from the nodes that all share, n surveys leave s^2 / (s^2 + e^2 / n).

    Args:
        offsets: (survey, node) [mag].
    """
    is_shared = np.zeros(len(WAVE), bool)
    is_shared[SHARED_WAVES] = True
    mean = np.where(is_shared, offsets.mean(axis=0), offsets[0])
    is_shared[REFERENCE] = False  # nothing by definition
    error = np.mean(offsets[:, is_shared].var(axis=0, ddof=1))
    signal = max(np.mean(mean[is_shared] ** 2) - error / len(offsets), 0.0)
    n_surveys = np.where(is_shared, len(offsets), 1)
    return mean, signal / (signal + error / n_surveys)


def scatter_of(offsets: np.ndarray) -> float:
    """Return the scatter [mag] of one row of offsets (row, node) where all see the spectra."""
    return round(float(np.sqrt(offsets[:, SHARED_WAVES].var(axis=0, ddof=1).mean())), 4)
