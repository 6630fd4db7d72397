"""Do the spectra cover the filters at every allowed redshift?

Band b at redshift z sees rest-frame wavelengths R_b / (1 + z).  Checked when a catalogue is made,
long before a fit needs the answer, and again when the photometry tables are built.

Where intergalactic absorption is on, nothing is needed below the Lyman limit: no light comes from
there.  The other end is 2.5 micron: what dust emits is not in the model.
"""

from collections.abc import Sequence

from popsed_core.errors import InputError
from popsed_core.photometry.filters import FilterCurve, load_filter
from popsed_core.photometry.igm import LYMAN_LIMIT

SHIFT_STEP = 6e-4  # spacing of tables in ln(1 + redshift); finer changes nothing measurable
# ASSUME: starlight dominates a band whose rest-frame effective wavelength is below this [AA]
DUST_LIMIT = 25000.0
Range = tuple[float, float]


def rest_frame_range(
    curves: Sequence[FilterCurve], redshift_range: Range, igm: str = "none"
) -> Range:
    """Return the rest-frame wavelengths that the filters see over the redshifts [AA].

    Args:
        curves: the filters.
        redshift_range: lowest and highest redshift.
        igm: as ``spectra.igm``; unless it is ``none``, all is dark below the Lyman limit.
    """
    low = min(curve.wave[0] for curve in curves) / (1 + redshift_range[1] + 2 * SHIFT_STEP)
    high = max(curve.wave[-1] for curve in curves) / (1 + redshift_range[0])
    return float(low if igm == "none" else max(low, LYMAN_LIMIT)), float(high)


def check_coverage(
    curves: Sequence[FilterCurve],
    redshift_range: Range,
    spectrum_range: Range,
    igm: str = "none",
) -> None:
    """Raise InputError unless the model covers every filter.

    The spectra must cover it at every redshift; at some it must see light, and that of stars.
    """
    at = f"at redshift {redshift_range[0]}-{redshift_range[1]}"
    for curve in curves:
        low, high = rest_frame_range([curve], redshift_range, igm)
        if low >= high:
            raise InputError(
                f"filter {curve.name}: sees nothing {at} but wavelengths below the Lyman limit, "
                "where no light comes from; drop the band"
            )
        if low < spectrum_range[0] or high > spectrum_range[1]:
            raise InputError(
                f"filter {curve.name}: needs rest-frame {low:.0f}-{high:.0f} AA {at}, but the "
                f"spectra cover {spectrum_range[0]:.0f}-{spectrum_range[1]:.0f} AA; narrow "
                "parameters.redshift, widen ssp.wave_low/wave_high (an emulator: those of "
                "training_set), or drop the band"
            )
        if _dusty_below(curve) > redshift_range[1]:
            raise InputError(
                f"filter {curve.name}: {at} it lies beyond 2.5 micron rest frame, where dust "
                "shines and the model has only stars; drop the band"
            )


def beyond_dust_limit(curves: Sequence[FilterCurve], redshift_range: Range) -> list[str]:
    """Return a warning for each band that sees dust emission at low redshifts.

    Args:
        curves: the filters.
        redshift_range: lowest and highest redshift of the fit.
    """
    return [
        f"filter {curve.name}: below redshift {_dusty_below(curve):.2f} it lies beyond 2.5 micron "
        "rest frame, where dust shines (up to 0.4 mag) and the model has only stars; raise "
        "parameters.redshift.low, or drop the band"
        for curve in curves
        if _dusty_below(curve) > redshift_range[0]
    ]


def check_filters(
    names: Sequence[str],
    redshift_range: Range | None = None,
    spectrum_range: Range | None = None,
    igm: str = "none",
) -> None:
    """Check that filters exist and, where both ranges are given, that spectra cover them.

    Args:
        names: as :func:`popsed_core.photometry.filters.load_filter` understands them.
        redshift_range: lowest and highest redshift of the fit.
        spectrum_range: rest-frame wavelengths of the spectra [AA].
        igm: as ``spectra.igm``.

    Raises:
        InputError: a filter is unknown or not covered.
    """
    curves = [load_filter(name) for name in names]
    if redshift_range is not None and spectrum_range is not None:
        check_coverage(curves, redshift_range, spectrum_range, igm)


def _dusty_below(curve: FilterCurve) -> float:
    """Return the redshift above which the middle of a band is within the model's range."""
    return curve.effective_wave / DUST_LIMIT - 1
