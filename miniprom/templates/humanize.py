"""Numbers for people. Sources: upstream's template/template.go, prometheus/common's helpers/templates."""

import math
from typing import Any, Final

from miniprom.templates.errors import FunctionError
from miniprom.templates.formatting import sprintf
from miniprom.templates.times import Duration, Time
from miniprom.templates.values import type_name
from query.language.literals import quote

_LARGE: Final = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_LARGE_1024: Final = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_SMALL: Final = ("m", "u", "n", "p", "f", "a", "z", "y")


def to_float(value: Any) -> float:
    """A number, a number's text or a duration as a number (of seconds). Raises `FunctionError`."""
    match value:
        case bool():
            pass
        case int() | float():
            return float(value)
        case Duration():
            return value.nanoseconds / 1e9
        case str():
            return _parsed(value)
    shown = "<nil>" if value is None else type_name(value)
    raise FunctionError(f"can't convert {shown} to float")


def _parsed(text: str) -> float:
    try:
        if not text or text != text.strip() or not text.isascii():
            raise ValueError
        value = float(text)
    except ValueError:
        raise FunctionError(f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax") from None
    if math.isinf(value) and "inf" not in text.lower():
        raise FunctionError(f"strconv.ParseFloat: parsing {quote(text)}: value out of range")
    return value


def humanize(number: Any) -> str:
    """`1.235M`, `120m`"""
    value = to_float(number)
    if value == 0 or not math.isfinite(value):
        return _short(value)
    value, prefix = _scaled_down(value, 1000, _LARGE) if abs(value) >= 1 else _scaled_up(value)
    return _short(value) + prefix


def humanize_1024(number: Any) -> str:
    """`1.5Mi`"""
    value = to_float(number)
    if abs(value) <= 1 or not math.isfinite(value):
        return _short(value)
    value, prefix = _scaled_down(value, 1024, _LARGE_1024)
    return _short(value) + prefix


def humanize_percentage(number: Any) -> str:
    """`12.35%` of a ratio of 0.12345."""
    return _short(to_float(number) * 100) + "%"


def humanize_duration(number: Any) -> str:
    """`1d 2h 3m 4s`, `1.234s`, `123.5ms` of seconds."""
    value = to_float(number)
    if not math.isfinite(value):
        return _short(value)
    if value == 0:
        return _short(value) + "s"
    if abs(value) < 1:
        value, prefix = _scaled_up(value)
        return f"{_short(value)}{prefix}s"
    sign, value = ("-", -value) if value < 0 else ("", value)
    minutes, seconds = divmod(int(value), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{_short(value)}s"


def humanize_timestamp(number: Any) -> str:
    """`2015-06-23 13:19:44.128 +0000 UTC`"""
    value = to_float(number)
    return str(to_time(value)) if math.isfinite(value) else _short(value)


def to_time(number: Any) -> Time:
    """The time of a Unix timestamp in seconds, cut to the millisecond. Raises `FunctionError`."""
    value = to_float(number)
    if not math.isfinite(value):
        raise FunctionError("value is NaN or Inf")
    nanoseconds = value * 1e9
    if not -(2**63) <= nanoseconds < 2**63:
        shown = sprintf("%v", [value])
        raise FunctionError(
            f"{shown} cannot be represented as a nanoseconds timestamp since it overflows int64"
        )
    milliseconds = abs(int(nanoseconds)) // 1_000_000
    return Time((-milliseconds if nanoseconds < 0 else milliseconds) * 1_000_000)


def to_duration(number: Any) -> Duration:
    """The duration of seconds. Raises `FunctionError`."""
    nanoseconds = to_float(number) * 1e9
    if not -(2**63) <= nanoseconds < 2**63:
        raise FunctionError(f"{sprintf('%v', [nanoseconds])} nanoseconds are no duration")
    return Duration(int(nanoseconds))


def _short(value: float) -> str:
    return sprintf("%.4g", [value])


def _scaled_down(value: float, base: int, prefixes: tuple[str, ...]) -> tuple[float, str]:
    prefix = ""
    for larger in prefixes:
        if abs(value) < base:
            break
        value, prefix = value / base, larger
    return value, prefix


def _scaled_up(value: float) -> tuple[float, str]:
    prefix = ""
    for smaller in _SMALL:
        if abs(value) >= 1:
            break
        value, prefix = value * 1000, smaller
    return value, prefix
