"""Native histograms of remote write.

Histogram  { oneof count { uint64 count_int = 1; double count_float = 2; } double sum = 3;
sint32 schema = 4; double zero_threshold = 5;
oneof zero_count { uint64 zero_count_int = 6; double zero_count_float = 7; }
repeated BucketSpan negative_spans = 8; repeated sint64 negative_deltas = 9;
repeated double negative_counts = 10;
repeated BucketSpan positive_spans = 11; repeated sint64 positive_deltas = 12;
repeated double positive_counts = 13;
ResetHint reset_hint = 14; int64 timestamp = 15; repeated double custom_values = 16; }
"""

from typing import Final

from collector.protobuf.histogram import Role, read_fields
from collector.protobuf.wire import packed_doubles, signed, varint
from tsdb.histogram import CounterReset, FloatHistogram

_ROLES: Final = {
    1: Role.COUNT,
    2: Role.COUNT_FLOAT,
    3: Role.SUM,
    4: Role.SCHEMA,
    5: Role.ZERO_THRESHOLD,
    6: Role.ZERO_COUNT,
    7: Role.ZERO_COUNT_FLOAT,
    8: Role.NEGATIVE_SPAN,
    9: Role.NEGATIVE_DELTAS,
    10: Role.NEGATIVE_COUNTS,
    11: Role.POSITIVE_SPAN,
    12: Role.POSITIVE_DELTAS,
    13: Role.POSITIVE_COUNTS,
}
_RESET_HINTS: Final = (CounterReset.UNKNOWN, CounterReset.RESET, CounterReset.NOT_RESET, CounterReset.GAUGE)


def decode_histogram(body: bytes, start: int, end: int) -> tuple[int, FloatHistogram]:
    """Time in milliseconds, and the histogram. Raises `WireError`."""
    read = read_fields(body, start, end, _ROLES)
    hint, timestamp_ms = CounterReset.UNKNOWN, 0
    custom_values: tuple[float, ...] = ()
    for number, begin, stop in read.others:
        if number == 14:
            code, _ = varint(body, begin)
            hint = _RESET_HINTS[code] if code < len(_RESET_HINTS) else CounterReset.UNKNOWN
        elif number == 15:
            timestamp_ms = signed(varint(body, begin)[0])
        elif number == 16:
            custom_values += tuple(packed_doubles(body, begin, stop).tolist())
    return timestamp_ms, read.histogram(custom_values, hint)
