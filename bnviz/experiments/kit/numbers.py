"""Numbers as sentences say them."""

import math

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 3) -> str:
    """Significant digits, without an exponent between 0.0001 and a million; words for no number."""
    if not math.isfinite(value):
        return _no_number(value)
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e+" in text and abs(value) < 1e6 else text


def fixed(value: float, places: int) -> str:
    """So many decimal places; words for no number, powers of ten for what is very large."""
    if not math.isfinite(value):
        return _no_number(value)
    return f"{value:.{places}f}" if abs(value) < 1e6 else number(value)


def times(factor: float) -> str:
    """A factor: 1.2, 23, 4,500, 7 × 10⁹; "infinite" beyond numbers, "unknown" for NaN."""
    if not factor >= 1e6 or math.isinf(factor):
        return f"{factor:,.0f}" if 100 <= factor < math.inf else number(factor, 2)
    power = math.floor(math.log10(factor))
    return f"{factor / 10.0**power:.0f} × 10{str(power).translate(SUPERSCRIPTS)}"


def power_of_ten(exponent: float) -> float:
    """10 to a measured power, infinite where that is too large for a number."""
    return 10.0**exponent if not exponent > 300 else math.inf


def _no_number(value: float) -> str:
    """What NaN and the infinities are called."""
    return "unknown" if math.isnan(value) else "infinite" if value > 0 else "minus infinite"
