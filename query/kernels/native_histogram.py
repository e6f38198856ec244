"""What PromQL reads out of one native histogram: quantiles, fractions, moments, and parts of it.

Upstream: promql/quantile.go (HistogramQuantile, HistogramFraction), promql/functions.go (histogramVariance),
model/histogram/float_histogram.go (TrimBuckets). A value inside a bucket is estimated by interpolation:
linear in custom buckets and in the zero bucket, on a logarithmic scale elsewhere.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np

from tsdb.histogram import Bucket, Buckets, FloatHistogram
from tsdb.sample import FloatArray


class NanEffect(Enum):
    """What observations of NaN, which are in no bucket, did to a result."""

    NONE = auto()
    RESULT_IS_NAN = auto()
    SKEWED = auto()


def quantile(q: float, histogram: FloatHistogram) -> tuple[float, NanEffect]:
    """The value below which `q` of all observations lie; NaN without any, ±Inf for q outside [0, 1]."""
    if q < 0 or q > 1:
        return math.copysign(math.inf, q), NanEffect.NONE
    if histogram.count == 0 or math.isnan(q):
        return math.nan, NanEffect.NONE
    has_nan_sum = math.isnan(histogram.sum)
    forward = has_nan_sum or q < 0.5
    rank = (q if forward else 1 - q) * histogram.count
    buckets = iter(histogram.buckets() if forward else reversed(list(histogram.buckets())))
    bucket, count = _bucket_of_rank(buckets, rank)
    bounded = _naturally_bounded(bucket, histogram)
    if histogram.uses_custom_buckets:
        if bounded.lower == -math.inf:
            if bounded.upper <= 0:
                return bounded.upper, NanEffect.NONE
            bounded = replace(bounded, lower=0.0)
        elif bounded.upper == math.inf:
            return bounded.lower, NanEffect.NONE
    count = min(count, histogram.count)
    if count < rank:
        return (math.nan, NanEffect.RESULT_IS_NAN) if has_nan_sum else (bounded.upper, NanEffect.NONE)
    within = rank - (count - bucket.count) if forward else count - rank
    effect = NanEffect.NONE
    if has_nan_sum:
        # Upstream interpolates in the last bucket then, not in the one of the rank.
        for bounded in buckets:
            count += bounded.count
        effect = NanEffect.SKEWED if count < histogram.count else NanEffect.NONE
    return _interpolated(bounded, _ratio(within, bounded.count), histogram), effect


def fraction(lower: float, upper: float, histogram: FloatHistogram) -> tuple[float, NanEffect]:
    """The part of all observations that lies between two values; NaN without observations."""
    if histogram.count == 0 or math.isnan(lower) or math.isnan(upper):
        return math.nan, NanEffect.NONE
    if lower >= upper:
        return 0.0, NanEffect.NONE
    lower_rank, upper_rank = _rank(lower, histogram), _rank(upper, histogram)
    count, effect = histogram.count, NanEffect.NONE
    if math.isnan(histogram.sum):
        count = sum(bucket.count for bucket in histogram.buckets())
        effect = NanEffect.SKEWED if count < histogram.count else NanEffect.NONE
    return (min(upper_rank, count) - min(lower_rank, count)) / histogram.count, effect


def average(histogram: FloatHistogram) -> float:
    """The mean of all observations; NaN without any."""
    return _ratio(histogram.sum, histogram.count)


def variance(histogram: FloatHistogram) -> float:
    """The variance of the observations, each taken for the middle of its bucket; NaN without any."""
    mean = average(histogram)
    terms = []
    for bucket in histogram.buckets():
        if bucket.count:
            deviation = _middle(bucket, histogram) - mean
            terms.append(bucket.count * deviation * deviation)
    return _ratio(_sum(terms), histogram.count)


def trimmed(histogram: FloatHistogram, limit: float, *, keep_below: bool) -> FloatHistogram:
    """The histogram of the observations below (or above) a limit, with count and sum estimated."""
    trim = _Trim(histogram, limit, keep_below)
    positive = trim.side(histogram.positive, list(histogram.positive_buckets()), is_positive=True)
    negative = trim.side(histogram.negative, list(histogram.negative_buckets()), is_positive=False)
    zero_count = trim.zero_bucket()
    if not trim.changed:
        return histogram
    return replace(
        histogram,
        count=trim.count,
        sum=trim.sum,
        zero_count=zero_count,
        positive=positive.compact(),
        negative=negative.compact(),
    )


def _bucket_of_rank(buckets: Iterator[Bucket], rank: float) -> tuple[Bucket, float]:
    """The first bucket with which the cumulative count reaches the rank, and that count."""
    bucket, count = Bucket(0.0, 0.0, False, False, 0.0), 0.0
    for candidate in buckets:
        bucket = candidate
        count += bucket.count
        if bucket.count and count >= rank:
            break
    return bucket, count


def _naturally_bounded(bucket: Bucket, histogram: FloatHistogram) -> Bucket:
    """The zero bucket, ended at 0 on the side where the histogram has no buckets."""
    if histogram.uses_custom_buckets or not (bucket.lower <= 0 <= bucket.upper):
        return bucket
    if len(histogram.positive) and not len(histogram.negative):
        return replace(bucket, lower=0.0)
    if len(histogram.negative) and not len(histogram.positive):
        return replace(bucket, upper=0.0)
    return bucket


def _interpolated(bucket: Bucket, part: float, histogram: FloatHistogram) -> float:
    """The value that has `part` of the bucket below it."""
    if histogram.uses_custom_buckets or bucket.lower <= 0 <= bucket.upper:
        return bucket.lower + (bucket.upper - bucket.lower) * part
    log_lower, log_upper = _log2(bucket.lower), _log2(bucket.upper)
    if bucket.lower > 0:
        return float(np.exp2(log_lower + (log_upper - log_lower) * part))
    return -float(np.exp2(log_upper + (log_lower - log_upper) * (1 - part)))


def _rank(value: float, histogram: FloatHistogram) -> float:
    """How many observations lie below `value`; infinite if it is above all buckets."""
    rank = 0.0
    for bucket in histogram.buckets():
        bounded = _fraction_bounds(bucket, histogram)
        if bounded.lower >= value:
            return rank
        if bounded.upper > value:
            if bounded.lower == -math.inf:
                return bounded.count
            linear = histogram.uses_custom_buckets or bounded.lower <= 0 <= bounded.upper
            return rank + bounded.count * _part_below(bounded, value, linear=linear)
        rank += bounded.count
    return math.inf


def _fraction_bounds(bucket: Bucket, histogram: FloatHistogram) -> Bucket:
    """As `_naturally_bounded`, but for custom buckets around 0, too."""
    if histogram.uses_custom_buckets and bucket.lower <= 0 <= bucket.upper:
        return replace(bucket, lower=0.0) if len(histogram.positive) else bucket
    return _naturally_bounded(bucket, histogram)


def _part_below(bucket: Bucket, value: float, *, linear: bool) -> float:
    """The part of a finite bucket below a value inside of it (upstream FractionBelow)."""
    if linear:
        return (value - bucket.lower) / (bucket.upper - bucket.lower)
    log_lower, log_upper, log_value = _log2(bucket.lower), _log2(bucket.upper), _log2(value)
    if value > 0:
        return _ratio(log_value - log_lower, log_upper - log_lower)
    return 1 - _ratio(log_value - log_upper, log_lower - log_upper)


def _middle(bucket: Bucket, histogram: FloatHistogram) -> float:
    if histogram.uses_custom_buckets:
        return (bucket.upper + bucket.lower) / 2
    if bucket.lower <= 0 <= bucket.upper:
        return 0.0
    middle = math.sqrt(bucket.upper * bucket.lower)
    return -middle if bucket.upper < 0 else middle


def _log2(value: float) -> float:
    """The logarithm of the amount; -Inf for 0, which the bounds of tiny buckets may be."""
    return math.log2(abs(value)) if value else -math.inf


def _ratio(dividend: float, divisor: float) -> float:
    """A division that, as IEEE 754's, never raises."""
    with np.errstate(all="ignore"):
        return float(np.float64(dividend) / np.float64(divisor))


def _sum(terms: list[float]) -> float:
    """The exact sum, rounded once; with infinities or NaN among the terms what those amount to."""
    try:
        return math.fsum(terms)
    except (OverflowError, ValueError):
        return sum(terms)


@dataclass
class _Trim:
    """Goes through the buckets of one histogram and adds up what is kept."""

    histogram: FloatHistogram
    limit: float
    keep_below: bool
    count: float = 0.0
    sum: float = 0.0
    changed: bool = False

    def side(self, side: Buckets, buckets: list[Bucket], *, is_positive: bool) -> Buckets:
        """One side with the counts that are kept."""
        kept: FloatArray = side.counts.copy()
        for position, bucket in enumerate(buckets):
            if bucket.count:
                kept[position] = self._keep(bucket, *self._kept(bucket, is_positive=is_positive))
        return side.with_counts(kept)

    def zero_bucket(self) -> float:
        """The zero bucket's count that is kept."""
        histogram = self.histogram
        if histogram.zero_count <= 0:
            return histogram.zero_count
        bucket = histogram.zero_bucket
        has_positive = bool(histogram.positive.counts.any())
        has_negative = bool(histogram.negative.counts.any())
        lower = 0.0 if has_positive and not has_negative else bucket.lower
        upper = 0.0 if has_negative and not has_positive else bucket.upper
        return self._keep(bucket, *self._kept_of_zero(replace(bucket, lower=lower, upper=upper)))

    def _keep(self, bucket: Bucket, count: float, middle: float) -> float:
        self.count += count
        self.sum += middle * count
        self.changed = self.changed or count != bucket.count
        return count

    def _kept(self, bucket: Bucket, *, is_positive: bool) -> tuple[float, float]:
        """The count kept of a bucket, and the value its observations are taken for."""
        limit, linear = self.limit, self.histogram.uses_custom_buckets
        if bucket.upper <= limit if self.keep_below else bucket.lower >= limit:
            return bucket.count, _center(bucket.lower, bucket.upper, is_positive=is_positive, linear=linear)
        if not (bucket.lower < limit if self.keep_below else bucket.upper > limit):
            return 0.0, 0.0
        if math.isinf(bucket.lower) or math.isinf(bucket.upper):
            return _kept_of_infinite(bucket, limit, keep_below=self.keep_below)
        below = bucket.count * _part_below(bucket, limit, linear=linear)
        lower, upper = (bucket.lower, limit) if self.keep_below else (limit, bucket.upper)
        middle = _center(lower, upper, is_positive=is_positive, linear=linear)
        return (below if self.keep_below else bucket.count - below), middle

    def _kept_of_zero(self, bucket: Bucket) -> tuple[float, float]:
        lower, upper, limit = bucket.lower, bucket.upper, self.limit
        if limit <= lower or limit >= upper:
            is_kept = (limit > lower) == self.keep_below
            return (bucket.count, (lower + upper) / 2) if is_kept else (0.0, 0.0)
        kept = (lower, limit) if self.keep_below else (limit, upper)
        return bucket.count * _ratio(kept[1] - kept[0], upper - lower), (kept[0] + kept[1]) / 2


def _kept_of_infinite(bucket: Bucket, limit: float, *, keep_below: bool) -> tuple[float, float]:
    """Of a bucket without end that the limit cuts: all or nothing, unless it can be taken to begin at 0."""
    upper, count = bucket.upper, bucket.count
    if bucket.lower != -math.inf:
        return (0.0, 0.0) if keep_below else (count, limit)
    if upper <= 0:
        return (count, limit) if keep_below else (0.0, 0.0)
    if math.isinf(upper) or limit < 0:
        return 0.0, 0.0
    if keep_below:
        return count * limit / upper, limit / 2
    return count * (1 - limit / upper), (limit + upper) / 2


def _center(lower: float, upper: float, *, is_positive: bool, linear: bool) -> float:
    """The value that observations between two bounds are taken for (upstream computeMidpoint)."""
    if math.isinf(lower):
        if math.isinf(upper):
            return 0.0
        return upper / 2 if upper > 0 else upper
    if math.isinf(upper):
        return lower
    if linear:
        return (lower + upper) / 2
    middle = math.sqrt(abs(lower * upper))
    return middle if is_positive else -middle
