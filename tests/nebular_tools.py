"""Gas for tests: tiny tables in the formats of Cloudy's and FSPS's grids; toy stars with gas."""

import dataclasses

import numpy as np
from astropy.io import fits
from laws_tools import WAVE_RANGE

from popsed_core.constants import LSUN_BC03, LSUN_FSPS, SPEED_OF_LIGHT
from popsed_core.stellar.ssp.build import NebularFiles
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.ssp.nebular import PhotonSpectra, with_nebular
from popsed_core.stellar.ssp.nebular_cloudy import LOG_U, METALLICITIES, mean_rates
from popsed_core.stellar.ssp.toy import toy_grid

HOTTER = 20.0
CASE_B = 4.76e-13  # [erg] Hbeta per photon
AIR = np.array([6562.80, 4861.32, 5006.84, 3728.81, 3889.05, 9068.62, 6312.06])  # [AA]
ENERGIES = CASE_B * np.array([2.86, 1.0, 2.0, 1.5, 0.1, 0.3, 0.004])  # [erg] per photon
CLOUDY_AGES = 10 ** np.arange(6.0, 7.45, 0.1)  # [yr]
CLOUDY_WAVE = np.geomspace(91.0, 40_000.0, 60)  # [AA]
CONTINUUM = 1e-27  # [erg / Hz] per photon at 5000 AA


def continuum(wave):
    """Light of gas per photon [erg / Hz]: nearly flat, as it is between its edges."""
    return CONTINUUM * (wave / 5000.0) ** 0.5


def photons(lines=AIR, energies=ENERGIES) -> PhotonSpectra:
    """Light per photon that is the same at every metallicity and age."""
    wave = np.geomspace(500.0, 40_000.0, 400)
    return PhotonSpectra(
        lgmet=np.array([-4.0, -1.0]),
        log_age=np.array([6.0, 7.0]),
        wave=wave,
        continuum=np.broadcast_to(continuum(wave), (2, 2, len(wave))),
        line_wave=np.asarray(lines, dtype=float),
        lines=np.broadcast_to(energies, (2, 2, len(energies))),
        name="test gas",
    )


def hot_stars(wave_range=WAVE_RANGE) -> SSPGrid:
    """Toy stars, which are cool, with the ionising light of real ones."""
    stars = toy_grid(wave_range)
    return dataclasses.replace(stars, ionising_rate=HOTTER * stars.ionising_rate)


def toy_gas(wave_range=WAVE_RANGE, **lines) -> SSPGrid:
    """Toy stars with gas around the young ones; star-forming galaxies gain about 0.1 mag."""
    return with_nebular(hot_stars(wave_range), photons(**lines))


def strength(metal: int, log_u: float) -> np.ndarray:
    """Luminosity of lines per photon [erg]: constant for hydrogen, [O III] depends on both."""
    ratios = np.ones(len(AIR))
    ratios[2] = (1 + metal) * 10 ** (0.6 * (log_u + 3))
    return ENERGIES * ratios


def write_cloudy(folder, stars: SSPGrid, broken_from: float = 9.0) -> NebularFiles:
    """Write grids for some stars in bagpipes' layout; the last set is broken at high log U."""
    rates = mean_rates(stars, CLOUDY_AGES) / LSUN_BC03
    lines, continua = [fits.PrimaryHDU()], [fits.PrimaryHDU()]
    for log_u in LOG_U:
        for metal, name in enumerate(METALLICITIES):
            is_broken = metal == len(METALLICITIES) - 1 and log_u >= broken_from
            rate = rates[metal, :, None] * (0.2 if is_broken else 1.0)
            per_aa = continuum(CLOUDY_WAVE) * SPEED_OF_LIGHT / CLOUDY_WAVE**2
            for hdus, wave, light in (
                (lines, AIR, strength(metal, log_u)),
                (continua, CLOUDY_WAVE, per_aa),
            ):
                table = np.block(
                    [[np.zeros((1, 1)), wave[None]], [CLOUDY_AGES[:, None], rate * light]]
                )
                hdus.append(fits.ImageHDU(table, name=f"ZMET_{name}_LOGU_{log_u:.1f}"))
    files = NebularFiles(*(folder / name for name in ("cont.fits", "lines.fits", "waves.txt")))
    fits.HDUList(continua).writeto(files.continuum)
    fits.HDUList(lines).writeto(files.lines)
    np.savetxt(files.wavelengths, AIR)
    return files


def write_bc03(path):
    """Write stars in bagpipes' layout that ionise, the younger and poorer the more."""
    age = np.concatenate([[0.0], np.geomspace(1e5, 2e10, 60)])
    wave = np.geomspace(91.0, 40_000.0, 900)
    names = [f"ZMET_{name}ZSOL" for name in (*METALLICITIES, "5.000")]
    images = {
        name: (1 + metal) ** -0.2 / wave**2 / (1 + age[:, None] / 4e6) ** 2 * 3e4
        for metal, name in enumerate(names)
    }
    left = np.broadcast_to(1 - 0.02 * np.log10(1 + age)[:, None], (len(age), len(names)))
    images["LIV_MSTAR_FRAC"] = np.column_stack([np.log10(np.maximum(age, 1.0)), left])
    images |= {"STELLAR_AGE_YR": age, "WAVELENGTHS_AA": wave}
    hdus = [fits.ImageHDU(image, name=name) for name, image in images.items()]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    return path


FSPS_Z = np.array([-1.98, -1.0, 0.0, 0.2])  # [dex]
FSPS_AGES = np.array([5e5, 2e6, 5e6, 1e7])  # [yr]
FSPS_U = np.array([-4.0, -3.0, -2.0])  # [dex]


def write_fsps(home, isochrones="mist", start=(-1.98, 5e5)):
    """Write tables of gas in FSPS's layout; light per photon grows tenfold with log U."""
    (home / "nebular").mkdir(parents=True, exist_ok=True)
    for end, wave, light in (
        ("cont", CLOUDY_WAVE, continuum(CLOUDY_WAVE)),
        ("lines", AIR, ENERGIES),
    ):
        rows = [f"#{len(wave)} cols", " ".join(f"{x:.6e}" for x in wave)]
        for log_z in (start[0], *FSPS_Z[1:]):
            for age in (start[1], *FSPS_AGES[1:]):
                for log_u in FSPS_U:
                    values = light / LSUN_FSPS * 10 ** (log_u + 3)
                    rows += [f"{log_z:.4e} {age:.4e} {log_u:.4e}"]
                    rows += [" ".join(f"{x:.8e}" for x in values)]
        (home / "nebular" / f"ZAU_ND_{isochrones}.{end}").write_text("\n".join(rows) + "\n")
    return home
