"""Remote write 1.0 requests: snappy and protobuf to flat lists of samples.

    WriteRequest { repeated TimeSeries timeseries = 1; repeated MetricMetadata metadata = 3; }
    TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2;
                   repeated Exemplar exemplars = 3; repeated Histogram histograms = 4; }
    Label        { string name = 1; string value = 2; }
    Sample       { double value = 1; int64 timestamp = 2; }

Senders repeat the labels of a series byte for byte in every request, so a series is known by these
bytes. One with a single sample, which is what Prometheus sends, ends with 18 bytes of known layout:
if the bytes before them are those of a known series, nothing else needs to be read.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Final

import cramjam

from miniprom.errors import MinipromError
from tsdb import METRIC_NAME, Labels, labels_from

_MAX_DECODED_BYTES: Final = 64 << 20
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_ZERO: Final = bytes(8)
# A Sample inside its TimeSeries: tag and length 16; tag and double; tag and a varint of six bytes, which a
# time between 1971 and 2109 takes.
_SAMPLE_BYTES: Final = 18
_SAMPLE_HEAD: Final = b"\x12\x10\x09"
_TIME_TAG: Final = 0x10


class BadWriteRequestError(MinipromError):
    """A body that is not a write request."""


class BadLabelsError(MinipromError):
    """Labels of a series that no series can have."""


@dataclass
class WriteBatch:
    """The samples of one request, in its order: those of one series ascend if the sender kept the rules.

    `series` holds the raw labels of each sample's series; `values` float64 in little-endian bytes, because
    a staleness marker is told by its bits.
    """

    series: list[bytes] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    timestamps_ms: list[int] = field(default_factory=list)
    histograms: int = 0


def decompress(body: bytes) -> bytes:
    """The content of a snappy block. Raises `BadWriteRequestError`, also when there is too much of it."""
    try:
        size, _ = _varint(body, 0)
        if size > _MAX_DECODED_BYTES:
            raise BadWriteRequestError(f"snappy: decoded block is too large: {size} bytes")
        return bytes(cramjam.snappy.decompress_raw(body))
    except (IndexError, cramjam.DecompressionError) as error:
        raise BadWriteRequestError("snappy: corrupt input") from error


def decode(body: bytes, known: Container[bytes]) -> WriteBatch:
    """The samples of a WriteRequest; `known` holds the raw labels read before.

    Raises `BadWriteRequestError`.
    """
    batch = WriteBatch()
    times: dict[bytes, int] = {}
    try:
        for number, start, end in _fields(body, 0, len(body)):
            if number != 1:
                continue
            tail = end - _SAMPLE_BYTES
            labels = body[start:tail]
            if labels in known and body[tail : tail + 3] == _SAMPLE_HEAD and body[tail + 11] == _TIME_TAG:
                raw_time = body[tail + 12 : end]
                time_ms = times.get(raw_time)
                if time_ms is None:
                    time_ms = times[raw_time] = _varint(raw_time, 0)[0]
                batch.series.append(labels)
                batch.values.append(body[tail + 3 : tail + 11])
                batch.timestamps_ms.append(time_ms)
            else:
                _decode_series(body, start, end, batch)
    except IndexError as error:
        raise BadWriteRequestError("proto: unexpected EOF") from error
    return batch


def decode_labels(raw: bytes) -> Labels:
    """The labels of a series. Raises `BadLabelsError`, `BadWriteRequestError`."""
    pairs: dict[str, str] = {}
    for label in _labels(raw):
        try:
            name, value = label.get(1, b"").decode(), label.get(2, b"").decode()
        except UnicodeDecodeError as error:
            raise BadLabelsError(f"a label is not UTF-8: {label}") from error
        if not name or name in pairs:
            raise BadLabelsError(f"label name {name!r} is {'given twice' if name else 'not a name'}")
        pairs[name] = value
    if not pairs.get(METRIC_NAME):
        raise BadLabelsError(f"no metric name in {pairs}")
    return labels_from(pairs)


def _labels(raw: bytes) -> list[dict[int, bytes]]:
    """The fields of each Label, by number."""
    try:
        return [
            {number: raw[begin:stop] for number, begin, stop in _fields(raw, start, end)}
            for _, start, end in _fields(raw, 0, len(raw))
        ]
    except IndexError as error:
        raise BadWriteRequestError("proto: unexpected EOF") from error


def _decode_series(body: bytes, start: int, end: int, batch: WriteBatch) -> None:
    labels = []
    samples = []
    position = start
    for number, begin, stop in _fields(body, start, end):
        if number == 1:
            labels.append(body[position:stop])
        elif number == 2:
            samples.append(_sample(body, begin, stop))
        elif number == 4:
            batch.histograms += 1
        position = stop
    raw_labels = b"".join(labels)
    for value, time_ms in samples:
        batch.series.append(raw_labels)
        batch.values.append(value)
        batch.timestamps_ms.append(time_ms)


def _sample(body: bytes, start: int, end: int) -> tuple[bytes, int]:
    value, time_ms = _ZERO, 0
    for number, begin, stop in _fields(body, start, end):
        if number == 1:
            value = body[begin:stop]
        elif number == 2:
            time_ms = _varint(body, begin)[0]
    if len(value) != len(_ZERO):
        raise BadWriteRequestError("proto: a sample's value is not a double")
    return value, time_ms - (1 << 64) if time_ms >> 63 else time_ms


def _fields(body: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number and content bounds of each field. Raises `IndexError` where the message is cut short."""
    while position < end:
        tag = body[position]
        position += 1
        if tag > 0x7F:
            tag, position = _varint(body, position - 1)
        kind = tag & 7
        start = position
        if kind == _BYTES:
            length = body[position]
            start = position + 1
            if length > 0x7F:
                length, start = _varint(body, position)
            position = start + length
        elif kind == _VARINT:
            _, position = _varint(body, position)
        elif kind in (_FIXED64, _FIXED32):
            position += 8 if kind == _FIXED64 else 4
        else:
            raise BadWriteRequestError(f"proto: illegal wireType {kind}")
        if position > end:
            raise IndexError(position)
        yield tag >> 3, start, position


def _varint(body: bytes, position: int) -> tuple[int, int]:
    """The number at `position`, and where it ends."""
    number = shift = 0
    while (byte := body[position]) > 0x7F:
        number |= (byte & 0x7F) << shift
        shift += 7
        position += 1
        if shift > 63:
            raise BadWriteRequestError("proto: integer overflow")
    return number | byte << shift, position + 1
