"""`</` and `>/`: a native histogram without its observations above, or below, a limit.

Upstream: model/histogram/float_histogram.go, TrimBuckets. The bucket that holds the limit is interpolated;
the sum becomes an estimate from the middles of what is left.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from tsdb.histogram import Bucket, Buckets, FloatHistogram


@dataclass(frozen=True)
class _Left:
    """What a bucket keeps: its count, and where its observations are thought to be."""

    count: float
    middle: float


@dataclass(frozen=True)
class _Cut:
    """Keeps what is below `limit` (`upper`), or above it."""

    limit: float
    upper: bool
    custom: bool

    def of_bucket(self, bucket: Bucket, sign: float) -> _Left:
        """`sign` is that of the side the bucket is on."""
        limit = self.limit
        if bucket.count == 0:
            return _Left(0.0, 0.0)
        if bucket.upper <= limit if self.upper else bucket.lower >= limit:
            return _Left(bucket.count, self._middle(bucket.lower, bucket.upper, sign))
        if bucket.lower >= limit if self.upper else bucket.upper <= limit:
            return _Left(0.0, 0.0)
        if math.isinf(bucket.lower):
            return self._of_lowest(bucket)
        if math.isinf(bucket.upper):
            return _Left(0.0, 0.0) if self.upper else self._of_highest(bucket)
        below = bucket.count * fraction_below(bucket, limit, linear=self.custom)
        if self.upper:
            return _Left(below, self._middle(bucket.lower, limit, sign))
        return _Left(bucket.count - below, self._middle(limit, bucket.upper, sign))

    def of_zero_bucket(self, bucket: Bucket) -> _Left:
        """Linear; `bucket` is narrowed to the side that has observations."""
        limit, middle = self.limit, (bucket.lower + bucket.upper) / 2
        if limit <= bucket.lower:
            return _Left(0.0, 0.0) if self.upper else _Left(bucket.count, middle)
        if limit >= bucket.upper:
            return _Left(bucket.count, middle) if self.upper else _Left(0.0, 0.0)
        width = bucket.upper - bucket.lower
        if self.upper:
            return _Left(bucket.count * ((limit - bucket.lower) / width), (bucket.lower + limit) / 2)
        return _Left(bucket.count * ((bucket.upper - limit) / width), (limit + bucket.upper) / 2)

    def _of_lowest(self, bucket: Bucket) -> _Left:
        """A bucket down to -Inf is taken to begin at 0 if it reaches above; else nothing is known of it."""
        limit, bounded = self.limit, not math.isinf(bucket.upper)
        if self.upper:
            if limit > 0 and bucket.upper > 0 and bounded:
                return _Left(bucket.count * limit / bucket.upper, limit / 2)
            return _Left(bucket.count, limit) if bucket.upper <= 0 else _Left(0.0, 0.0)
        if limit >= 0 and bounded:
            return _Left(bucket.count * (1 - limit / bucket.upper), (limit + bucket.upper) / 2)
        return _Left(0.0, 0.0)

    def _of_highest(self, bucket: Bucket) -> _Left:
        """A bucket up to +Inf keeps everything if the limit is in it."""
        return _Left(bucket.count, self.limit) if self.limit >= bucket.lower else _Left(0.0, 0.0)

    def _middle(self, lower: float, upper: float, sign: float) -> float:
        if math.isinf(lower):
            return 0.0 if math.isinf(upper) else upper / 2 if upper > 0 else upper
        if math.isinf(upper):
            return lower
        return (lower + upper) / 2 if self.custom else sign * math.sqrt(abs(lower * upper))


def trim(histogram: FloatHistogram, limit: float, *, upper: bool) -> FloatHistogram:
    """Without the observations above `limit` (`upper`), or without those below it."""
    cut = _Cut(limit, upper, histogram.uses_custom_buckets)
    positive = [cut.of_bucket(bucket, 1.0) for bucket in histogram.positive_buckets()]
    negative = [cut.of_bucket(bucket, -1.0) for bucket in histogram.negative_buckets()]
    zero = _Left(0.0, 0.0)
    if histogram.zero_count > 0:
        zero = cut.of_zero_bucket(_populated_zero_bucket(histogram))
    trimmed = replace(
        histogram,
        zero_count=zero.count if histogram.zero_count > 0 else histogram.zero_count,
        positive=_with_counts(histogram.positive, positive),
        negative=_with_counts(histogram.negative, negative),
    )
    if trimmed == histogram:
        return histogram
    kept = (*positive, *negative, zero)
    total = sum(left.count for left in kept)
    estimate = sum(left.middle * left.count for left in kept)
    return replace(trimmed, count=total, sum=estimate).compact()


def fraction_below(bucket: Bucket, value: float, *, linear: bool) -> float:
    """The share of a bucket with finite bounds that is at or below a value inside it.

    Linear for custom buckets, otherwise on a logarithmic scale (upstream's Bucket.FractionBelow).
    """
    if linear:
        return (value - bucket.lower) / (bucket.upper - bucket.lower)
    lower, upper, at = (math.log2(abs(each)) for each in (bucket.lower, bucket.upper, value))
    if value > 0:
        return (at - lower) / (upper - lower)
    return 1 - (at - upper) / (lower - upper)


def _populated_zero_bucket(histogram: FloatHistogram) -> Bucket:
    """The zero bucket, from or to 0 if only one side has observations."""
    bucket = histogram.zero_bucket
    has_positive, has_negative = (
        bool(side.counts.any()) for side in (histogram.positive, histogram.negative)
    )
    if has_negative and not has_positive:
        return replace(bucket, upper=0.0)
    if has_positive and not has_negative:
        return replace(bucket, lower=0.0)
    return bucket


def _with_counts(side: Buckets, kept: Iterable[_Left]) -> Buckets:
    return side.with_counts(np.array([left.count for left in kept], dtype=np.float64))
