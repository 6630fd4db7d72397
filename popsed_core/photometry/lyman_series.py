"""The Lyman series in the intergalactic medium: Table 2 of Inoue et al. 2014 (MNRAS 442, 1805).

One row per line, Lyman alpha to the transition from level 40: its wavelength, then the factors of
the optical depth, of the forest in three ranges of absorber redshift (eq. 21) and of damped
systems in two (eq. 22).
"""

from typing import NamedTuple


class LymanLine(NamedTuple):
    """One line.

    Attributes:
        wave: of the line [AA].
        forest: coefficients A_LAF,1 to A_LAF,3 [-].
        damped: coefficients A_DLA,1 and A_DLA,2 [-].
    """

    wave: float
    forest: tuple[float, float, float]
    damped: tuple[float, float]


LYMAN_SERIES = (
    LymanLine(1215.67, (1.690e-2, 2.354e-3, 1.026e-4), (1.617e-4, 5.390e-5)),
    LymanLine(1025.72, (4.692e-3, 6.536e-4, 2.849e-5), (1.545e-4, 5.151e-5)),
    LymanLine(972.537, (2.239e-3, 3.119e-4, 1.360e-5), (1.498e-4, 4.992e-5)),
    LymanLine(949.743, (1.319e-3, 1.837e-4, 8.010e-6), (1.460e-4, 4.868e-5)),
    LymanLine(937.803, (8.707e-4, 1.213e-4, 5.287e-6), (1.429e-4, 4.763e-5)),
    LymanLine(930.748, (6.178e-4, 8.606e-5, 3.752e-6), (1.402e-4, 4.672e-5)),
    LymanLine(926.226, (4.609e-4, 6.421e-5, 2.799e-6), (1.377e-4, 4.590e-5)),
    LymanLine(923.15, (3.569e-4, 4.971e-5, 2.167e-6), (1.355e-4, 4.516e-5)),
    LymanLine(920.963, (2.843e-4, 3.960e-5, 1.726e-6), (1.335e-4, 4.448e-5)),
    LymanLine(919.352, (2.318e-4, 3.229e-5, 1.407e-6), (1.316e-4, 4.385e-5)),
    LymanLine(918.129, (1.923e-4, 2.679e-5, 1.168e-6), (1.298e-4, 4.326e-5)),
    LymanLine(917.181, (1.622e-4, 2.259e-5, 9.847e-7), (1.281e-4, 4.271e-5)),
    LymanLine(916.429, (1.385e-4, 1.929e-5, 8.410e-7), (1.265e-4, 4.218e-5)),
    LymanLine(915.824, (1.196e-4, 1.666e-5, 7.263e-7), (1.250e-4, 4.168e-5)),
    LymanLine(915.329, (1.043e-4, 1.453e-5, 6.334e-7), (1.236e-4, 4.120e-5)),
    LymanLine(914.919, (9.174e-5, 1.278e-5, 5.571e-7), (1.222e-4, 4.075e-5)),
    LymanLine(914.576, (8.128e-5, 1.132e-5, 4.936e-7), (1.209e-4, 4.031e-5)),
    LymanLine(914.286, (7.251e-5, 1.010e-5, 4.403e-7), (1.197e-4, 3.989e-5)),
    LymanLine(914.039, (6.505e-5, 9.062e-6, 3.950e-7), (1.185e-4, 3.949e-5)),
    LymanLine(913.826, (5.868e-5, 8.174e-6, 3.563e-7), (1.173e-4, 3.910e-5)),
    LymanLine(913.641, (5.319e-5, 7.409e-6, 3.230e-7), (1.162e-4, 3.872e-5)),
    LymanLine(913.48, (4.843e-5, 6.746e-6, 2.941e-7), (1.151e-4, 3.836e-5)),
    LymanLine(913.339, (4.427e-5, 6.167e-6, 2.689e-7), (1.140e-4, 3.800e-5)),
    LymanLine(913.215, (4.063e-5, 5.660e-6, 2.467e-7), (1.130e-4, 3.766e-5)),
    LymanLine(913.104, (3.738e-5, 5.207e-6, 2.270e-7), (1.120e-4, 3.732e-5)),
    LymanLine(913.006, (3.454e-5, 4.811e-6, 2.097e-7), (1.110e-4, 3.700e-5)),
    LymanLine(912.918, (3.199e-5, 4.456e-6, 1.943e-7), (1.101e-4, 3.668e-5)),
    LymanLine(912.839, (2.971e-5, 4.139e-6, 1.804e-7), (1.091e-4, 3.637e-5)),
    LymanLine(912.768, (2.766e-5, 3.853e-6, 1.680e-7), (1.082e-4, 3.607e-5)),
    LymanLine(912.703, (2.582e-5, 3.596e-6, 1.568e-7), (1.073e-4, 3.578e-5)),
    LymanLine(912.645, (2.415e-5, 3.364e-6, 1.466e-7), (1.065e-4, 3.549e-5)),
    LymanLine(912.592, (2.263e-5, 3.153e-6, 1.375e-7), (1.056e-4, 3.521e-5)),
    LymanLine(912.543, (2.126e-5, 2.961e-6, 1.291e-7), (1.048e-4, 3.493e-5)),
    LymanLine(912.499, (2.000e-5, 2.785e-6, 1.214e-7), (1.040e-4, 3.466e-5)),
    LymanLine(912.458, (1.885e-5, 2.625e-6, 1.145e-7), (1.032e-4, 3.440e-5)),
    LymanLine(912.42, (1.779e-5, 2.479e-6, 1.080e-7), (1.024e-4, 3.414e-5)),
    LymanLine(912.385, (1.682e-5, 2.343e-6, 1.022e-7), (1.017e-4, 3.389e-5)),
    LymanLine(912.353, (1.593e-5, 2.219e-6, 9.673e-8), (1.009e-4, 3.364e-5)),
    LymanLine(912.324, (1.510e-5, 2.103e-6, 9.169e-8), (1.002e-4, 3.339e-5)),
)
