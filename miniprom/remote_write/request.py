"""Remote write 1.0 requests: snappy and protobuf to samples.

    WriteRequest { repeated TimeSeries timeseries = 1; repeated MetricMetadata metadata = 3; }
    TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2;
                   repeated Exemplar exemplars = 3; repeated Histogram histograms = 4; }
    Label        { string name = 1; string value = 2; }
    Sample       { double value = 1; int64 timestamp = 2; }

Senders repeat the labels of a series byte for byte in every request, so a series is known by these bytes.
"""

from functools import lru_cache
from typing import Final

from collector.protobuf.wire import WireError, fields, signed, varint
from miniprom.errors import MinipromError
from miniprom.remote_write.batch import Gathering, WriteBatch
from miniprom.remote_write.histogram import decode_histogram
from miniprom.remote_write.uniform import decode_uniform
from tsdb import METRIC_NAME, Labels, labels_from
from tsdb.histogram import FloatHistogram

_MAX_DECODED_BYTES: Final = 64 << 20
_ZERO: Final = bytes(8)
_TIME_TAG: Final = 0x10
_VALUE_TAG: Final = 0x09
_CONTENT_BYTES: Final = 16  # of a Sample: tag and double, tag and a varint of six bytes


class BadLabelsError(MinipromError):
    """Labels of a series that no series can have."""


def decompress(body: bytes) -> bytes:
    """The content of a snappy block. Raises `WireError`, also when there is too much of it."""
    import cramjam  # noqa: PLC0415  1.5 MB that servers without remote writers do without

    try:
        size, _ = varint(body, 0)
        if size > _MAX_DECODED_BYTES:
            raise WireError(f"snappy: decoded block is too large: {size} bytes")
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise WireError("snappy: corrupt input") from error


def decode(body: bytes) -> WriteBatch:
    """The samples of a WriteRequest. Raises `WireError`."""
    return decode_uniform(body) or decode_by_field(body)


def decode_by_field(body: bytes) -> WriteBatch:
    """The same, whatever its form."""
    gathering = Gathering()
    for number, start, end in fields(body, 0, len(body)):
        if number == 1:
            _decode_series(body, start, end, gathering)
    return gathering.batch()


def decode_labels(raw: bytes) -> Labels:
    """The labels of a series. Raises `BadLabelsError`, `WireError`."""
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


@lru_cache(maxsize=1024)  # the samples of a request share a few times
def _whole_varint(raw: bytes) -> int | None:
    """The number that takes up all of `raw`, None if something follows it."""
    number, end = varint(raw, 0)
    return number if end == len(raw) else None


def _labels(raw: bytes) -> list[dict[int, bytes]]:
    """The fields of each Label, by number."""
    return [
        {number: raw[begin:stop] for number, begin, stop in fields(raw, start, end)}
        for _, start, end in fields(raw, 0, len(raw))
    ]


def _decode_series(body: bytes, start: int, end: int, gathering: Gathering) -> None:
    labels: list[bytes] = []
    samples: list[tuple[bytes, int]] = []
    histograms: list[tuple[int, FloatHistogram]] = []
    position = start
    for number, begin, stop in fields(body, start, end):
        if number == 1:
            labels.append(body[position:stop])
        elif number == 2:
            samples.append(decode_sample(body, begin, stop))
        elif number == 4:
            histograms.append(decode_histogram(body, begin, stop))
        position = stop
    gathering.add(b"".join(labels), samples, histograms)


def decode_sample(body: bytes, start: int, end: int) -> tuple[bytes, int]:
    """Value and time in milliseconds. Raises `WireError`."""
    if end - start == _CONTENT_BYTES and body[start] == _VALUE_TAG and body[start + 9] == _TIME_TAG:
        whole_ms = _whole_varint(body[start + 10 : end])
        if whole_ms is not None:
            return body[start + 1 : start + 9], whole_ms
    value, time_ms = _ZERO, 0
    for number, begin, stop in fields(body, start, end):
        if number == 1:
            value = body[begin:stop]
        elif number == 2:
            time_ms = varint(body, begin)[0]
    if len(value) != len(_ZERO):
        raise WireError("proto: a sample's value is not a double")
    return value, signed(time_ms)
