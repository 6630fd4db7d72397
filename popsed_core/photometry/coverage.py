"""Do the spectra reach as far as the filters look, at every redshift that is allowed?

Band b at redshift z sees rest-frame wavelengths R_b / (1 + z).  Asked when a catalogue is made,
long before a fit needs the answer, and again when the photometry tables are built.
"""

from collections.abc import Sequence

from popsed_core.errors import InputError
from popsed_core.photometry.filters import FilterCurve, load_filter

SHIFT_STEP = 6e-4  # spacing of tables in ln(1 + redshift); finer changes nothing measurable
Range = tuple[float, float]


def rest_frame_range(curves: Sequence[FilterCurve], redshift_range: Range) -> Range:
    """Return the rest-frame wavelengths that the filters see over the redshifts [AA]."""
    low = min(curve.wave[0] for curve in curves) / (1 + redshift_range[1] + 2 * SHIFT_STEP)
    high = max(curve.wave[-1] for curve in curves) / (1 + redshift_range[0])
    return float(low), float(high)


def check_coverage(
    curves: Sequence[FilterCurve], redshift_range: Range, spectrum_range: Range
) -> None:
    """Raise InputError unless the spectra cover every filter at every redshift."""
    for curve in curves:
        low, high = rest_frame_range([curve], redshift_range)
        if low < spectrum_range[0] or high > spectrum_range[1]:
            raise InputError(
                f"filter {curve.name}: needs rest-frame {low:.0f}-{high:.0f} AA at redshift "
                f"{redshift_range[0]}-{redshift_range[1]}, but the spectra cover "
                f"{spectrum_range[0]:.0f}-{spectrum_range[1]:.0f} AA; narrow parameters.redshift, "
                "widen ssp.wave_low/wave_high, or drop the band"
            )


def check_filters(
    names: Sequence[str], redshift_range: Range | None = None, spectrum_range: Range | None = None
) -> None:
    """Check that filters exist and, where both ranges are given, that spectra cover them.

    Args:
        names: as :func:`popsed_core.photometry.filters.load_filter` understands them.
        redshift_range: lowest and highest redshift of the fit.
        spectrum_range: rest-frame wavelengths of the spectra [AA].

    Raises:
        InputError: a filter is unknown or not covered.
    """
    curves = [load_filter(name) for name in names]
    if redshift_range is not None and spectrum_range is not None:
        check_coverage(curves, redshift_range, spectrum_range)
