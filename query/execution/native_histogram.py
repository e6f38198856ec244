"""Quantile, fraction and variance of one native histogram, as upstream's promql/quantile.go and functions.go.

Custom buckets and the zero bucket are interpolated linearly, exponential ones on a logarithmic scale. NaN
observations count, but stand in no bucket; they are known by a sum that is NaN.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from query.execution.histogram_trim import fraction_below
from tsdb.histogram import Bucket, FloatHistogram

NAN_RESULT: Final = "input to histogram_quantile has NaN observations, result is NaN"
NAN_SKEW: Final = "input to histogram_quantile has NaN observations, result is skewed higher"
NAN_EXCLUDED: Final = (
    "input to histogram_fraction has NaN observations, which are excluded from all fractions"
)

_NO_BUCKET: Final = Bucket(0.0, 0.0, False, False, 0.0)


class Estimate(NamedTuple):
    """A value, and what is to be told about it, if anything."""

    value: float
    remark: str | None = None


def native_quantile(quantile: float, histogram: FloatHistogram) -> Estimate:
    """-Inf below 0, +Inf above 1, NaN for NaN and without observations."""
    if quantile < 0 or quantile > 1:
        return Estimate(math.copysign(math.inf, quantile))
    if histogram.count == 0 or math.isnan(quantile):
        return Estimate(math.nan)
    from_below = math.isnan(histogram.sum) or quantile < 0.5
    buckets = list(histogram.buckets())
    if not from_below:
        buckets.reverse()
    rank = (quantile if from_below else 1 - quantile) * histogram.count
    index, reached = _reach(buckets, rank)
    bucket = buckets[index] if buckets else _NO_BUCKET
    if histogram.uses_custom_buckets:
        if bucket.lower == -math.inf:
            if bucket.upper <= 0:
                return Estimate(bucket.upper)
            bucket = replace(bucket, lower=0.0)
        elif bucket.upper == math.inf:
            return Estimate(bucket.lower)
    else:
        bucket = _narrowed(bucket, histogram)
    reached = min(reached, histogram.count)
    if reached < rank:
        if math.isnan(histogram.sum):
            return Estimate(math.nan, NAN_RESULT)
        return Estimate(bucket.upper)
    remark = None
    rank = rank - (reached - bucket.count) if from_below else reached - rank
    rest = buckets[index + 1 :]
    if math.isnan(histogram.sum):
        if reached + sum(each.count for each in rest) < histogram.count:
            remark = NAN_SKEW
        # Upstream goes on with the bucket that its count of the others ended at.
        bucket = rest[-1] if rest else bucket
    linear = histogram.uses_custom_buckets or (bucket.lower <= 0 <= bucket.upper)
    return Estimate(_interpolated(bucket, _ratio(rank, bucket.count), linear=linear), remark)


def native_fraction(lower: float, upper: float, histogram: FloatHistogram) -> Estimate:
    """The share of observations between two limits: 0 if they are the wrong way round, NaN if one is NaN."""
    if histogram.count == 0 or math.isnan(lower) or math.isnan(upper):
        return Estimate(math.nan)
    if lower >= upper:
        return Estimate(0.0)
    buckets = list(histogram.buckets())
    total, remark = histogram.count, None
    if math.isnan(histogram.sum):
        total = sum(bucket.count for bucket in buckets)
        remark = NAN_EXCLUDED if total < histogram.count else None
    low, high = (min(_rank_of(limit, buckets, histogram, total), total) for limit in (lower, upper))
    return Estimate((high - low) / histogram.count, remark)


def native_variance(histogram: FloatHistogram) -> float:
    """Population variance, with all observations of a bucket in its middle."""
    mean = _ratio(histogram.sum, histogram.count)
    terms = [
        bucket.count * (_middle(bucket, histogram) - mean) ** 2
        for bucket in histogram.buckets()
        if bucket.count
    ]
    exact = math.fsum if all(map(math.isfinite, terms)) else sum
    return _ratio(exact(terms), histogram.count)


def native_average(histogram: FloatHistogram) -> float:
    """The mean of the observations; NaN if there are none."""
    return _ratio(histogram.sum, histogram.count)


def _reach(buckets: Sequence[Bucket], rank: float) -> tuple[int, float]:
    """Position of the bucket in which a rank is reached, or of the last; and the count up to there."""
    count = 0.0
    for index, bucket in enumerate(buckets):
        count += bucket.count
        if bucket.count and count >= rank:
            return index, count
    return len(buckets) - 1, count


def _rank_of(limit: float, buckets: Sequence[Bucket], histogram: FloatHistogram, total: float) -> float:
    """How many observations lie below a limit."""
    rank = 0.0
    for each in buckets:
        crosses_zero = each.lower <= 0 <= each.upper
        bucket = _narrowed(each, histogram) if crosses_zero else each
        if bucket.lower >= limit:
            return rank
        if bucket.upper > limit:
            linear = histogram.uses_custom_buckets or crosses_zero
            if bucket.lower == -math.inf and linear:
                return bucket.count
            return rank + bucket.count * fraction_below(bucket, limit, linear=linear)
        rank += bucket.count
    return total


def _narrowed(bucket: Bucket, histogram: FloatHistogram) -> Bucket:
    """A bucket across zero, from or to 0 if the histogram has buckets on one side only."""
    if bucket.lower <= 0 <= bucket.upper:
        if len(histogram.positive) and not len(histogram.negative):
            return replace(bucket, lower=0.0)
        if len(histogram.negative) and not len(histogram.positive):
            return replace(bucket, upper=0.0)
    return bucket


def _interpolated(bucket: Bucket, fraction: float, *, linear: bool) -> float:
    if linear:
        return bucket.lower + (bucket.upper - bucket.lower) * fraction
    lower, upper = math.log2(abs(bucket.lower)), math.log2(abs(bucket.upper))
    if bucket.lower > 0:
        return _exp2(lower + (upper - lower) * fraction)
    return -_exp2(upper + (lower - upper) * (1 - fraction))


def _middle(bucket: Bucket, histogram: FloatHistogram) -> float:
    if histogram.uses_custom_buckets:
        return (bucket.upper + bucket.lower) / 2
    if bucket.lower <= 0 <= bucket.upper:
        return 0.0
    return math.copysign(math.sqrt(bucket.upper * bucket.lower), bucket.upper)


def _ratio(dividend: float, divisor: float) -> float:
    """As floats divide in Go: by zero there is NaN or an infinity."""
    if divisor:
        return dividend / divisor
    if not dividend or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def _exp2(exponent: float) -> float:
    try:
        return math.pow(2.0, exponent)
    except OverflowError:
        return math.inf


STATISTICS: Final[dict[str, Callable[[FloatHistogram], float]]] = {
    "histogram_avg": native_average,
    "histogram_count": lambda histogram: histogram.count,
    "histogram_stddev": lambda histogram: _square_root(native_variance(histogram)),
    "histogram_stdvar": native_variance,
    "histogram_sum": lambda histogram: histogram.sum,
}
"""Functions of native histograms alone."""


def _square_root(value: float) -> float:
    return math.sqrt(value) if value >= 0 else math.nan
