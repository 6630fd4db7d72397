"""Write toy_survey.csv: 400 synthetic galaxies in ugriz with plausible colours and errors.

Not a physical model: magnitudes follow number counts, colours redden with redshift.  It gives the
smoke run a survey to read, so that the whole workflow runs without a download.
"""

from pathlib import Path

import numpy as np

N_GALAXIES = 400
BANDS = "ugriz"
PATH = Path(__file__).with_name("toy_survey.csv")


def main() -> None:
    random = np.random.default_rng(400)
    redshift = 0.02 + 0.2 * random.beta(2, 4, N_GALAXIES)
    mag_r = 17.7 + np.log10(random.uniform(0.02, 1, N_GALAXIES)) / 0.6  # Euclidean counts
    redness = random.normal(0, 0.25, N_GALAXIES)
    colours = {
        "u": 2.1 + 2 * redshift + 1.5 * redness,
        "g": 0.65 + 2 * redshift + 0.6 * redness,
        "r": np.zeros(N_GALAXIES),
        "i": -0.35 - 0.3 * redness,
        "z": -0.6 - 0.6 * redness,
    }
    mags = [mag_r + colours[band] + random.normal(0, 0.03, N_GALAXIES) for band in BANDS]
    columns = [redshift]
    for band, mag in zip(BANDS, mags, strict=True):
        scatter = random.lognormal(0, 0.15, N_GALAXIES)
        limit = {"u": 20.3, "z": 20.5}.get(band, 22.0)  # [mag] where the error is 0.2
        columns += [mag, np.hypot(0.015, 0.2 * 10 ** (0.4 * (mag - limit)) * scatter)]
    names = ["redshift", *(f"{kind}_{band}" for band in BANDS for kind in ("mag", "error"))]
    rows = [
        ",".join(names),
        *(",".join(f"{x:.4f}" for x in row) for row in zip(*columns, strict=True)),
    ]
    PATH.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
