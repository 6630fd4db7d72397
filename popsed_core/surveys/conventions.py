"""How well-known surveys name the columns of their tables, and what these hold.

Only for ``popsed init``, which writes each entry that it uses as a guess to be checked.  A pattern
names the band; the error's name follows from that of the value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SDSS = {band: f"sdss2010-{band}" for band in "ugriz"}
DECAM = {band: f"decam2014-{band}" for band in "ugrizY"} | {"y": "decam2014-Y"}
HSC = {band: f"hsc2017-{band}" for band in "grizy"}
LSST = {band: f"lsst2023-{band}" for band in "ugrizy"}
VISTA = {
    "Y": "vista_vircam_Y", "J": "vista_vircam_J", "H": "vista_vircam_H", "K": "vista_vircam_Ks",
    "Ks": "vista_vircam_Ks",
}  # fmt: skip
COSMOS = {
    **{f"HSC_{band}": name for band, name in HSC.items()},
    **{f"UVISTA_{band}": VISTA[band] for band in ("Y", "J", "H", "Ks")},
    "CFHT_u": "cfht_megacam_us_9301",
    **{f"IRAC_CH{k}": f"spitzer_irac_ch{k}" for k in (1, 2)},
}
# AB magnitude of one unit of flux [mag], by the ways in which tables spell units
ZERO_POINTS = {
    **dict.fromkeys(("njy", "nanojansky"), 31.4),
    **dict.fromkeys(("ujy", "µjy", "μjy", "microjy", "microjansky"), 23.9),
    **dict.fromkeys(("mjy", "millijansky"), 16.4),
    **dict.fromkeys(("jy", "jansky"), 8.9),
    **dict.fromkeys(("nanomaggy", "nanomaggies", "nmgy", "nmaggy"), 22.5),
    **dict.fromkeys(("maggy", "maggies", "mgy"), 0.0),
}


@dataclass(frozen=True)
class Convention:
    """One way to name the columns of fluxes or magnitudes.

    Attributes:
        name: of the survey or the photometry.
        value: pattern of a column with values; ``band`` is its group.
        errors: names of the error's column, with ``{band}``.
        quantity: what the columns hold.
        filters: by band as the columns spell it.
        zero_point: AB magnitude of flux 1 [mag]; None: unknown.
        notes: what else to know of such columns.
        offsets: survey system to AB by band [mag].
        extinctions: names of columns with the Galactic extinction [mag], with ``{band}``.
    """

    name: str
    value: str
    errors: tuple[str, ...]
    quantity: Literal["flux", "mag"]
    filters: Mapping[str, str]
    zero_point: float | None = None
    notes: str = ""
    offsets: Mapping[str, float] = field(default_factory=dict)
    extinctions: tuple[str, ...] = ()


GALACTIC = ("extinction_{band}", "EXTINCTION_{band}", "a_{band}", "A_{band}", "{band}_a")
KIDS_FILTERS = {**SDSS, **{band: name for band, name in VISTA.items() if band != "K"},
                "i1": "sdss2010-i", "i2": "sdss2010-i", "Z": "vista_vircam_Z"}  # fmt: skip
KIDS_NOTES = (
    "MAG_GAAP is corrected for extinction already; no curve of OmegaCAM comes with the filter "
    "libraries: for u g r i those of SDSS stand in, give the ASCII files of ESO instead"
)
SDSS_AB = {"u": -0.04, "z": 0.02}  # [mag] sdss.org/dr17/algorithms/fluxcal: u is .04 too faint
KNOWN = (
    *(
        Convention(
            "SDSS", rf"{kind}Mag_(?P<band>[ugriz])", (f"{kind}MagErr_{{band}}",), "mag", SDSS,
            notes="SDSS magnitudes are on AB but for u and z: offset",
            offsets=SDSS_AB, extinctions=("extinction_{band}",),
        )
        for kind in ("model", "cModel", "petro", "psf", "fiber")
    ),
    *(
        Convention(
            "DES", rf"{kind}_MAG_(?P<band>[UGRIZYugrizY])",
            (f"{kind}_MAG_ERR_{{band}}", f"{kind}_MAGERR_{{band}}"), "mag", DECAM,
        )
        for kind in ("BDF", "SOF_CM", "SOF_PSF", "MOF_CM")
    ),
    *(
        Convention(
            "DES", rf"{kind}_FLUX_(?P<band>[UGRIZYugrizY])",
            (f"{kind}_FLUX_ERR_{{band}}", f"{kind}_FLUXERR_{{band}}"), "flux", DECAM, 30.0,
        )
        for kind in ("BDF", "SOF_CM", "SOF_PSF", "MOF_CM")
    ),
    Convention("DES", r"MAG_AUTO_(?P<band>[GRIZY])", ("MAGERR_AUTO_{band}",), "mag", DECAM),
    Convention("DES", r"FLUX_AUTO_(?P<band>[GRIZY])", ("FLUXERR_AUTO_{band}",), "flux", DECAM,
               30.0),
    Convention(
        "KiDS", r"MAG_GAAP_(?P<band>u|g|r|i|i1|i2|Z|Y|J|H|Ks)", ("MAGERR_GAAP_{band}",), "mag",
        KIDS_FILTERS, notes=KIDS_NOTES,
    ),
    *(
        Convention(
            "Rubin LSST", rf"(?P<band>[ugrizy])_{kind}Flux", (f"{{band}}_{kind}FluxErr",), "flux",
            LSST, 31.4,
        )
        for kind in ("cModel", "gaap1p0", "gaapOptimal", "sersic", "kron", "psf")
    ),
    Convention("Rubin DC2", r"cModelFlux_(?P<band>[ugrizy])", ("cModelFluxErr_{band}",), "flux",
               LSST, 31.4),
    Convention("Rubin DC2", r"mag_(?P<band>[ugrizy])_cModel", ("magerr_{band}_cModel",), "mag",
               LSST),
    *(
        Convention(
            "HSC", rf"(?P<band>[grizy])_?{kind}_flux",
            (f"{{band}}_{kind}_fluxerr", f"{{band}}_{kind}_fluxsigma", f"{{band}}{kind}_flux_err"),
            "flux", HSC, 31.4, notes="HSC fluxes are nJy from the second data release on",
            extinctions=("a_{band}",),
        )
        for kind in ("cmodel", "kronflux", "psfflux")
    ),
    *(
        Convention(
            "HSC", rf"(?P<band>[grizy])_?{kind}_mag",
            (f"{{band}}_{kind}_magerr", f"{{band}}_{kind}_magsigma", f"{{band}}{kind}_mag_err"),
            "mag", HSC, extinctions=("a_{band}",),
        )
        for kind in ("cmodel", "kronflux", "psfflux")
    ),
    *(
        Convention(
            "COSMOS2020", rf"(?P<band>(?:HSC|UVISTA|CFHT|IRAC)_\w+?)_FLUX{kind}",
            (f"{{band}}_FLUXERR{kind}",), "flux", COSMOS, 23.9,
            notes="fluxes of COSMOS2020 are in uJy",
        )
        for kind in ("", "_AUTO", "_APER3", "_APER2")
    ),
    *(
        Convention(
            "COSMOS2020", rf"(?P<band>(?:HSC|UVISTA|CFHT|IRAC)_\w+?)_MAG{kind}",
            (f"{{band}}_MAGERR{kind}",), "mag", COSMOS,
        )
        for kind in ("", "_AUTO", "_APER3", "_APER2")
    ),
)  # fmt: skip
PLAIN = r"(?P<band>FUV|NUV|fuv|nuv|u|g|r|i|z|y|Y|J|H|Ks|K|U|G|R|I|Z|W1|W2|W3|W4|w1|w2|w3|w4)"
PLAIN_ERRORS = {  # what stands for the word of the value in the name of its error
    "flux": ("flux_err", "fluxerr", "flux_error", "flux_sigma", "sigma_flux", "e_flux", "error",
             "err"),
    "mag": ("mag_err", "magerr", "mag_error", "mag_sigma", "sigma_mag", "e_mag", "error", "err"),
}  # fmt: skip


def _plain(quantity: Literal["flux", "mag"]) -> tuple[Convention, ...]:
    """Return the names that are of no survey: flux_g, g_flux, and their errors."""
    words = PLAIN_ERRORS[quantity]
    first = (*(f"{word}_{{band}}" for word in words), f"{quantity}_{{band}}_err",
             f"{quantity}_{{band}}_error", f"{quantity}err{{band}}")  # fmt: skip
    last = (*(f"{{band}}_{word}" for word in words), f"{{band}}_{quantity}_err")
    return (
        Convention("", rf"{quantity}_?{PLAIN}", first + last, quantity, {}),
        Convention("", rf"{PLAIN}_?{quantity}", last + first, quantity, {}),
    )


BARE = Convention(
    "", PLAIN, ("{band}_err", "{band}err", "err_{band}", "e_{band}", "{band}_error", "d{band}"),
    "mag", {},
)  # fmt: skip
CONVENTIONS = (*KNOWN, *_plain("flux"), *_plain("mag"), BARE)
TELESCOPES = {  # a word in the name of the file or of a column: whose filters plain names are
    "sdss": SDSS, "des": DECAM, "decam": DECAM, "decals": DECAM, "delve": DECAM, "legacy": DECAM,
    "hsc": HSC, "lsst": LSST, "rubin": LSST, "dc2": LSST, "dp1": LSST,
}  # fmt: skip
OTHERS = {  # bands that only one instrument of the libraries is known for
    "FUV": "galex_FUV", "NUV": "galex_NUV", "fuv": "galex_FUV", "nuv": "galex_NUV",
    "Y": "vista_vircam_Y", "y": "lsst2023-y", "J": "twomass-J", "H": "twomass-H",
    "Ks": "twomass-Ks", "K": "ukirt_wfcam_K",
    **{f"W{k}": f"wise2010-W{k}" for k in range(1, 5)},
    **{f"w{k}": f"wise2010-W{k}" for k in range(1, 5)},
}  # fmt: skip
INFRARED = ("J", "H", "K", "Ks", "W1", "W2", "W3", "W4", "w1", "w2", "w3", "w4")
REDSHIFTS = (  # the best first; the second of each says whether it is photometric
    (r"z_?spec|spec_?z|z_?sp|spec_?redshift|redshift_?spec|z_best_spec|specz_redshift", False),
    (r"z_?true|redshift_?true|true_?redshift|z_?cosmo", False),
    (r"redshift|z_?helio|z_tonry|zhelio|z_cmb", False),
    (
        r"z_?phot|photo_?z|zphot\w*|z_b|lp_?z\w*|ez_z_?phot|photoz_\w+|z_mc|dnf_zmean\w*|bpz\w*",
        True,
    ),
)
MASSES = (
    r"log_?stellar_?mass|log_?m_?star|logmstar|log_?mass|lp_?mass_(?:med|best)|mass_med|mass_best"
)
SENTINELS = (99.0, -99.0, -9999.0, 999.0, -999.0, 9999.0, 99.9, -99.9)
