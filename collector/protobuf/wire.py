"""Reading protobuf by hand: fields and their bounds, nothing is copied until it is wanted.

Source: protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from collector.errors import CollectorError
from tsdb.sample import FloatArray

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5


class WireError(CollectorError):
    """A body that is not the message it should be."""


def fields(body: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number and content bounds of each field of the message in `body[position:end]`. Raises `WireError`."""
    try:
        while position < end:
            tag = body[position]
            position += 1
            if tag > 0x7F:
                tag, position = varint(body, position - 1)
            kind = tag & 7
            start = position
            if kind == BYTES:
                length = body[position]
                start = position + 1
                if length > 0x7F:
                    length, start = varint(body, position)
                position = start + length
            elif kind == VARINT:
                _, position = varint(body, position)
            elif kind in (FIXED64, FIXED32):
                position += 8 if kind == FIXED64 else 4
            else:
                raise WireError(f"proto: illegal wireType {kind}")
            if position > end:
                raise WireError("proto: unexpected EOF")
            yield tag >> 3, start, position
    except IndexError as error:
        raise WireError("proto: unexpected EOF") from error


def varint(body: bytes, position: int) -> tuple[int, int]:
    """The number at `position`, and where it ends. Raises `WireError`."""
    number = shift = 0
    try:
        while (byte := body[position]) > 0x7F:
            number |= (byte & 0x7F) << shift
            shift += 7
            position += 1
            if shift > 63:
                raise WireError("proto: integer overflow")
    except IndexError as error:
        raise WireError("proto: unexpected EOF") from error
    if shift == 63 and byte > 1:
        raise WireError("proto: integer overflow")
    return number | byte << shift, position + 1


def write_varint(number: int) -> bytes:
    """A number as `varint` reads it."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def signed(number: int) -> int:
    """An int64 from the varint that holds its two's complement."""
    return number - (1 << 64) if number >> 63 else number


def zigzag(number: int) -> int:
    """A sint from the varint that holds it."""
    return (number >> 1) ^ -(number & 1)


def packed_varints(body: bytes, start: int, end: int) -> list[int]:
    """The numbers of a packed field. Raises `WireError`."""
    numbers = []
    while start < end:
        number, start = varint(body, start)
        numbers.append(number)
    return numbers


def packed_doubles(body: bytes, start: int, end: int) -> FloatArray:
    """The numbers of a packed field. Raises `WireError`."""
    if (end - start) % 8:
        raise WireError("proto: a packed field of doubles is cut short")
    return np.frombuffer(body, dtype="<f8", count=(end - start) // 8, offset=start).astype(np.float64)


def double(body: bytes, start: int, end: int) -> float:
    """A double. Raises `WireError` where the field is of another type."""
    if end - start != 8:
        raise WireError("proto: a double has eight bytes")
    return float(packed_doubles(body, start, end)[0])
