"""Write a small SPS_HOME with which the real FSPS runs: toy stars, and tables it must find.

``write_home(folder, layout)`` makes every file that FSPS opens; ``layout`` is 4 for FSPS 4.0
(fsps 0.5: MIST, C3K_LR) and 3 for FSPS 3.2 (fsps 0.4: MIST, MILES).  Tables that the toy stars
never touch are constants in Fortran's short form (``1963*1e-30``), so everything fits in 40 MB.
"""

import numpy as np
from fsps_stars import LOG_AGES, atmospheres, isochrone, wave_grid

METALS = {
    4: (-2.5, -2.25, -2.0, -1.75, -1.5, -1.25, -1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5),
    3: (-2.5, -2.0, -1.75, -1.5, -1.25, -1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5),
}
N_FILTERS, N_LINES, N_NEBULAR_WAVES = 159, 166, 1963
HOT_STAR_METALS = (
    0.0001, 0.001, 0.002, 0.003, 0.004, 0.006, 0.008, 0.01, 0.014, 0.02, 0.03, 0.04
)  # fmt: skip
MILES_METALS = (0.0008, 0.0035, 0.0097, 0.0190, 0.0300)
XRAY_METALS = (-1.3, -1.0, -0.8, -0.7, -0.5, -0.4, -0.3, -0.2, 0.0, 0.2, 0.3)
FAINT = "1e-30"


def write_home(home, layout):
    """Write all files of one layout below ``home`` and return it."""
    write_isochrones(home / "ISOCHRONES" / "MIST", layout)
    (write_c3k if layout == 4 else write_miles)(home / "SPECTRA")
    write_hot_stars(home / "SPECTRA" / "Hot_spectra")
    write_giants(home / "SPECTRA" / "AGB_spectra")
    write_xray_binaries(home / "SPECTRA" / "xrb")
    write_dust(home / "dust")
    write_nebulae(home / "nebular" / "ZAU_ND_mist")
    write_photometry(home)
    return home


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def repeated(path, n_rows, n_columns, low=91.0, high=1e8):
    """A wavelength and ``n_columns`` equal, negligible values per row."""
    waves = np.geomspace(low, high, n_rows)
    write(path, (f"{wave:.6e} {n_columns}*{FAINT}" for wave in waves))


def same_file(path, names):
    for name in names:
        if name != path.name:
            (path.parent / name).symlink_to(path.name)


def numbers(values, digits=4):
    return (f"{value:.{digits}f}" for value in values)


def write_isochrones(folder, layout):
    names = []
    for metals in METALS[layout]:
        sign = "m" if metals < 0 else "p"
        digits = f"{abs(metals) * 100:03.0f}" if layout == 4 else f"{abs(metals):.2f}"
        names.append(sign + digits + (f"{metals:6.2f}" if layout == 4 else ""))
        stem = "isoc_feh_{}_afe_p0_vvcrit0.4_full" if layout == 4 else "isoc_z{}"
        path = folder / f"{stem.format(sign + digits)}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as stream:
            for log_age in LOG_AGES:
                np.savetxt(stream, isochrone(log_age, metals), fmt="%.6g", header="toy")
    write(folder / "zlegend.dat", names)


def write_c3k(spectra):
    folder = spectra / "C3K" / "c3k_lr"
    wave, log_t, log_g = wave_grid(1936), np.linspace(3.3979, 4.699, 80), np.linspace(-1, 5.5, 14)
    write(folder / "c3k_lr.lambda", numbers(wave, 6))
    write(folder / "c3k_lr.res", ["100.0"] * wave.size)
    write(folder / "logt.dat", numbers(log_t, 6))
    write(folder / "logg.dat", numbers(log_g, 6))
    write(folder / "c3k_lr_zlegend.dat", (f"{metals:+.2f}" for metals in METALS[4]))
    names = [f"c3k_lr_feh{metals:+.2f}_afe+0.0.spec.bin" for metals in METALS[4][:11]]
    write_library(folder, names, atmospheres(wave, log_t, log_g.size, -0.5))


def write_miles(spectra):
    folder = spectra / "MILES"
    wave, log_t, log_g = wave_grid(5994), np.linspace(3.30, 4.70, 68), np.linspace(-1.02, 5.5, 19)
    write(folder / "miles.lambda", numbers(wave, 6))
    write(folder / "miles.res", ["100.0"] * wave.size)
    write(folder / "zlegend.dat", numbers(MILES_METALS))
    write(spectra / "BaSeL3.1" / "basel_logt.dat", numbers(log_t, 6))
    write(spectra / "BaSeL3.1" / "basel_logg.dat", numbers(log_g, 6))
    names = [f"imiles_z{metals:.4f}.spectra.bin" for metals in MILES_METALS]
    write_library(folder, names, atmospheres(wave, log_t, log_g.size, -0.5))


def write_library(folder, names, flux):
    """One library for all metallicities (Fortran order): the isochrones tell them apart."""
    flux.ravel(order="F").tofile(folder / names[0])
    same_file(folder / names[0], names)


def write_hot_stars(folder):
    write(folder / "WMBASIC_zlegend.dat", numbers(HOT_STAR_METALS))
    write(folder / "WMBASIC.teff", numbers(np.linspace(4.9, 5.1, 11)))  # hotter than any toy star
    names = [f"WMBASIC_z{metals:.4f}.spec" for metals in HOT_STAR_METALS]
    repeated(folder / names[0], 5508, 33)
    same_file(folder / names[0], names)
    write(folder / "ipagb.teff", numbers(np.linspace(5e4, 2e5, 14), 0))
    repeated(folder / "ipagb_solar.spec", 9281, 14)
    same_file(folder / "ipagb_solar.spec", ["ipagb_halo.spec"])
    for kind in ("WN", "WC"):
        write(folder / f"CMFGEN_{kind}.teff", numbers(np.linspace(4.4, 5.1, 12)))
        blocks = [f"1.0 0.01\n{N_NEBULAR_WAVES}*{FAINT}"] * (5 * 12)
        write(folder / f"CMFGEN_{kind}_Zall.spec", [row_of_waves(N_NEBULAR_WAVES), *blocks])


def row_of_waves(n, low=91.0, high=1e8):
    return " ".join(f"{wave:.5e}" for wave in np.geomspace(low, high, n))


def write_giants(folder):
    log_metals = " ".join(numbers(np.linspace(-2, 0.2, 22), 2))
    rows = [f"1.0 22*{temperature:.0f}" for temperature in np.linspace(2500, 4000, 9)]
    write(folder / "Orich.teff", ["#", f"9.99 {log_metals}", *rows])
    carbon = [f"1.0 {temperature:.0f}" for temperature in np.linspace(2000, 3200, 5)]
    write(folder / "Crich.teff", ["#", *carbon])
    write(folder / "Crich_Aringer.teff", numbers(np.linspace(2400, 4000, 9), 0))
    repeated(folder / "Orich.spec", 6146, 9)
    repeated(folder / "Crich.spec", 6146, 5)
    repeated(folder / "Crich_Aringer.spec", 9032, 9)


def write_xray_binaries(folder):
    write(folder / "xsp.lambda", (f"{wave:.6e}" for wave in np.geomspace(1, 1e8, 15000)))
    names = [f"xsp_feh{metals:+.2f}.spec" for metals in XRAY_METALS]
    write(folder / names[0], [f"15000*{FAINT}"] * 10)
    same_file(folder / names[0], names)


def write_dust(folder):
    micron = np.geomspace(1, 1e4, 1001)
    emission = micron**-5.0 / np.expm1(np.minimum(480 / micron, 600))  # 30 K, beta = 2
    emission = np.maximum(emission / emission.max(), 1e-30)
    rows = [f"{a:.6e} 44*{b:.6e}" for a, b in zip(micron, emission, strict=True)]
    names = [f"DL07_MW3.1_{index}0.dat" for index in range(7)]
    write(folder / "dustem" / names[0], ["#", "#", *rows])
    same_file(folder / "dustem" / names[0], names)
    models = [
        f"{temperature:.0f} {depth:.3f}\n2*1.0"
        for temperature in np.linspace(2000, 4500, 6)
        for depth in np.linspace(-3, 2, 50)
    ]
    for kind in ("Orich", "Crich"):
        write(folder / "dusty" / f"{kind}_dusty.spec", ["2", "91.0 1e8", *models])
    repeated(folder / "nenkova.rows", 125, 9, 100, 1e7)
    torus = (folder / "nenkova.rows").read_text().splitlines()
    (folder / "nenkova.rows").unlink()
    depths = "5 10 20 30 40 60 80 100 150"
    write(folder / "Nenkova08_y010_torusg_n10_q2.0.dat", ["#", "#", "#", depths, *torus])
    mixed = [f"{wave:.1f} 1.0 6*0.1" for _ in range(18) for wave in np.linspace(1e3, 3e4, 25)]
    for kind in "hc":
        write(folder / f"alldirty_{kind}.dat", ["#", "#", "#", *mixed])
    bar = [f"{wave:.4f} 1.0 1.0" for wave in np.geomspace(2.2, 0.1, 30)]
    write(folder / "Gordon03_table4.dat", bar)


def write_nebulae(stem):
    keys = [
        f"{metals:.2f} {age:.1e} {ionisation:.1f}"
        for metals in np.linspace(-2, 0.5, 11)
        for age in np.geomspace(5e5, 1e7, 10)
        for ionisation in np.linspace(-4, -1, 7)
    ]
    waves = row_of_waves(N_NEBULAR_WAVES)
    continua = [f"{key}\n{N_NEBULAR_WAVES}*0.0" for key in keys]
    write(stem.with_suffix(".cont"), ["#", waves, *continua])
    lines = [f"{key}\n{N_LINES}*0.0" for key in keys]
    write(stem.with_suffix(".lines"), ["#", row_of_waves(N_LINES, 923, 3e6), *lines])


def write_photometry(home):
    flat = [f"{wave:.6e} 1.0e-9" for wave in np.geomspace(91, 1.6e6, 1221)]
    write(home / "SPECTRA" / "A0V_KURUCZ_92.SED", ["#", *flat])
    write(home / "SPECTRA" / "SUN_STScI.SED", flat)
    box = "5000 0.0\n5100 1.0\n5900 1.0\n6000 0.0"
    filters = [f"{box}\n# end {index}" for index in range(1, N_FILTERS + 1)]
    write(home / "data" / "allfilters.dat", ["# header", *filters])
    names = (f"{index}\tBAND_{index}\ttoy band {index}" for index in range(1, N_FILTERS + 1))
    write(home / "data" / "FILTER_LIST", names)
    write(home / "data" / "emlines_info.dat", ["923.15,Ly-8 923"])
    index = "5000 5100 4900 5000 5100 5200 2"
    write(home / "data" / "allindices.dat", ["#"] * 4 + [index] * 30)
