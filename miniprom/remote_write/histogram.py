"""Native histograms of remote write 1.0.

    Histogram  { oneof count { uint64 count_int = 1; double count_float = 2; } double sum = 3;
                 sint32 schema = 4; double zero_threshold = 5;
                 oneof zero_count { uint64 zero_count_int = 6; double zero_count_float = 7; }
                 repeated BucketSpan negative_spans = 8; repeated sint64 negative_deltas = 9;
                 repeated double negative_counts = 10;
                 repeated BucketSpan positive_spans = 11; repeated sint64 positive_deltas = 12;
                 repeated double positive_counts = 13;
                 ResetHint reset_hint = 14; int64 timestamp = 15; repeated double custom_values = 16; }
    BucketSpan { sint32 offset = 1; uint32 length = 2; }

A span begins `offset` buckets behind the end of the one before, the first at that index. Counts are
given as such (float histograms), or each as the difference from the one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

import numpy as np

from miniprom.remote_write.wire import (
    WireError,
    double,
    fields,
    packed_doubles,
    packed_varints,
    signed,
    varint,
    zigzag,
)
from tsdb.histogram import CUSTOM_BUCKETS, MAX_SCHEMA, MIN_SCHEMA, Buckets, CounterReset, FloatHistogram

_RESET_HINTS: Final = (CounterReset.UNKNOWN, CounterReset.RESET, CounterReset.NOT_RESET, CounterReset.GAUGE)
_MAX_BUCKETS: Final = 1 << 16
_MAX_INDEX: Final = 1 << 31


@dataclass
class _Side:
    """One side as it is sent."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    counts: Sequence[float] = ()

    def buckets(self) -> Buckets:
        """Raises `WireError` if spans and counts don't fit."""
        length = sum(length for _, length in self.spans)
        if length != len(self.counts) or length > _MAX_BUCKETS:
            raise WireError(f"histogram: spans need {length} buckets, have {len(self.counts)} buckets")
        indexes: list[int] = []
        position = 0
        for offset, count in self.spans:
            position += offset
            if abs(position) > _MAX_INDEX:
                raise WireError(f"histogram: bucket index {position} is out of range")
            indexes.extend(range(position, position + count))
            position += count
        return Buckets(np.array(indexes, dtype=np.int64), np.array(self.counts, dtype=np.float64))


def decode_histogram(body: bytes, start: int, end: int) -> tuple[int, FloatHistogram]:
    """Time in milliseconds, and the histogram. Raises `WireError`."""
    numbers = dict.fromkeys(range(17), 0)
    doubles = dict.fromkeys(range(17), 0.0)
    negative, positive = _Side(), _Side()
    custom_values: tuple[float, ...] = ()
    for number, begin, stop in fields(body, start, end):
        side = negative if number < 11 else positive
        match number:
            case 1 | 4 | 6 | 14 | 15:
                numbers[number], _ = varint(body, begin)
            case 2 | 3 | 5 | 7:
                doubles[number] = double(body, begin, stop)
            case 8 | 11:
                side.spans.append(_span(body, begin, stop))
            case 9 | 12:
                side.counts = list(accumulate(map(zigzag, packed_varints(body, begin, stop))))
            case 10 | 13:
                side.counts = packed_doubles(body, begin, stop).tolist()
            case 16:
                custom_values = tuple(packed_doubles(body, begin, stop).tolist())
    schema = zigzag(numbers[4])
    if schema != CUSTOM_BUCKETS and not MIN_SCHEMA <= schema <= MAX_SCHEMA:
        raise WireError(f"histogram: unknown schema {schema}")
    return signed(numbers[15]), FloatHistogram(
        schema=schema,
        count=doubles[2] or float(numbers[1]),
        sum=doubles[3],
        zero_threshold=doubles[5],
        zero_count=doubles[7] or float(numbers[6]),
        positive=positive.buckets(),
        negative=negative.buckets(),
        custom_values=custom_values,
        counter_reset_hint=_RESET_HINTS[numbers[14] if numbers[14] < len(_RESET_HINTS) else 0],
    )


def _span(body: bytes, start: int, end: int) -> tuple[int, int]:
    numbers = {number: varint(body, begin)[0] for number, begin, _ in fields(body, start, end)}
    return zigzag(numbers.get(1, 0)), numbers.get(2, 0)
