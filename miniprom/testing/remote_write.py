"""Samples as a remote write 1.0 request, for servers that have no control API.

WriteRequest { repeated TimeSeries timeseries = 1; }
TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2; }
Label        { string name = 1; string value = 2; }
Sample       { double value = 1; int64 timestamp = 2; }
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

HEADERS: Final = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
Rows = Sequence[tuple[int, float]]
"""Time in milliseconds and value, in the order of time."""


def write_request(series: Iterable[tuple[Mapping[str, str], Rows]]) -> bytes:
    """The body of a request."""
    import cramjam  # noqa: PLC0415  only tests against real servers need it

    body = b"".join(_message(1, _time_series(labels, rows)) for labels, rows in series)
    return bytes(cramjam.snappy.compress_raw(body))


def _time_series(labels: Mapping[str, str], rows: Rows) -> bytes:
    parts = [_message(1, _label(name, labels[name])) for name in sorted(labels)]
    parts += [
        _message(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(time)) for time, value in rows
    ]
    return b"".join(parts)


def _label(name: str, value: str) -> bytes:
    return _message(1, name.encode()) + _message(2, value.encode())


def _message(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are written as their two's complement
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
