"""Range vectors: samples in the range before each step, and functions of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from query.execution.building import VectorBuilder
from query.execution.context import EvalContext
from query.execution.result import RawSeries
from query.execution.selectors import column_blocks, reference_ms
from query.execution.values import Vector
from query.kernels.ranges import RangeKernel
from query.kernels.windows import Windows
from query.plan.nodes import RangeNode, RangeSelect
from tsdb import LabelFrame
from tsdb.sample import BoolArray, FloatArray, IntArray, is_sample
from tsdb.snapshot import Selection


@dataclass(frozen=True)
class Block:
    """Columns that have a sample in each of the same rows.

    `series` are their positions in the range vector's labels; `values` is float64[row, column].
    """

    series: IntArray
    timestamps_ms: IntArray
    values: FloatArray


@dataclass(frozen=True)
class RangeVector:
    """At each step the samples in (`start_ms[step]`, `end_ms[step]`]; `blocks` can be read once."""

    labels: LabelFrame
    blocks: Iterable[Block]
    start_ms: IntArray
    end_ms: IntArray
    drop_name: BoolArray | None = None


def select_ranges(node: RangeSelect, context: EvalContext) -> RangeVector:
    """The samples of a range selector."""
    end_ms = reference_ms(node, context)
    start_ms = end_ms - node.range_ms
    selection = context.snapshot.select(node.matchers, int(start_ms[0]) + 1, int(end_ms[-1]))
    return RangeVector(selection.labels, _stored_blocks(selection), start_ms, end_ms)


def vector_ranges(
    node: RangeNode, inner: Vector, inner_steps_ms: IntArray, context: EvalContext
) -> RangeVector:
    """The samples of a subquery, whose expression is `inner` at `inner_steps_ms`."""
    end_ms = reference_ms(node, context)
    blocks = _computed_blocks(inner, inner_steps_ms)
    return RangeVector(inner.labels, blocks, end_ms - node.range_ms, end_ms, inner.drop_name)


def apply_kernel(
    kernel: RangeKernel, ranges: RangeVector, args: Sequence[FloatArray], context: EvalContext
) -> Vector:
    """The kernel's value where a window has samples enough; series without any are left out."""
    builder = VectorBuilder(ranges.labels, context)
    for block in ranges.blocks:
        context.check()
        first = np.searchsorted(block.timestamps_ms, ranges.start_ms, side="right")
        last = np.searchsorted(block.timestamps_ms, ranges.end_ms, side="right") - 1
        counts = last - first + 1
        context.budget.looked_at(int(counts.sum()) * len(block.series))
        enough = counts >= kernel.min_samples
        steps = np.flatnonzero(enough)
        if len(steps) == 0:
            continue
        windows = Windows(
            block.timestamps_ms,
            block.values,
            first[steps],
            last[steps],
            ranges.start_ms[steps],
            ranges.end_ms[steps],
            context.steps_ms[steps],
        )
        values = kernel.compute(windows, [arg[steps] for arg in args])
        if len(steps) == len(enough):
            builder.add(block.series, values, None)
        else:
            all_steps = np.zeros((len(enough), len(block.series)))
            all_steps[steps] = values
            builder.add(block.series, all_steps, enough[:, None])
    return builder.build(ranges.drop_name)


def dense_blocks(
    series: IntArray, timestamps_ms: IntArray, values: FloatArray, present: BoolArray | None
) -> Iterator[Block]:
    """Columns grouped by the rows they have a sample in, each group without its empty rows.

    `present` is bool[row, column], None for everywhere. Series of one target mostly have one pattern of gaps.
    """
    if present is None:
        yield Block(series, timestamps_ms, values)
        return
    patterns = np.packbits(present, axis=0).T
    keys = np.ascontiguousarray(patterns).view(f"V{patterns.shape[1]}").ravel()
    _, sample_of, pattern_of = np.unique(keys, return_index=True, return_inverse=True)
    for pattern in np.argsort(sample_of):
        rows = np.flatnonzero(present[:, sample_of[pattern]])
        if len(rows):
            columns = np.flatnonzero(pattern_of == pattern)
            yield Block(series[columns], timestamps_ms[rows], values[np.ix_(rows, columns)])


def _stored_blocks(selection: Selection) -> Iterator[Block]:
    for slab in selection.slabs:
        for columns in column_blocks(len(slab.series), len(slab.timestamps_ms)):
            values = slab.read(columns)
            yield from dense_blocks(slab.series[columns], slab.timestamps_ms, values, is_sample(values))


def _computed_blocks(vector: Vector, steps_ms: IntArray) -> Iterator[Block]:
    for columns in column_blocks(vector.labels.size, len(steps_ms)):
        present = None if vector.present is None else vector.present[:, columns]
        series = np.arange(columns.start, columns.stop)
        yield from dense_blocks(series, steps_ms, vector.values[:, columns], present)


def raw_samples(ranges: RangeVector) -> tuple[LabelFrame, list[RawSeries]]:
    """The samples of each series in the range before the one step; series without any are left out."""
    kept, series = [], []
    for block in ranges.blocks:
        rows = slice(
            int(np.searchsorted(block.timestamps_ms, ranges.start_ms[0], side="right")),
            int(np.searchsorted(block.timestamps_ms, ranges.end_ms[0], side="right")),
        )
        times = block.timestamps_ms[rows]
        if len(times):
            kept.append(block.series)
            series += [RawSeries(times, column) for column in block.values[rows].T]
    positions = np.concatenate(kept) if kept else np.empty(0, dtype=np.int64)
    return ranges.labels.take(positions), series
