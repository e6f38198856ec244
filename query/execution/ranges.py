"""Range vectors: samples in the range before each step, and functions of them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from query.execution.columns import float_samples, present_mask
from query.execution.context import EvalContext
from query.execution.errors import EvaluationError
from query.execution.histogram_stats import without_buckets
from query.execution.result import RawSeries
from query.execution.selectors import column_blocks, reference_ms, stored_samples, wide_blocks
from query.execution.values import Vector
from query.kernels.extended import interpolated
from query.kernels.windows import Windows
from query.language import ast
from query.plan.nodes import RangeNode, RangeSelect
from tsdb import HistogramSeries, LabelFrame, Selection, Slab, StartTimestamps
from tsdb.arrays import equal_columns
from tsdb.histogram import CounterReset, FloatHistogram
from tsdb.sample import NEVER_MS, BoolArray, FloatArray, IntArray, is_sample


@dataclass(frozen=True)
class Block:
    """Columns that have a sample in each of the same rows.

    `series` are their positions in the range vector's labels; `values` is float64[row, column].
    """

    series: IntArray
    timestamps_ms: IntArray
    values: FloatArray


class Cut(NamedTuple):
    """Ranges over rows of samples: `steps` are those that have samples enough, all others as in `Windows`.

    `samples[step]` is how many are looked at in a column at each step.
    """

    steps: IntArray
    samples: IntArray
    timestamps_ms: IntArray
    bounds: tuple[IntArray, IntArray, IntArray, IntArray, IntArray]

    def windows(self, values: FloatArray) -> Windows:
        """The windows of `values[row, column]`. Requires: a step."""
        return Windows(self.timestamps_ms, values, *self.bounds)


@dataclass(frozen=True)
class RangeVector:
    """At each step the samples in (`start_ms[step]`, `end_ms[step]`]; `blocks()` reads the floats.

    They come from `slabs`, unless they are a subquery's.
    """

    labels: LabelFrame
    blocks: Callable[[], Iterator[Block]]
    histograms: Sequence[HistogramSeries]
    start_ms: IntArray
    end_ms: IntArray
    drop_name: BoolArray | None = None
    extension: ast.Extension | None = None
    lookback_ms: int = 0
    start_timestamps: Sequence[StartTimestamps] = ()
    slabs: Sequence[Slab] = ()

    @property
    def before_ms(self) -> int:
        """How long before the range samples still count."""
        return 0 if self.extension is None else self.lookback_ms

    @property
    def after_ms(self) -> int:
        """How long after the range samples already count."""
        return self.lookback_ms if self.extension is ast.Extension.SMOOTHED else 0

    def window_rows(self, timestamps_ms: IntArray) -> tuple[IntArray, IntArray]:
        """The first and the last row of each window: int64[step]; an empty one ends before it begins."""
        if self.extension is not None:
            return self._extended_rows(timestamps_ms)
        first = timestamps_ms.searchsorted(self.start_ms, side="right")
        return first, timestamps_ms.searchsorted(self.end_ms, side="right") - 1

    def cut(self, timestamps_ms: IntArray, min_samples: int, steps_ms: IntArray) -> "Cut":
        """The windows with `min_samples` at least, over rows with these timestamps."""
        first, last = self.window_rows(timestamps_ms)
        counts = last - first + 1
        steps = np.flatnonzero(counts >= min_samples)
        bounds = (first[steps], last[steps], self.start_ms[steps], self.end_ms[steps], steps_ms[steps])
        return Cut(steps, counts, timestamps_ms, bounds)

    def _extended_rows(self, timestamps_ms: IntArray) -> tuple[IntArray, IntArray]:
        """From the sample at or before the start, if not too old, to the end, or the sample after it."""
        oldest = np.searchsorted(timestamps_ms, self.start_ms - self.lookback_ms, side="right")
        after_start = np.searchsorted(timestamps_ms, self.start_ms, side="right")
        first = np.maximum(oldest, after_start - 1)
        last = np.searchsorted(timestamps_ms, self.end_ms, side="right") - 1
        if self.extension is ast.Extension.SMOOTHED:
            newest = np.searchsorted(timestamps_ms, self.end_ms + self.lookback_ms, side="right") - 1
            last = np.minimum(newest, np.searchsorted(timestamps_ms, self.end_ms, side="left"))
            starts_late = np.append(timestamps_ms, NEVER_MS)[first] > self.end_ms
            last[starts_late] = -1
        return first, np.where(last < after_start, first - 1, last)

    def floats_of(self, positions: Collection[int]) -> dict[int, RawSeries]:
        """The floats of some series, whatever the step."""
        found = {}
        for block in self.blocks():
            for column in np.flatnonzero(np.isin(block.series, list(positions))):
                found[int(block.series[column])] = RawSeries(block.timestamps_ms, block.values[:, column])
        return found


def select_ranges(node: RangeSelect, context: EvalContext) -> RangeVector:
    """The samples of a range selector."""
    end_ms = reference_ms(node, context)
    start_ms = end_ms - node.range_ms
    extension, lookback_ms = node.source.selector.extension, context.options.lookback_ms
    before_ms = 0 if extension is None else lookback_ms
    after_ms = lookback_ms if extension is ast.Extension.SMOOTHED else 0
    selection = context.snapshot.select(
        node.matchers, int(start_ms[0]) - before_ms + 1, int(end_ms[-1]) + after_ms
    )
    histograms: Sequence[HistogramSeries] = selection.histograms
    if node.skips_buckets:
        histograms = [without_buckets(each, start_ms - before_ms, end_ms + after_ms) for each in histograms]
    if context.trace:
        context.trace.add(node, selection.labels.size, stored_samples(selection.slabs), 0.0)
    return RangeVector(
        selection.labels,
        partial(stored_blocks, selection),
        histograms,
        start_ms,
        end_ms,
        extension=extension,
        lookback_ms=lookback_ms,
        start_timestamps=selection.start_timestamps,
        slabs=selection.slabs,
    )


def vector_ranges(
    node: RangeNode, inner: Vector, inner_steps_ms: IntArray, context: EvalContext
) -> RangeVector:
    """The samples of a subquery, whose expression is `inner` at `inner_steps_ms`."""
    end_ms = reference_ms(node, context)
    blocks = partial(_computed_blocks, inner, inner_steps_ms)
    histograms = _computed_histograms(inner, inner_steps_ms)
    return RangeVector(inner.labels, blocks, histograms, end_ms - node.range_ms, end_ms, inner.drop_name)


def dense_blocks(
    series: IntArray, timestamps_ms: IntArray, values: FloatArray, present: BoolArray | None
) -> Iterator[Block]:
    """Columns grouped by the rows they have a sample in, each group without its empty rows.

    `present` is bool[row, column], None for everywhere. Series of one target mostly have one pattern of gaps.
    """
    if present is None:
        yield Block(series, timestamps_ms, values)
        return
    for columns in equal_columns(present):
        rows = np.flatnonzero(present[:, columns[0]])
        if len(rows):
            yield Block(series[columns], timestamps_ms[rows], values[np.ix_(rows, columns)])


def stored_blocks(selection: Selection) -> Iterator[Block]:
    for slab in selection.slabs:
        rows = len(slab.timestamps_ms)
        for columns in wide_blocks(len(slab.series), rows):
            series, values = slab.series[columns], slab.read(columns)
            present = is_sample(values)
            for some in column_blocks(len(series), rows):
                there = None if present is None else present[:, some]
                yield from dense_blocks(series[some], slab.timestamps_ms, values[:, some], there)


def _computed_blocks(vector: Vector, steps_ms: IntArray) -> Iterator[Block]:
    floats = float_samples(vector)
    for columns in column_blocks(vector.labels.size, len(steps_ms)):
        series = np.arange(columns.start, columns.stop)
        present = None if floats is None else floats[:, columns]
        yield from dense_blocks(series, steps_ms, vector.values[:, columns], present)


def _computed_histograms(vector: Vector, steps_ms: IntArray) -> list[HistogramSeries]:
    """The histograms of a vector; what their hints tell of resets is unknown between other neighbours."""
    if vector.histograms is None:
        return []
    cells = vector.histograms
    present = present_mask(vector)
    series = []
    for column in range(vector.labels.size):
        steps = [step for step in np.flatnonzero(present[:, column]) if cells[step, column] is not None]
        histograms = [_without_reset_hint(cells[step, column]) for step in steps]
        if steps:
            series.append(HistogramSeries(column, steps_ms[steps], histograms))
    return series


def _without_reset_hint(histogram: FloatHistogram) -> FloatHistogram:
    is_gauge = histogram.counter_reset_hint is CounterReset.GAUGE
    return histogram if is_gauge else histogram.with_hint(CounterReset.UNKNOWN)


def raw_samples(ranges: RangeVector) -> tuple[LabelFrame, list[RawSeries]]:
    """The samples of each series in the range before the one step; series without any are left out."""
    start_ms, end_ms = int(ranges.start_ms[0]), int(ranges.end_ms[0])
    found: dict[int, RawSeries] = {}
    for block in ranges.blocks():
        for series, values in zip(block.series.tolist(), block.values.T, strict=True):
            found[series] = RawSeries(block.timestamps_ms, values)
    for each in ranges.histograms:
        floats = found.get(each.position, RawSeries(each.timestamps_ms[:0], np.empty(0)))
        found[each.position] = floats.with_histograms(each)
    if ranges.extension is None:
        found = {series: samples.between(start_ms, end_ms) for series, samples in found.items()}
    elif ranges.histograms:
        raise EvaluationError(f"{ranges.extension.value} modifier is not supported with histograms")
    else:
        found = {series: _extended(samples, ranges) for series, samples in found.items()}
    kept = [series for series, samples in found.items() if len(samples)]
    return ranges.labels.take(np.array(kept, dtype=np.int64)), [found[series] for series in kept]


def _extended(samples: RawSeries, ranges: RangeVector) -> RawSeries:
    """The samples inside the range, and values at both its bounds (upstream extendFloats)."""
    times_ms, values = samples.timestamps_ms, samples.values[:, None]
    first, last = ranges.window_rows(times_ms)
    if last[0] < first[0]:
        return RawSeries(times_ms[:0], samples.values[:0])
    left, right = values[first], values[last]
    if ranges.extension is ast.Extension.SMOOTHED:
        if times_ms[first[0]] < ranges.start_ms[0]:
            left = interpolated(times_ms, values, first, ranges.start_ms)
        if times_ms[last[0]] > ranges.end_ms[0]:
            right = interpolated(times_ms, values, last - 1, ranges.end_ms)
    inner = (times_ms > ranges.start_ms[0]) & (times_ms < ranges.end_ms[0])
    return RawSeries(
        np.concatenate((ranges.start_ms, times_ms[inner], ranges.end_ms)),
        np.concatenate((left[0], samples.values[inner], right[0])),
    )
