"""Numbers as Prometheus's API prints them (upstream util/jsonutil), a whole array at a time."""

import math
from decimal import Decimal

import msgspec
import numpy as np

from tsdb.sample import BoolArray, FloatArray, IntArray

_SMALL = 2.0**32
_ZERO = ord("0")


def go_float(value: float) -> str:
    """One float: shortest digits that read back the same, plain from 1e-6 up to 1e21, else with an exponent.

    That is Go's `strconv.FormatFloat(value, 'f' or 'e', -1, 64)`.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text and 1e-6 <= abs(value) < 1e21:
        return _without_exponent(text)
    return text.removesuffix(".0")


def plain_float(value: float) -> str:
    """`go_float`, but never with an exponent: what upstream prints scalars as."""
    text = go_float(value)
    return _without_exponent(text) if "e" in text else text


def exponential(value: float) -> str:
    """`1e+00`, `5.5e-01`: upstream prints the values of alerts with Go's FormatFloat(value, "e", -1, 64)."""
    if not math.isfinite(value):
        return go_float(value)
    digits, _, exponent = f"{Decimal(repr(value)).normalize():e}".partition("e")
    return f"{digits}e{int(exponent):+03d}"


def format_floats(values: FloatArray) -> list[bytes]:
    """`go_float` of every element, in C order.

    msgspec prints shortest digits, but switches to exponents earlier than Go does and has no word for
    NaN and infinities: those few are printed one by one.
    """
    flat = values.ravel()
    if not flat.size:
        return []
    texts = (msgspec.json.encode(flat.tolist())[1:-1] + b",").replace(b".0,", b",").split(b",")
    texts.pop()
    with np.errstate(invalid="ignore"):
        magnitudes = np.abs(flat)
        plain = ((magnitudes >= 1e-5) & (magnitudes < 1e16)) | (magnitudes == 0)
    if not plain.all():
        for position in np.flatnonzero(~plain).tolist():
            texts[position] = go_float(float(flat[position])).encode()
    return texts


def interleaved_whole_numbers(
    texts: list[bytes], values: FloatArray, present: BoolArray | None = None
) -> list[bytes] | None:
    """`texts[0]`, `values[row, 0]`, `texts[1]`, ... joined, of each row; None unless all are whole and small.

    Counters are. Digits are made for all values at once, a column of bytes a digit, without an object a
    value. Where `present[row, column]` is False both are left out.
    """
    if not values.size or not (np.abs(values) < _SMALL).all() or np.signbit(values).any():
        return None
    left = values.astype(np.uint32)
    if (left != values).any():
        return None
    before = np.array(texts)
    width, digits = before.itemsize, len(str(int(left.max())))
    cells = np.empty((*values.shape, width + digits), dtype=np.uint8)
    cells[:, :, :width] = before.view(np.uint8).reshape(len(texts), width)
    for place in range(width + digits - 1, width - 1, -1):
        tens = left // 10
        digit = (left - 10 * tens).astype(np.uint8)
        digit += _ZERO
        if place < width + digits - 1:
            digit[left == 0] = 0
        cells[:, :, place] = digit
        left = tens
    if present is not None:
        cells[~present] = 0
    return [row.tobytes().translate(None, b"\0") for row in cells]


def format_timestamps(timestamps_ms: IntArray) -> list[bytes]:
    """Milliseconds as seconds: `1435781451`, `1435781451.781`, `-0.250`."""
    seconds, fractions = np.divmod(timestamps_ms, 1000)
    if fractions.any() or not len(seconds):
        return [_seconds(time_ms) for time_ms in timestamps_ms.tolist()]
    return msgspec.json.encode(seconds.tolist())[1:-1].split(b",")


def _seconds(time_ms: int) -> bytes:
    seconds, fraction = divmod(abs(time_ms), 1000)
    sign = b"-" if time_ms < 0 else b""
    return b"%b%d.%03d" % (sign, seconds, fraction) if fraction else b"%b%d" % (sign, seconds)


def _without_exponent(text: str) -> str:
    digits, _, exponent = text.partition("e")
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    whole, _, fraction = digits.partition(".")
    shift = int(exponent)
    if shift < 0:
        return f"{sign}0.{'0' * (-shift - 1)}{whole}{fraction}"
    return sign + whole + fraction.ljust(shift, "0")
