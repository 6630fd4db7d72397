"""Star-formation history bases: four NMF components of Illustris galaxies (PROVABGS).

Figures of Hahn et al. 2023b (PROVABGS, MIT licence), to four digits: each basis as its value
relative to its peak on a uniform grid of lookback times, with the peak height.  Basis 1 is the
youngest.  Between the times, and beyond the first and last, a basis is linear; it is never
negative.
"""

import numpy as np

TIME_FIRST = 0.06699  # [Gyr] lookback time of the first node (PROVABGS)
TIME_STEP = 0.2767519  # [Gyr] spacing of the nodes (PROVABGS)
TIME_LAST = 14.0  # [Gyr] bases are extrapolated to here: older than any cosmology's t(z=0)

# fmt: off
PEAK = (0.06867, 0.06073, 0.07358, 0.0898)  # [1 / node] peak of each basis when its nodes sum to 1
SHAPE = (
    (
        0.9556, 0.9731, 0.9873, 0.9994, 1.0, 0.9648, 0.9389, 0.8934, 0.8623, 0.8057,
        0.7432, 0.6739, 0.6166, 0.5439, 0.4706, 0.3957, 0.3271, 0.2614, 0.1938, 0.1383,
        0.088, 0.037, 0.0119, 0.0003, 0.0, 0.0, 0.0, 0.0003, 0.0124, 0.0361,
        0.0581, 0.0651, 0.0791, 0.0832, 0.0827, 0.0777, 0.0659, 0.047, 0.0323, 0.0245,
        0.0128, 0.0021, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
    ),
    (
        0.0, 0.0, 0.0, 0.0005, 0.0284, 0.0765, 0.1251, 0.1838, 0.2446, 0.3169,
        0.3899, 0.4736, 0.545, 0.6227, 0.716, 0.7881, 0.8608, 0.914, 0.9583, 0.9835,
        1.0, 0.9975, 0.9612, 0.9036, 0.8283, 0.744, 0.6632, 0.5694, 0.4728, 0.3713,
        0.269, 0.1926, 0.1304, 0.0734, 0.0391, 0.0129, 0.0, 0.0, 0.0038, 0.0007,
        0.0, 0.0007, 0.0022, 0.0023, 0.0004, 0.0, 0.0007, 0.0, 0.0, 0.0,
    ),
    (
        0.0, 0.0, 0.0001, 0.0086, 0.0059, 0.0023, 0.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0013, 0.0278, 0.0727, 0.116,
        0.1777, 0.2478, 0.3284, 0.4209, 0.5272, 0.6287, 0.7308, 0.8397, 0.9163, 0.9685,
        1.0, 0.9943, 0.9707, 0.9226, 0.843, 0.7396, 0.6117, 0.4888, 0.3798, 0.272,
        0.1778, 0.1008, 0.052, 0.0166, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
    ),
    (
        0.0, 0.0, 0.0, 0.0, 0.0, 0.0001, 0.0008, 0.0, 0.0, 0.0,
        0.0, 0.0, 0.0002, 0.0014, 0.0013, 0.0084, 0.0148, 0.0172, 0.0074, 0.0018,
        0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0033, 0.03, 0.0865,
        0.1602, 0.2428, 0.3322, 0.4392, 0.563, 0.6807, 0.8067, 0.897, 0.9561, 0.9964,
        1.0, 0.9604, 0.8645, 0.7274, 0.5781, 0.4005, 0.2409, 0.1005, 0.0159, 0.0001,
    ),
)
# fmt: on


def basis_knots() -> tuple[np.ndarray, np.ndarray]:
    """Return the knots of the piecewise-linear bases.

    Returns:
        Lookback times (knot,) [Gyr], from 0 to ``TIME_LAST``, and the bases (4, knot) [1 / node].
    """
    shape = np.array(SHAPE) * np.array(PEAK)[:, None]
    time = TIME_FIRST + TIME_STEP * np.arange(shape.shape[1])
    first = shape[:, 0] - (shape[:, 1] - shape[:, 0]) / TIME_STEP * TIME_FIRST
    slope = (shape[:, -1] - shape[:, -2]) / TIME_STEP
    last = shape[:, -1] + slope * (TIME_LAST - time[-1])
    knots = np.concatenate([[0.0], time, [TIME_LAST]])
    values = np.concatenate([first[:, None], shape, last[:, None]], axis=1)
    return knots, np.clip(values, 0.0, None)
