"""What messages with native histograms have in common: the fields are the same, their numbers are not.

    repeated BucketSpan spans; repeated sint64 deltas; repeated double counts;      once for each sign
    BucketSpan { sint32 offset = 1; uint32 length = 2; }

A span begins `offset` buckets behind the end of the one before, the first at that index. Counts are given
as such (float histograms), or each as the difference from the one before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import accumulate
from typing import Final

import numpy as np

from collector.protobuf.wire import WireError, double, fields, packed_doubles, packed_varints, varint, zigzag
from tsdb.histogram import (
    CUSTOM_BUCKETS,
    MAX_SCHEMA,
    MIN_SCHEMA,
    Buckets,
    CounterReset,
    FloatHistogram,
)

_MAX_BUCKETS: Final = 1 << 16
_MAX_INDEX: Final = 1 << 31


class Role(Enum):
    """What a field of such a message means."""

    COUNT = auto()
    COUNT_FLOAT = auto()
    SUM = auto()
    SCHEMA = auto()
    ZERO_THRESHOLD = auto()
    ZERO_COUNT = auto()
    ZERO_COUNT_FLOAT = auto()
    NEGATIVE_SPAN = auto()
    NEGATIVE_DELTAS = auto()
    NEGATIVE_COUNTS = auto()
    POSITIVE_SPAN = auto()
    POSITIVE_DELTAS = auto()
    POSITIVE_COUNTS = auto()


_OF_NEGATIVES: Final = (Role.NEGATIVE_SPAN, Role.NEGATIVE_DELTAS, Role.NEGATIVE_COUNTS)


@dataclass
class _Side:
    """One side as it is sent."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    deltas: list[int] = field(default_factory=list)
    counts: list[float] = field(default_factory=list)

    def buckets(self) -> Buckets:
        """Raises `WireError` if spans and counts don't fit."""
        counts = self.counts or list(accumulate(self.deltas))
        length = sum(length for _, length in self.spans)
        if length != len(counts) or length > _MAX_BUCKETS:
            raise WireError(f"histogram: spans need {length} buckets, have {len(counts)} buckets")
        indexes: list[int] = []
        position = 0
        for offset, count in self.spans:
            position += offset
            if abs(position) > _MAX_INDEX:
                raise WireError(f"histogram: bucket index {position} is out of range")
            indexes.extend(range(position, position + count))
            position += count
        return Buckets(np.array(indexes, dtype=np.int64), np.array(counts, dtype=np.float64))


@dataclass
class NativeFields:
    """The fields that were read; `others` are those without a role: number, and where the content is."""

    numbers: dict[Role, int] = field(default_factory=dict)
    doubles: dict[Role, float] = field(default_factory=dict)
    negative: _Side = field(default_factory=_Side)
    positive: _Side = field(default_factory=_Side)
    others: list[tuple[int, int, int]] = field(default_factory=list)

    @property
    def count(self) -> float:
        return self.doubles.get(Role.COUNT_FLOAT) or float(self.numbers.get(Role.COUNT, 0))

    @property
    def sum(self) -> float:
        return self.doubles.get(Role.SUM, 0.0)

    @property
    def is_native(self) -> bool:
        """Whether there is more than a classic histogram; upstream's isNativeHistogram."""
        return bool(
            self.positive.spans
            or self.negative.spans
            or self.doubles.get(Role.ZERO_THRESHOLD, 0.0) > 0
            or self.numbers.get(Role.ZERO_COUNT, 0)
        )

    def histogram(self, custom_values: tuple[float, ...], hint: CounterReset) -> FloatHistogram:
        """The native histogram. Raises `WireError` for one that contradicts itself."""
        schema = zigzag(self.numbers.get(Role.SCHEMA, 0))
        if schema != CUSTOM_BUCKETS and not MIN_SCHEMA <= schema <= MAX_SCHEMA:
            raise WireError(f"histogram: unknown schema {schema}")
        return FloatHistogram(
            schema=schema,
            count=self.count,
            sum=self.sum,
            zero_threshold=self.doubles.get(Role.ZERO_THRESHOLD, 0.0),
            zero_count=self.doubles.get(Role.ZERO_COUNT_FLOAT) or float(self.numbers.get(Role.ZERO_COUNT, 0)),
            positive=self.positive.buckets(),
            negative=self.negative.buckets(),
            custom_values=custom_values,
            counter_reset_hint=hint,
        )


def read_fields(body: bytes, start: int, end: int, roles: Mapping[int, Role]) -> NativeFields:
    """The message in `body[start:end]`, whose field numbers mean `roles`. Raises `WireError`."""
    read = NativeFields()
    for number, begin, stop in fields(body, start, end):
        role = roles.get(number)
        side = read.negative if role in _OF_NEGATIVES else read.positive
        match role:
            case None:
                read.others.append((number, begin, stop))
            case Role.COUNT | Role.SCHEMA | Role.ZERO_COUNT:
                read.numbers[role], _ = varint(body, begin)
            case Role.NEGATIVE_SPAN | Role.POSITIVE_SPAN:
                side.spans.append(_span(body, begin, stop))
            # Repeated numbers come in one field or, from older encoders, one in each of many.
            case Role.NEGATIVE_DELTAS | Role.POSITIVE_DELTAS:
                side.deltas.extend(map(zigzag, packed_varints(body, begin, stop)))
            case Role.NEGATIVE_COUNTS | Role.POSITIVE_COUNTS:
                side.counts.extend(packed_doubles(body, begin, stop).tolist())
            case _:
                read.doubles[role] = double(body, begin, stop)
    return read


def _span(body: bytes, start: int, end: int) -> tuple[int, int]:
    numbers = {number: varint(body, begin)[0] for number, begin, _ in fields(body, start, end)}
    return zigzag(numbers.get(1, 0)), numbers.get(2, 0)
