"""Numbers, durations and strings: their text and their value.

Sources: Go's strconv (ParseInt, ParseFloat, FormatFloat, Quote, Unquote); prometheus/common's model.Duration.
"""

import math
import re
from typing import Final

MAX_DURATION_MS: Final = (2**63 - 1) // 1_000_000
"""Durations are int64 nanoseconds upstream."""

_UNIT_MS: Final = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_MAX_DIGITS: Final = 19
_UNIT_RANK: Final = {unit: rank for rank, unit in enumerate(_UNIT_MS)}
_DURATION_PART: Final = re.compile(r"([0-9]+)([^0-9]+)")


class LiteralError(ValueError):
    """A literal without a value; the message is upstream's."""


def parse_number(text: str) -> float:
    """The value of `1`, `0x1F`, `017` (octal), `1_000`, `1e3`, `.5`, `Inf`, `NaN`. Raises `LiteralError`."""
    try:
        if text[:2] in ("0x", "0X"):
            return float(_int64(int(text, 16)))
        if text[0] == "0" and text.isdigit() and not set(text) & {"8", "9"}:
            return float(_int64(int(text, 8)))
        value = float(text)
    except ValueError:
        raise LiteralError(
            f"error parsing number: strconv.ParseFloat: parsing {quote(text)}: invalid syntax"
        ) from None
    if math.isinf(value) and text.lower() != "inf":
        raise LiteralError(
            f"error parsing number: strconv.ParseFloat: parsing {quote(text)}: value out of range"
        )
    return value


def _int64(value: int) -> int:
    if value >= 2**63:
        raise ValueError("out of range")
    return value


def format_number(value: float) -> str:
    """The shortest decimal that reads back as the value, never with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        return mantissa.removesuffix(".0")
    sign, digits = ("-", mantissa[1:]) if mantissa[0] == "-" else ("", mantissa)
    whole, _, fraction = digits.partition(".")
    point = len(whole) + int(exponent)
    digits = whole + fraction
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits.ljust(point, '0')}"


def parse_duration_ms(text: str) -> int:
    """Milliseconds of `1h30m`. Units stand in descending order, each at most once. Raises `LiteralError`."""
    if text == "0":
        return 0
    total_ms, rank, end = 0, -1, 0
    while match := _DURATION_PART.match(text, end):
        digits, unit = match.groups()
        if len(digits) > _MAX_DIGITS:
            break
        if unit not in _UNIT_MS:
            raise LiteralError(f"unknown unit {quote(unit)} in duration {quote(text)}")
        if _UNIT_RANK[unit] <= rank:
            break
        rank, end = _UNIT_RANK[unit], match.end()
        total_ms += int(digits) * _UNIT_MS[unit]
        if total_ms > MAX_DURATION_MS:
            raise LiteralError("duration out of range")
    if not end or end != len(text):
        raise LiteralError(f"not a valid duration string: {quote(text)}")
    return total_ms


def format_duration_ms(duration_ms: int) -> str:
    """`1h30m`; negative ones with a sign. Whole years and weeks are used only where nothing is left over."""
    if duration_ms == 0:
        return "0s"
    rest_ms = abs(duration_ms)
    parts = ["-"] if duration_ms < 0 else []
    for unit, unit_ms in _UNIT_MS.items():
        count, left_ms = divmod(rest_ms, unit_ms)
        if count and (unit not in ("y", "w") or not left_ms):
            parts.append(f"{count}{unit}")
            rest_ms = left_ms
    return "".join(parts)


_SHORT_ESCAPES: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\",
}  # fmt: skip
_ESCAPE_OF: Final = {char: f"\\{name}" for name, char in _SHORT_ESCAPES.items()} | {'"': '\\"'}
_NUMERIC_ESCAPES: Final = {"x": (2, 16), "u": (4, 16), "U": (8, 16)}
_NEEDS_ESCAPE: Final = re.compile(r'[\\"\x00-\x1f\x7f]|[^\x00-\x7f]')


def quote(text: str) -> str:
    """The text as a double-quoted string literal, as Go's %q; U+FFFD escaped, as a query may not hold it."""
    return f'"{_NEEDS_ESCAPE.sub(_escape, text)}"'


def quote_char(char: str) -> str:
    """A character in single quotes, as Go's %q prints a rune."""
    if char == "'":
        return r"'\''"
    return f"'{char}'" if char == '"' else f"'{quote(char)[1:-1]}'"


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in _ESCAPE_OF:
        return _ESCAPE_OF[char]
    if char.isprintable() and char != "\ufffd":
        return char
    code = ord(char)
    if code < 0x80 or 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code & 0xFF:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def as_utf8(text: str) -> str:
    """The text with U+FFFD for each byte that is not UTF-8."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def unquote(literal: str) -> str:
    r"""The value of a string literal in double or single quotes or backquotes. Raises `LiteralError`.

    Bytes that are not UTF-8, which only `\x` and octal escapes can write, become lone surrogates (PEP 383),
    which `quote` writes as bytes again.
    """
    quote_mark, body = literal[0], literal[1:-1]
    if quote_mark == "`" or "\\" not in body:
        return body
    parts: list[bytes] = []
    end = 0
    while (backslash := body.find("\\", end)) >= 0:
        parts.append(body[end:backslash].encode())
        escaped, end = _unescape(body, backslash + 1, quote_mark)
        parts.append(escaped)
    parts.append(body[end:].encode())
    return b"".join(parts).decode(errors="surrogateescape")


def _unescape(body: str, start: int, quote_mark: str) -> tuple[bytes, int]:
    """The bytes of the escape sequence whose backslash stands before `start`, and where it ends."""
    kind = body[start : start + 1]
    if not kind:
        raise LiteralError("escape sequence not terminated")
    if kind in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[kind].encode(), start + 1
    if kind == quote_mark:
        return kind.encode(), start + 1
    if kind in "01234567":
        length, base = 3, 8
    elif kind in _NUMERIC_ESCAPES:
        length, base = _NUMERIC_ESCAPES[kind]
        start += 1
    else:
        raise LiteralError(f"unknown escape sequence {_describe_char(kind)}")
    digits = body[start : start + length]
    for digit in digits:
        if digit not in "0123456789abcdefABCDEF"[: 8 if base == 8 else None]:
            raise LiteralError(f"illegal character {_describe_char(digit)} in escape sequence")
    if len(digits) < length:
        raise LiteralError("escape sequence not terminated")
    code = int(digits, base)
    if code > (255 if length < 4 else 0x10FFFF) or 0xD800 <= code < 0xE000:
        raise LiteralError("escape sequence is an invalid Unicode code point")
    return (bytes([code]) if length < 4 else chr(code).encode()), start + length


def _describe_char(char: str) -> str:
    shown = f" '{char}'" if char.isprintable() else ""
    return f"U+{ord(char):04X}{shown}"
