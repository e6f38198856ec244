"""Adding, subtracting and comparing native histograms of different layouts.

Two histograms meet in the finest layout both can be brought to: the lower resolution, a zero bucket that
covers both zero buckets and cuts through no populated bucket, the custom bounds that both have. Upstream
does the same inside model/histogram/float_histogram.go (Add, Sub, KahanAdd, DetectReset).
"""

from dataclasses import dataclass, replace

import numpy as np

from tsdb.errors import IncompatibleHistogramsError
from tsdb.histogram import CUSTOM_BUCKETS, NO_BUCKETS, Buckets, CounterReset, FloatHistogram
from tsdb.sample import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Combined:
    """A sum or difference, and what is to be told about it.

    `reset_collision`: one side said "reset", the other "not reset".
    `bounds_reconciled`: custom bounds differed.
    """

    histogram: FloatHistogram
    reset_collision: bool
    bounds_reconciled: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """What decides which buckets a histogram can have."""

    schema: int
    zero_threshold: float
    custom_values: tuple[float, ...]


class HistogramSum:
    """A running sum of histograms with Kahan-Neumaier compensation in each number (upstream KahanAdd)."""

    def __init__(self, first: FloatHistogram) -> None:
        self._total = first
        self._compensation = _with_numbers(first, np.zeros(3 + len(first.positive) + len(first.negative)))

    def add(self, other: FloatHistogram) -> Combined:
        """Adds one more; raises `IncompatibleHistogramsError` for exponential beside custom buckets."""
        layout, reconciled = common_layout(self._total, other)
        hint, collision = _joint_hint(self._total.counter_reset_hint, other.counter_reset_hint)
        total, addend = _aligned(to_layout(self._total, layout), to_layout(other, layout))
        _, compensation = _aligned(total, to_layout(self._compensation, layout))
        sums, errors = _compensated_sum(_numbers(total), _numbers(addend), _numbers(compensation))
        self._total = _with_numbers(total, sums).with_hint(hint)
        self._compensation = _with_numbers(total, errors)
        return Combined(self._total, collision, reconciled)

    def scale(self, factor: float) -> None:
        """Multiplies what was added so far."""
        self._total, self._compensation = self._total.multiply(factor), self._compensation.multiply(factor)

    @property
    def value(self) -> FloatHistogram:
        """The sum, compensated."""
        return add(self._total, self._compensation).histogram.with_hint(self._total.counter_reset_hint)


def add(left: FloatHistogram, right: FloatHistogram) -> Combined:
    """`left + right`; raises `IncompatibleHistogramsError` for exponential beside custom buckets."""
    return _combine(left, right, 1.0)


def subtract(left: FloatHistogram, right: FloatHistogram) -> Combined:
    """`left - right`. PromQL's operator makes the result a gauge; this keeps the hints' rules of `add`."""
    return _combine(left, right, -1.0)


def common_layout(left: FloatHistogram, right: FloatHistogram) -> tuple[Layout, bool]:
    """The layout in which both can be added, and whether custom bounds had to be reconciled."""
    if left.uses_custom_buckets != right.uses_custom_buckets:
        raise IncompatibleHistogramsError(
            "cannot combine a histogram with exponential buckets and one with custom buckets"
        )
    if left.uses_custom_buckets:
        if left.custom_values == right.custom_values:
            return Layout(CUSTOM_BUCKETS, 0.0, left.custom_values), False
        bounds = set(right.custom_values)
        shared = tuple(bound for bound in left.custom_values if bound in bounds)
        return Layout(CUSTOM_BUCKETS, 0.0, shared), True
    threshold = max(left.zero_threshold, right.zero_threshold)
    while True:
        wider = max(uncut_threshold(left, threshold), uncut_threshold(right, threshold))
        if wider == threshold:
            return Layout(min(left.schema, right.schema), threshold, ()), False
        threshold = wider


def uncut_threshold(histogram: FloatHistogram, threshold: float) -> float:
    """`threshold`, raised until it cuts through no populated bucket of the histogram.

    Requires: it is not below the histogram's own threshold, which counts as uncut whatever the buckets.
    """
    if threshold == histogram.zero_threshold:
        return threshold
    for side in (histogram.positive, histogram.negative):
        for index in side.indexes[side.counts != 0].tolist():
            if histogram.bound(index - 1) >= threshold:
                break
            threshold = max(threshold, histogram.bound(index))
    return threshold


def to_layout(histogram: FloatHistogram, layout: Layout) -> FloatHistogram:
    """The histogram in a layout that is as coarse as its own or coarser."""
    if histogram.uses_custom_buckets:
        if histogram.custom_values == layout.custom_values:
            return histogram
        return replace(
            histogram, custom_values=layout.custom_values, positive=_rebinned(histogram, layout.custom_values)
        )
    return reduce_resolution(_with_zero_threshold(histogram, layout.zero_threshold), layout.schema)


def reduce_resolution(histogram: FloatHistogram, schema: int) -> FloatHistogram:
    """Buckets merged to a lower schema. Requires: exponential buckets, `schema` not above theirs."""
    shift = histogram.schema - schema
    if shift == 0:
        return histogram
    return replace(
        histogram,
        schema=schema,
        positive=_merged((histogram.positive.indexes - 1 >> shift) + 1, histogram.positive.counts),
        negative=_merged((histogram.negative.indexes - 1 >> shift) + 1, histogram.negative.counts),
    )


def is_reset(current: FloatHistogram, previous: FloatHistogram) -> bool:
    """Whether a counter was reset between two samples (upstream DetectReset).

    It was if a populated bucket is gone or any count fell, or if the resolution rose or the zero bucket
    shrank, which a running counter never does. Hints, where they are stated, decide alone.
    """
    if current.counter_reset_hint in (CounterReset.RESET, CounterReset.NOT_RESET):
        return current.counter_reset_hint is CounterReset.RESET
    if current.count < previous.count or current.uses_custom_buckets != previous.uses_custom_buckets:
        return True
    if current.uses_custom_buckets:
        layout, _ = common_layout(current, previous)
        return _any_fell(to_layout(current, layout).positive, to_layout(previous, layout).positive)
    if current.schema > previous.schema or current.zero_threshold < previous.zero_threshold:
        return True
    if uncut_threshold(previous, current.zero_threshold) != current.zero_threshold:
        return True
    previous = to_layout(previous, Layout(current.schema, current.zero_threshold, ()))
    return (
        current.zero_count < previous.zero_count
        or _any_fell(current.positive, previous.positive)
        or _any_fell(current.negative, previous.negative)
    )


def hint_after(previous: FloatHistogram | None, current: FloatHistogram) -> CounterReset:
    """The hint to store `current` with: a gauge stays one, and a counter that went on was not reset.

    All else is unknown, resets included: the predecessor may be out of a query's sight, or expired. It is
    what upstream's histogram chunks hand out (tsdb/chunkenc, counterResetHint). `previous` is None at the
    beginning and after a stale marker.
    """
    if current.counter_reset_hint is CounterReset.GAUGE:
        return CounterReset.GAUGE
    if previous is None or CounterReset.GAUGE is previous.counter_reset_hint:
        return CounterReset.UNKNOWN
    if current.counter_reset_hint is CounterReset.RESET or _layout(current) != _layout(previous):
        return CounterReset.UNKNOWN
    went_on = not is_reset(current.with_hint(CounterReset.UNKNOWN), previous)
    return CounterReset.NOT_RESET if went_on else CounterReset.UNKNOWN


def _layout(histogram: FloatHistogram) -> Layout:
    return Layout(histogram.schema, histogram.zero_threshold, histogram.custom_values)


def _combine(left: FloatHistogram, right: FloatHistogram, sign: float) -> Combined:
    layout, reconciled = common_layout(left, right)
    hint, collision = _joint_hint(left.counter_reset_hint, right.counter_reset_hint)
    left, right = _aligned(to_layout(left, layout), to_layout(right, layout))
    with np.errstate(invalid="ignore", over="ignore"):
        histogram = _with_numbers(left, _numbers(left) + sign * _numbers(right)).with_hint(hint)
    return Combined(histogram.compact() if reconciled else histogram, collision, reconciled)


def _joint_hint(left: CounterReset, right: CounterReset) -> tuple[CounterReset, bool]:
    """The hint of a sum, and whether the two contradict each other (upstream adjustCounterReset)."""
    if left is right:
        return left, False
    if CounterReset.GAUGE in (left, right):
        return CounterReset.GAUGE, False
    return CounterReset.UNKNOWN, CounterReset.UNKNOWN not in (left, right)


def _aligned(left: FloatHistogram, right: FloatHistogram) -> tuple[FloatHistogram, FloatHistogram]:
    """Both with all buckets that either has. Requires: one layout."""
    if _same_indexes(left.positive, right.positive) and _same_indexes(left.negative, right.negative):
        return left, right
    positive = np.union1d(left.positive.indexes, right.positive.indexes)
    negative = np.union1d(left.negative.indexes, right.negative.indexes)
    return (
        replace(left, positive=_spread(left.positive, positive), negative=_spread(left.negative, negative)),
        replace(
            right, positive=_spread(right.positive, positive), negative=_spread(right.negative, negative)
        ),
    )


def _same_indexes(left: Buckets, right: Buckets) -> bool:
    return left.indexes is right.indexes or np.array_equal(left.indexes, right.indexes)


def _numbers(histogram: FloatHistogram) -> FloatArray:
    """Count, sum, zero count, then the counts of both sides: what adds up element by element."""
    totals = (histogram.count, histogram.sum, histogram.zero_count)
    return np.concatenate((totals, histogram.positive.counts, histogram.negative.counts))


def _with_numbers(histogram: FloatHistogram, numbers: FloatArray) -> FloatHistogram:
    """The inverse of `_numbers`, on the buckets of `histogram`."""
    count, total, zero_count = numbers[:3].tolist()
    positive, negative = np.split(numbers[3:], [len(histogram.positive)])
    return replace(
        histogram,
        count=count,
        sum=total,
        zero_count=zero_count,
        positive=Buckets(histogram.positive.indexes, positive),
        negative=Buckets(histogram.negative.indexes, negative),
    )


def _compensated_sum(
    sums: FloatArray, addends: FloatArray, errors: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """One Kahan-Neumaier step: the new sums, and what they still lack (upstream kahansum.Inc)."""
    with np.errstate(invalid="ignore", over="ignore"):
        totals = sums + addends
        swap = np.abs(sums) < np.abs(addends)
        larger, smaller = np.where(swap, addends, sums), np.where(swap, sums, addends)
        lost = errors + ((larger - totals) + smaller)
    return totals, np.where(np.isinf(totals), 0.0, lost)


def _spread_sides(histogram: FloatHistogram, positive: IntArray, negative: IntArray) -> FloatHistogram:
    return replace(
        histogram,
        positive=_spread(histogram.positive, positive),
        negative=_spread(histogram.negative, negative),
    )


def _spread(buckets: Buckets, indexes: IntArray) -> Buckets:
    """The buckets at `indexes`, empty where there was none. Requires: every bucket is among them."""
    counts = np.zeros(len(indexes))
    counts[np.searchsorted(indexes, buckets.indexes)] = buckets.counts
    return Buckets(indexes, counts)


def _merged(indexes: IntArray, counts: FloatArray) -> Buckets:
    """Counts summed where ascending `indexes` repeat."""
    if not len(indexes):
        return NO_BUCKETS
    starts = np.flatnonzero(np.diff(indexes, prepend=indexes[0] - 1))
    return Buckets(indexes[starts], np.add.reduceat(counts, starts))


def _rebinned(histogram: FloatHistogram, bounds: tuple[float, ...]) -> Buckets:
    own = np.array(histogram.custom_values)
    target = np.append(np.searchsorted(np.array(bounds), own), len(bounds)).astype(np.int64)
    return _merged(target[histogram.positive.indexes], histogram.positive.counts)


def _with_zero_threshold(histogram: FloatHistogram, threshold: float) -> FloatHistogram:
    if threshold == histogram.zero_threshold:
        return histogram
    inside_positive, outside_positive = _split_at(histogram, histogram.positive, threshold)
    inside_negative, outside_negative = _split_at(histogram, histogram.negative, threshold)
    return replace(
        histogram,
        zero_threshold=threshold,
        zero_count=histogram.zero_count + inside_positive + inside_negative,
        positive=outside_positive,
        negative=outside_negative,
    )


def _split_at(histogram: FloatHistogram, side: Buckets, threshold: float) -> tuple[float, Buckets]:
    """The count of the buckets that begin below `threshold`, and the other buckets."""
    lower = np.array([histogram.bound(index - 1) for index in side.indexes.tolist()], dtype=np.float64)
    return float(side.counts[lower < threshold].sum()), side.where(lower >= threshold)


def _any_fell(current: Buckets, previous: Buckets) -> bool:
    indexes = np.union1d(current.indexes, previous.indexes)
    return bool((_spread(current, indexes).counts < _spread(previous, indexes).counts).any())
