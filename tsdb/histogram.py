"""The native histogram as a value: immutable, sparse, with float counts.

Source: upstream's model/histogram/float_histogram.go and generic.go. Exponential schemas -4..8 divide each
power of two into 2**schema buckets; bucket `i` of the positive side is the half-open interval
(bound(i-1), bound(i)], and bound(0) is 1. The negative side mirrors it. Schema -53 has custom bounds, and a
positive side only. Arithmetic between histograms is in `histogram_arithmetic.py`.
"""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache, lru_cache
from typing import Final

import numpy as np

from tsdb.numbers import format_number
from tsdb.sample import BoolArray, FloatArray, IntArray

CUSTOM_BUCKETS: Final = -53
MIN_SCHEMA: Final = -4
MAX_SCHEMA: Final = 8

_LARGEST: Final = float(np.finfo(np.float64).max)


class CounterReset(Enum):
    """What is known about a counter reset between a histogram and its predecessor."""

    UNKNOWN = "unknown"
    RESET = "reset"
    NOT_RESET = "not_reset"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """One side of a histogram: `counts[n]` at the ascending `indexes[n]`; other buckets are empty."""

    indexes: IntArray
    counts: FloatArray

    @staticmethod
    def dense(offset: int, counts: Sequence[float] | FloatArray) -> "Buckets":
        """Successive buckets, the first of which has index `offset`."""
        return Buckets(
            np.arange(offset, offset + len(counts), dtype=np.int64), np.asarray(counts, dtype=np.float64)
        )

    def __len__(self) -> int:
        return len(self.indexes)

    def __eq__(self, other: object) -> bool:
        """Equal indexes, and counts with equal bits."""
        if not isinstance(other, Buckets):
            return NotImplemented
        return bool(
            np.array_equal(self.indexes, other.indexes) and self.counts.tobytes() == other.counts.tobytes()
        )

    def __hash__(self) -> int:
        return hash(self.counts.tobytes())

    def compact(self) -> "Buckets":
        """Without empty buckets."""
        return self if self.counts.all() else self.where(self.counts != 0)

    def where(self, rows: BoolArray) -> "Buckets":
        """The buckets of a mask."""
        return Buckets(self.indexes[rows], self.counts[rows])

    def with_counts(self, counts: FloatArray) -> "Buckets":
        """The same buckets with other counts."""
        return Buckets(self.indexes, counts)


NO_BUCKETS: Final = Buckets.dense(0, ())


@dataclass(frozen=True, slots=True)
class Bucket:
    """An interval with its count."""

    lower: float
    upper: float
    lower_inclusive: bool
    upper_inclusive: bool
    count: float

    @property
    def boundary_rule(self) -> int:
        """The API's code: 0 open left, 1 open right, 2 open both, 3 closed both."""
        if self.lower_inclusive:
            return 3 if self.upper_inclusive else 1
        return 0 if self.upper_inclusive else 2

    def __str__(self) -> str:
        opening, closing = "[" if self.lower_inclusive else "(", "]" if self.upper_inclusive else ")"
        bounds = f"{format_number(self.lower)},{format_number(self.upper)}"
        return f"{opening}{bounds}{closing}:{format_number(self.count)}"


@dataclass(frozen=True, slots=True, eq=False)
class FloatHistogram:
    """A native histogram. `count` and `sum` are stated, not derived from the buckets.

    `custom_values` are the upper bounds for schema -53, ascending, without the last, +Inf. Equality is of
    data: bit by bit, empty buckets included, the counter reset hint aside.
    """

    schema: int = 0
    count: float = 0.0
    sum: float = 0.0
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    positive: Buckets = NO_BUCKETS
    negative: Buckets = NO_BUCKETS
    custom_values: tuple[float, ...] = ()
    counter_reset_hint: CounterReset = field(default=CounterReset.UNKNOWN)

    @property
    def uses_custom_buckets(self) -> bool:
        return self.schema == CUSTOM_BUCKETS

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FloatHistogram):
            return NotImplemented
        return (
            self._scalars() == other._scalars()
            and self.positive == other.positive
            and self.negative == other.negative
        )

    def __hash__(self) -> int:
        return hash(self._scalars())

    def _scalars(self) -> tuple[object, ...]:
        numbers = struct.pack("<3d", self.count, self.sum, self.zero_count)
        return self.schema, self.zero_threshold, self.custom_values, numbers

    def with_hint(self, hint: CounterReset) -> "FloatHistogram":
        """The same histogram under another counter reset hint."""
        return self if hint is self.counter_reset_hint else replace(self, counter_reset_hint=hint)

    def compact(self) -> "FloatHistogram":
        """Without empty buckets."""
        return replace(self, positive=self.positive.compact(), negative=self.negative.compact())

    def multiply(self, factor: float) -> "FloatHistogram":
        """All counts and the sum times `factor`; a negative factor makes it a gauge."""
        with np.errstate(over="ignore", invalid="ignore"):
            return replace(
                self,
                count=self.count * factor,
                sum=self.sum * factor,
                zero_count=self.zero_count * factor,
                positive=self.positive.with_counts(self.positive.counts * factor),
                negative=self.negative.with_counts(self.negative.counts * factor),
                counter_reset_hint=CounterReset.GAUGE if factor < 0 else self.counter_reset_hint,
            )

    def divide(self, divisor: float) -> "FloatHistogram":
        """All counts and the sum over `divisor`; 0 removes the buckets, a negative one makes it a gauge."""
        with np.errstate(all="ignore"):
            count, total, zero_count = (np.array([self.count, self.sum, self.zero_count]) / divisor).tolist()
            scaled = replace(self, count=count, sum=total, zero_count=zero_count)
            if divisor == 0:
                return replace(scaled, positive=NO_BUCKETS, negative=NO_BUCKETS)
            return replace(
                scaled,
                positive=self.positive.with_counts(self.positive.counts / divisor),
                negative=self.negative.with_counts(self.negative.counts / divisor),
                counter_reset_hint=CounterReset.GAUGE if divisor < 0 else self.counter_reset_hint,
            )

    def has_overflow(self) -> bool:
        """Whether a count, the sum or a bound is infinite."""
        numbers = (self.count, self.sum, self.zero_count, *self.custom_values)
        sides = (self.positive.counts, self.negative.counts)
        return any(map(math.isinf, numbers)) or any(bool(np.isinf(counts).any()) for counts in sides)

    def bound(self, index: int) -> float:
        """The upper bound of positive bucket `index`, the lower one of bucket `index` + 1."""
        if self.uses_custom_buckets:
            if index < 0:
                return -math.inf
            return self.custom_values[index] if index < len(self.custom_values) else math.inf
        return exponential_bound(index, self.schema)

    @property
    def zero_bucket(self) -> Bucket:
        return Bucket(-self.zero_threshold, self.zero_threshold, True, True, self.zero_count)

    def positive_buckets(self) -> Iterator[Bucket]:
        """The positive side, ascending, empty buckets included."""
        custom = self.uses_custom_buckets
        for index, count in zip(self.positive.indexes.tolist(), self.positive.counts.tolist(), strict=True):
            lower, upper = self.bound(index - 1), self.bound(index)
            yield Bucket(lower, upper, index == 0 if custom else lower < 0, custom or upper > 0, count)

    def negative_buckets(self) -> Iterator[Bucket]:
        """The negative side from zero downwards, empty buckets included."""
        for index, count in zip(self.negative.indexes.tolist(), self.negative.counts.tolist(), strict=True):
            lower, upper = -self.bound(index), -self.bound(index - 1)
            yield Bucket(lower, upper, lower < 0, upper > 0, count)

    def buckets(self) -> Iterator[Bucket]:
        """All buckets, ascending; one that overlaps the zero bucket is cut at the zero threshold."""
        threshold = self.zero_threshold
        for bucket in reversed(list(self.negative_buckets())):
            yield replace(bucket, upper=-threshold) if -threshold < bucket.upper < 0 else bucket
        if self.zero_count > 0:
            yield self.zero_bucket
        for bucket in self.positive_buckets():
            yield replace(bucket, lower=threshold) if 0 < bucket.lower < threshold else bucket

    def __str__(self) -> str:
        """`{count:3, sum:1.5, [-0.001,0.001]:1, (1,2]:2}`, as upstream prints it."""
        zero = [self.zero_bucket] if self.zero_count else []
        sides = (*reversed(list(self.negative_buckets())), *zero, *self.positive_buckets())
        parts = [f"count:{format_number(self.count)}", f"sum:{format_number(self.sum)}"]
        return "{" + ", ".join(parts + [str(bucket) for bucket in sides if bucket.count]) + "}"


@lru_cache(maxsize=8192)
def exponential_bound(index: int, schema: int) -> float:
    """The upper bound of bucket `index`; the last finite bucket ends at the largest float.

    Source: upstream's getBoundExponential.
    """
    if schema < 0:
        exponent = index << -schema
        return _LARGEST if exponent == 1024 else _scaled(1.0, exponent)
    fraction = _fractions(schema)[index & ((1 << schema) - 1)]
    exponent = (index >> schema) + 1
    return _LARGEST if fraction == 0.5 and exponent == 1025 else _scaled(fraction, exponent)


def _scaled(fraction: float, exponent: int) -> float:
    try:
        return math.ldexp(fraction, exponent)
    except OverflowError:
        return math.inf


@cache
def _fractions(schema: int) -> tuple[float, ...]:
    """The bounds in [0.5, 1). The factors are chosen so that each bit agrees with upstream's table."""
    if schema == 0:
        return (0.5,)
    factor = math.nextafter(math.sqrt(2), 0) if schema == 1 else 2.0 ** (2.0**-schema)
    return tuple(bound for coarse in _fractions(schema - 1) for bound in (coarse, coarse * factor))
