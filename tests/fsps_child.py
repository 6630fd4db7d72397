"""Results of python-fsps without any code of the package: the truth for tests of the engine.

    python fsps_child.py TASK QUESTION.npz ANSWER.npz

The answer appears only when it is complete: FSPS may end this process without a word.
"""

import sys
from pathlib import Path

import fsps
import numpy as np


def population(**options):
    return fsps.StellarPopulation(imf_type=1, dust_type=4, **options)


def nodes(question):
    """SSPs at whole metallicities, by the public route."""
    sp = population(zcontinuous=0)
    spectra, masses = [], []
    for zmet in question["zmet"]:
        spectra.append(sp.get_spectrum(zmet=int(zmet), tage=0)[1])
        masses.append(sp.stellar_mass)
    return {
        "wave": sp.wavelengths, "spectra": np.array(spectra), "masses": np.array(masses),
        "zlegend": sp.zlegend, "log_age": sp.log_age, "zsun": sp.solar_metallicity,
    }  # fmt: skip


def tabular(question):
    """Composite populations with a tabulated star-formation history (``sfh=3``), per Msun."""
    sp = population(zcontinuous=1, sfh=3, dust1=0.0, dust2=0.0)
    spectra = []
    for n, time, rate, logzsol in zip(
        question["n"], question["time"], question["rate"], question["logzsol"], strict=True
    ):
        sp.set_tabular_sfh(time[:n], rate[:n])
        sp.params["logzsol"] = logzsol
        spectrum = sp.get_spectrum(tage=time[n - 1])[1]
        spectra.append(spectrum / (np.trapezoid(rate[:n], time[:n]) * 1e9))
    return {"wave": sp.wavelengths, "spectra": np.array(spectra)}


def dust(question):
    """SSPs of any age behind both components of dust."""
    sp = population(zcontinuous=1, sfh=0)
    spectra = []
    for age, logzsol, dust1, dust2, index in question["rows"]:
        sp.params["logzsol"], sp.params["dust_index"] = logzsol, index
        sp.params["dust1"], sp.params["dust2"] = dust1, dust2
        spectra.append(sp.get_spectrum(tage=age)[1])
    return {"wave": sp.wavelengths, "spectra": np.array(spectra)}


def recipe(question):
    """The released recipe: a sum of SSPs at the mid-points of time bins, and a burst."""
    sp = population(zcontinuous=1, sfh=0)
    spectra = []
    for row, n, edges, masses in zip(
        question["rows"], question["n"], question["edges"], question["masses"], strict=True
    ):
        logzsol, dust1, dust2, index, t_burst, f_burst = row
        sp.params["logzsol"], sp.params["dust_index"] = logzsol, index
        sp.params["dust1"], sp.params["dust2"] = dust1, dust2
        total = 0.0
        for low, high, mass in zip(edges[: n - 1], edges[1:n], masses[: n - 1], strict=True):
            tage = 0.5 * (low + high)
            total = total + mass * sp.get_spectrum(tage=tage)[1]
        total = (1 - f_burst) * total
        if t_burst < tage:  # the released code meant the age of the galaxy
            sp.params["dust1"] = 0.0
            total = total + f_burst * sp.get_spectrum(tage=t_burst)[1]
        spectra.append(total)
    return {"wave": sp.wavelengths, "spectra": np.array(spectra)}


if __name__ == "__main__":
    name, path, answer = sys.argv[1:]
    with np.load(path) as arrays:
        found = globals()[name](dict(arrays))
    partial = answer + ".partial.npz"
    np.savez(partial, **found)
    Path(partial).replace(answer)
