"""Numbers as Prometheus prints them in the text form of histograms."""

import math
from decimal import Decimal


def format_number(value: float) -> str:
    """Shortest digits that give the same float back; an exponent below 1e-4 and from 1e+06 on (Go's `%g`)."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    negative, digit_tuple, last_exponent = Decimal(repr(float(value))).as_tuple()
    digits = "".join(map(str, digit_tuple)).rstrip("0") or "0"
    exponent = len(digit_tuple) - 1 + int(last_exponent) if value else 0
    if -4 <= exponent < 6:
        text = f"{float(value):.{max(len(digits) - 1 - exponent, 0)}f}"
    else:
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        text = f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return text if text.startswith("-") or not negative else "-" + text
