"""Native histograms without their buckets (upstream promql/histogram_stats_iterator.go)."""

from collections.abc import Iterator

import numpy as np

from tsdb import HistogramSeries
from tsdb.histogram import CounterReset, FloatHistogram
from tsdb.histogram_arithmetic import is_reset
from tsdb.sample import IntArray


def without_buckets(series: HistogramSeries, from_ms: IntArray, to_ms: IntArray) -> HistogramSeries:
    """Counts and sums alone, with hints that tell of all resets between samples that are read one by one.

    At each step the samples from `from_ms[step]` to `to_ms[step]`, both inclusive, are read: int64[step],
    ascending. A step whose range begins after what was read for the one before starts afresh.
    """
    begins = set(_beginnings(series.timestamps_ms, from_ms, to_ms))
    known, previous = [], None
    for row, histogram in enumerate(series.histograms):
        hint = _hint(histogram, None if row in begins else previous)
        known.append(
            FloatHistogram(
                histogram.schema, count=histogram.count, sum=histogram.sum, counter_reset_hint=hint
            )
        )
        previous = histogram.with_hint(hint)
    return HistogramSeries(series.position, series.timestamps_ms, known)


def _beginnings(timestamps_ms: IntArray, from_ms: IntArray, to_ms: IntArray) -> Iterator[int]:
    """The rows before which reading skips, or begins."""
    first = np.searchsorted(timestamps_ms, from_ms, side="left")
    yield int(first[0])
    reached = np.minimum(np.searchsorted(timestamps_ms, to_ms[:-1], side="left"), len(timestamps_ms) - 1)
    yield from first[1:][timestamps_ms[reached] < from_ms[1:]].tolist()


def _hint(histogram: FloatHistogram, previous: FloatHistogram | None) -> CounterReset:
    if histogram.counter_reset_hint is not CounterReset.UNKNOWN or previous is None:
        return histogram.counter_reset_hint
    return CounterReset.RESET if is_reset(histogram, previous) else CounterReset.NOT_RESET


def stored_sizes(series: HistogramSeries) -> IntArray:
    """int64[row]: as how many samples each histogram counts."""
    return np.array([size_in_samples(histogram) for histogram in series.histograms], dtype=np.int64)


def size_in_samples(histogram: FloatHistogram) -> int:
    """Source: upstream HPoint.size, which divides its bytes in memory by those of a float sample."""
    sides = histogram.positive, histogram.negative
    buckets = sum(len(side) for side in sides)
    spans = sum(1 + int(np.count_nonzero(np.diff(side.indexes) > 1)) for side in sides if len(side))
    return (176 + 8 * (buckets + spans + len(histogram.custom_values))) // 16
