"""The protobuf format: delimited io.prometheus.client.MetricFamily messages.

    MetricFamily { string name = 1; string help = 2; MetricType type = 3; repeated Metric metric = 4;
                   string unit = 5; }
    Metric       { repeated LabelPair label = 1; Gauge gauge = 2; Counter counter = 3; Summary summary = 4;
                   Untyped untyped = 5; int64 timestamp_ms = 6; Histogram histogram = 7; }
    LabelPair    { string name = 1; string value = 2; }
    Gauge, Counter, Untyped { double value = 1; }
    Summary      { uint64 sample_count = 1; double sample_sum = 2; repeated Quantile quantile = 3; }
    Quantile     { double quantile = 1; double value = 2; }
    Histogram    { repeated Bucket bucket = 3; and see _ROLES }
    Bucket       { uint64 cumulative_count = 1; double upper_bound = 2; double cumulative_count_float = 4; }

Exemplars and created timestamps are not read. Upstream: model/textparse/protobufparse.go.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from collector.exposition.changes import NO_TIMESTAMP
from collector.exposition.model import Metadata, MetricType
from collector.exposition.numbers import canonical_bound
from collector.protobuf.histogram import NativeFields, Role, read_fields
from collector.protobuf.wire import WireError, double, fields, signed, varint
from tsdb import METRIC_NAME, Labels, labels_from
from tsdb.histogram import CounterReset, FloatHistogram
from tsdb.numbers import format_number

_TYPES: Final = (
    MetricType.COUNTER,
    MetricType.GAUGE,
    MetricType.SUMMARY,
    MetricType.UNKNOWN,
    MetricType.HISTOGRAM,
    MetricType.GAUGE_HISTOGRAM,
)
_ROLES: Final = {
    1: Role.COUNT,
    4: Role.COUNT_FLOAT,
    2: Role.SUM,
    5: Role.SCHEMA,
    6: Role.ZERO_THRESHOLD,
    7: Role.ZERO_COUNT,
    8: Role.ZERO_COUNT_FLOAT,
    9: Role.NEGATIVE_SPAN,
    10: Role.NEGATIVE_DELTAS,
    11: Role.NEGATIVE_COUNTS,
    12: Role.POSITIVE_SPAN,
    13: Role.POSITIVE_DELTAS,
    14: Role.POSITIVE_COUNTS,
}
# The field of a metric that holds its value, for the types that have a single one.
_VALUE_FIELDS: Final = {MetricType.GAUGE: 2, MetricType.COUNTER: 3, MetricType.UNKNOWN: 5}
_BUCKET_FIELD: Final = 3


@dataclass(frozen=True, slots=True)
class SeriesText:
    """What a series' labels are made of: they are decoded only for a series not seen before."""

    name: str
    raw_labels: tuple[bytes, ...]
    bound_label: str = ""
    bound: float = 0.0

    def key(self) -> bytes:
        """Bytes that no other series has."""
        head = f"{self.name}\xff{self.bound_label}\xff".encode()
        return head + struct.pack("<d", self.bound) + b"\xff".join(self.raw_labels)

    def labels(self) -> Labels:
        """Raises `WireError` for labels that are no UTF-8."""
        pairs = {METRIC_NAME: self.name}
        for raw in self.raw_labels:
            found = {number: _text(raw, begin, stop) for number, begin, stop in fields(raw, 0, len(raw))}
            pairs[found.get(1, "")] = found.get(2, "")
        if self.bound_label:
            pairs[self.bound_label] = canonical_bound(format_number(self.bound))
        return labels_from(pairs)


@dataclass
class Reading:
    """A body's samples, in its order; `histograms[position]` stands where the value is a native histogram."""

    series: list[SeriesText] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    timestamps_ms: list[int] = field(default_factory=list)
    histograms: dict[int, FloatHistogram] = field(default_factory=dict)
    metadata: dict[str, Metadata] = field(default_factory=dict)

    def add(self, series: SeriesText, value: float, timestamp_ms: int) -> None:
        self.series.append(series)
        self.values.append(value)
        self.timestamps_ms.append(timestamp_ms)


def read_body(body: bytes, *, native: bool, with_classic: bool) -> Reading:
    """All families. Raises `WireError`.

    Without `native`, the native part of histograms is not looked at; `with_classic` keeps the classic part of
    those that have both.
    """
    reading = Reading()
    position = 0
    while position < len(body):
        length, position = varint(body, position)
        end = position + length
        if end > len(body):
            raise WireError("proto: unexpected EOF")
        _Family(body, reading, native, with_classic).read(position, end)
        position = end
    return reading


class _Family:
    """Reads one family into a `Reading`."""

    def __init__(self, body: bytes, reading: Reading, native: bool, with_classic: bool) -> None:
        self._body = body
        self._reading = reading
        self._native = native
        self._with_classic = with_classic
        self._name = ""
        self._type = MetricType.COUNTER

    def read(self, start: int, end: int) -> None:
        body = self._body
        described = {"help": "", "unit": ""}
        code = 0
        metrics: list[tuple[int, int]] = []
        for number, begin, stop in fields(body, start, end):
            match number:
                case 1:
                    self._name = _text(body, begin, stop)
                case 2:
                    described["help"] = _text(body, begin, stop)
                case 3:
                    code, _ = varint(body, begin)
                case 4:
                    metrics.append((begin, stop))
                case 5:
                    described["unit"] = _text(body, begin, stop)
        if not metrics:
            return
        if not self._name:
            raise WireError("a metric family has no name")
        if code >= len(_TYPES):
            raise WireError(f'unknown metric type for metric "{self._name}": {code}')
        self._type = _TYPES[code]
        self._reading.metadata[self._name] = Metadata(self._type, **described)
        for begin, stop in metrics:
            self._metric(begin, stop)

    def _metric(self, start: int, end: int) -> None:
        body = self._body
        labels: list[bytes] = []
        contents: dict[int, tuple[int, int]] = {}
        timestamp_ms = NO_TIMESTAMP
        for number, begin, stop in fields(body, start, end):
            if number == 1:
                labels.append(body[begin:stop])
            elif number == 6:
                # As upstream: no time and the time 0 can't be told apart.
                timestamp_ms = signed(varint(body, begin)[0]) or NO_TIMESTAMP
            else:
                contents[number] = (begin, stop)
        raw_labels = tuple(labels)
        if self._type is MetricType.SUMMARY:
            self._summary(raw_labels, timestamp_ms, *contents.get(4, (0, 0)))
        elif self._type in (MetricType.HISTOGRAM, MetricType.GAUGE_HISTOGRAM):
            self._histogram(raw_labels, timestamp_ms, *contents.get(7, (0, 0)))
        else:
            start, end = contents.get(_VALUE_FIELDS[self._type], (0, 0))
            value = _doubles(body, start, end).get(1, 0.0)
            self._reading.add(SeriesText(self._name, raw_labels), value, timestamp_ms)

    def _summary(self, raw_labels: tuple[bytes, ...], timestamp_ms: int, start: int, end: int) -> None:
        body, add = self._body, self._reading.add
        count = total = 0.0
        quantiles: list[tuple[float, float]] = []
        for number, begin, stop in fields(body, start, end):
            if number == 1:
                count = float(varint(body, begin)[0])
            elif number == 2:
                total = double(body, begin, stop)
            elif number == 3:
                found = _doubles(body, begin, stop)
                quantiles.append((found.get(1, 0.0), found.get(2, 0.0)))
        add(SeriesText(f"{self._name}_count", raw_labels), count, timestamp_ms)
        add(SeriesText(f"{self._name}_sum", raw_labels), total, timestamp_ms)
        for quantile, value in quantiles:
            add(SeriesText(self._name, raw_labels, "quantile", quantile), value, timestamp_ms)

    def _histogram(self, raw_labels: tuple[bytes, ...], timestamp_ms: int, start: int, end: int) -> None:
        read = read_fields(self._body, start, end, _ROLES)
        if self._native and read.is_native:
            is_gauge = self._type is MetricType.GAUGE_HISTOGRAM
            hint = CounterReset.GAUGE if is_gauge else CounterReset.UNKNOWN
            reading = self._reading
            reading.histograms[len(reading.series)] = read.histogram((), hint).compact()
            reading.add(SeriesText(self._name, raw_labels), math.nan, timestamp_ms)
            has_buckets = any(number == _BUCKET_FIELD for number, _, _ in read.others)
            if not (self._with_classic and has_buckets):
                return
        self._classic(raw_labels, timestamp_ms, read)

    def _classic(self, raw_labels: tuple[bytes, ...], timestamp_ms: int, read: NativeFields) -> None:
        add = self._reading.add
        add(SeriesText(f"{self._name}_count", raw_labels), read.count, timestamp_ms)
        add(SeriesText(f"{self._name}_sum", raw_labels), read.sum, timestamp_ms)
        for bound, count in self._buckets(read):
            add(SeriesText(f"{self._name}_bucket", raw_labels, "le", bound), count, timestamp_ms)
            if bound == math.inf:
                return
        add(SeriesText(f"{self._name}_bucket", raw_labels, "le", math.inf), read.count, timestamp_ms)

    def _buckets(self, read: NativeFields) -> Iterator[tuple[float, float]]:
        """Upper bounds and cumulative counts, as they are sent."""
        body = self._body
        for number, start, end in read.others:
            if number != _BUCKET_FIELD:
                continue
            bound = count = count_float = 0.0
            for part, begin, stop in fields(body, start, end):
                if part == 1:
                    count = float(varint(body, begin)[0])
                elif part == 2:
                    bound = double(body, begin, stop)
                elif part == 4:
                    count_float = double(body, begin, stop)
            yield bound, count_float or count


def _doubles(body: bytes, start: int, end: int) -> dict[int, float]:
    """The fields of a message that are doubles, by number."""
    return {
        number: double(body, begin, stop)
        for number, begin, stop in fields(body, start, end)
        if stop - begin == 8 and number <= 2
    }


def _text(body: bytes, start: int, end: int) -> str:
    try:
        return body[start:end].decode()
    except UnicodeDecodeError as error:
        raise WireError(f"invalid UTF-8 in {body[start:end][:50]!r}") from error
