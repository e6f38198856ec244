"""Aggregations of functions of ranges, computed once a group instead of once a series.

What a group's series add up to in each row is found first, some columns at a time and in several threads;
windows are then taken of the few sums, and the cost follows the samples, whatever the number of steps.
Columns for which that would not be exact (see `query.kernels.fused`) go through the function's own kernel,
and the partial results are added.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from query.execution.aggregate import group_labels
from query.execution.columns import as_slice
from query.execution.context import EvalContext
from query.execution.names import require_distinct_labels, unnamed
from query.execution.parallel import THREADS_PAY_FROM, in_threads
from query.execution.range_functions import remark
from query.execution.ranges import Block, Cut, RangeVector, dense_blocks, select_ranges
from query.execution.selectors import stored_samples, wide_blocks
from query.execution.values import Vector
from query.kernels.fused import FUSED_KERNELS
from query.kernels.grouped import REDUCTIONS
from query.kernels.grouping import Grouping
from query.kernels.ranges import RANGE_KERNELS
from query.plan.nodes import AggregateOverTime
from tsdb import Slab
from tsdb.sample import BoolArray, FloatArray, IntArray, is_sample

SERIES_A_GROUP: Final = 4
"""With fewer on average, the windows of the groups would cost as much as those of the series."""

FUSING_PAYS_FROM: Final = 1 << 15
"""Results of the function: fewer are computed in less time than it takes to divide the work."""

_FEW_SERIES: Final = 512  # so few have not got samples enough for threads
_MAX_SET_ASIDE: Final = 1 << 20  # samples
_MAX_CONDITION: Final = 1024.0  # as in query.kernels.compensated


class CannotFuseError(Exception):
    """The function must be evaluated by itself: the fused result would not be exact, or not come faster."""


def aggregate_over_time(node: AggregateOverTime, context: EvalContext) -> Vector:
    """`node.source.op` of `node.call` at every step.

    Raises `CannotFuseError`, and `EvaluationError` as the function itself does.
    """
    series = context.snapshot.matching(node.ranges.matchers)
    if series < _FEW_SERIES and series * context.step_count < FUSING_PAYS_FROM:
        raise CannotFuseError
    ranges = select_ranges(node.ranges, context)
    if not _is_large(ranges, context):
        raise CannotFuseError
    labels, drop_name = unnamed(ranges.labels, context)
    keys = group_labels(node.source, labels)
    groups = keys.group()
    if ranges.histograms or ranges.start_timestamps or groups.count * SERIES_A_GROUP > labels.size:
        raise CannotFuseError
    budget, in_use = context.budget, context.budget.in_use
    context.reserve(context.step_count * labels.size)
    fusion = _Fusion(_Reducer(node.call.source.function, ranges, groups.ids, context), groups.count)
    fusion.run()
    context.looked_at(fusion.samples)
    found = np.flatnonzero(fusion.has_result)
    remark(node.call.source, ranges.labels.take(found), context)
    if drop_name is None:
        require_distinct_labels(labels.take(found), ranges.labels)
    present = fusion.counts > 0
    kept = np.flatnonzero(present.any(axis=0))
    budget.settle(in_use + context.step_count * len(found))
    context.reserve(context.step_count * len(kept))
    present = present[:, kept]
    return Vector(
        keys.take(groups.first[kept]),
        fusion.aggregated(node.source.op)[:, kept],
        None if present.all() else present,
        drop_name=None if drop_name is None else np.ones(len(kept), dtype=np.bool_),
    )


def _is_large(ranges: RangeVector, context: EvalContext) -> bool:
    return (
        ranges.labels.size * context.step_count >= FUSING_PAYS_FROM
        or stored_samples(ranges.slabs) >= THREADS_PAY_FROM
    )


class _Excess(NamedTuple):
    """What is to be subtracted from the result: three arrays[cell]."""

    steps: IntArray
    groups: IntArray
    amounts: FloatArray


class _Reduced(NamedTuple):
    """Columns with samples in the same rows: what they come to in `rows[row, group]`.

    `sizes[group]` columns count. `unsound` are those that don't, and need the kernel.
    """

    series: IntArray
    cut: Cut
    groups: IntArray
    sizes: IntArray
    rows: FloatArray
    excess: _Excess | None
    unsound: Block | None


@dataclass(frozen=True)
class _Reducer:
    """Reduces blocks of samples to rows of groups; `reduced` runs in several threads."""

    function: str
    ranges: RangeVector
    group_of: IntArray
    context: EvalContext

    def work(self) -> list[tuple[Slab, slice]]:
        """Some columns of a slab each, those of one group side by side."""
        found = []
        for slab in self.ranges.slabs:
            groups = self.group_of[slab.series]
            is_ordered = bool((groups[1:] >= groups[:-1]).all())
            ordered = slab if is_ordered else slab.take(np.argsort(groups, kind="stable"))
            found += [(ordered, columns) for columns in wide_blocks(len(groups), len(slab.timestamps_ms))]
        return found

    def reduced(self, work: tuple[Slab, slice]) -> list[_Reduced]:
        """The columns of one piece of work, those with equal gaps together."""
        self.context.check()
        slab, columns = work
        values = slab.read(columns)
        blocks = dense_blocks(slab.series[columns], slab.timestamps_ms, values, is_sample(values))
        return [self._reduced_block(block) for block in blocks]

    def cut(self, timestamps_ms: IntArray) -> Cut:
        """The windows over rows with these timestamps."""
        min_samples = RANGE_KERNELS[self.function].min_samples
        return self.ranges.cut(timestamps_ms, min_samples, self.context.steps_ms)

    def _reduced_block(self, block: Block) -> _Reduced:
        kernel, cut = FUSED_KERNELS[self.function], self.cut(block.timestamps_ms)
        terms, sound = kernel.terms(block.values)
        group_of = self.group_of[block.series]
        starts = np.flatnonzero(np.diff(group_of, prepend=-1))
        excess = None
        if kernel.excess is not None and len(cut.steps):
            steps, columns, amounts = kernel.excess(cut.windows(block.values))
            counts = sound[columns]
            excess = _Excess(cut.steps[steps[counts]], group_of[columns[counts]], amounts[counts])
        unsound = None
        if not sound.all():
            unsound = Block(block.series[~sound], block.timestamps_ms, block.values[:, ~sound])
        return _Reduced(
            block.series,
            cut,
            group_of[starts],
            np.add.reduceat(sound, starts, dtype=np.int64),
            kernel.reduce.reduceat(terms, starts, axis=1),
            excess,
            unsound,
        )


class _Pending(NamedTuple):
    """What columns with the same timestamps come to so far: `rows[row, group]`, `sizes[group]` columns."""

    cut: Cut
    sizes: IntArray
    rows: FloatArray


class _Fusion:
    """One evaluation: `values` and `counts` (of the series with a result) are [step, group].

    Rows of groups are `_pending` until some with other timestamps come; the columns `_set_aside` for the
    kernel are kept by their timestamps.
    """

    def __init__(self, reducer: _Reducer, group_count: int) -> None:
        self._reducer = reducer
        self._kernel = FUSED_KERNELS[reducer.function]
        shape = (reducer.context.step_count, group_count)
        self.values = np.full(shape, self._kernel.neutral)
        self.counts = np.zeros(shape, dtype=np.int64)
        self.has_result: BoolArray = np.zeros(len(reducer.group_of), dtype=np.bool_)
        self.samples = np.zeros(shape[0], dtype=np.int64)
        self._magnitudes: FloatArray | None = None
        self._pending: _Pending | None = None
        self._set_aside: dict[bytes, list[Block]] = {}
        self._set_aside_samples = 0

    def run(self) -> None:
        """Raises `CannotFuseError` if something is not finite, or cancels out."""
        reducer = self._reducer
        samples = stored_samples(reducer.ranges.slabs)
        for blocks in in_threads(reducer.reduced, reducer.work(), samples=samples):
            for block in blocks:
                self._gather(block)
            if self._set_aside_samples > _MAX_SET_ASIDE:
                self._apply_kernel()
        self._flush()
        self._apply_kernel()
        magnitudes = self._magnitudes
        if magnitudes is not None and (magnitudes > _MAX_CONDITION * np.abs(self.values)).any():
            raise CannotFuseError

    def aggregated(self, op: str) -> FloatArray:
        """float64[step, group]; anything where a count is 0."""
        if op == "count":
            return self.counts.astype(np.float64)
        return self.values / self.counts if op == "avg" else self.values

    def _gather(self, block: _Reduced) -> None:
        self.samples += block.cut.samples * len(block.series)
        self.has_result[block.series] = len(block.cut.steps) > 0
        pending = self._pending
        if pending is None or not np.array_equal(pending.cut.timestamps_ms, block.cut.timestamps_ms):
            self._flush()
            sizes = np.zeros(self.values.shape[1], dtype=np.int64)
            rows = np.full((len(block.rows), len(sizes)), self._kernel.neutral)
            self._pending = pending = _Pending(block.cut, sizes, rows)
        groups = as_slice(block.groups)
        pending.sizes[groups] += block.sizes
        pending.rows[:, groups] = self._kernel.reduce(pending.rows[:, groups], block.rows)
        if block.excess is not None:
            steps, groups, amounts = block.excess
            np.subtract.at(self.values, (steps, groups), amounts)
        if block.unsound is not None:
            self._set_aside.setdefault(block.cut.timestamps_ms.tobytes(), []).append(block.unsound)
            self._set_aside_samples += block.unsound.values.size

    def _flush(self) -> None:
        """Take the windows of the pending rows."""
        if self._pending is None:
            return
        cut, sizes, rows = self._pending
        self._pending = None
        groups = np.flatnonzero(sizes)
        if len(cut.steps) and len(groups):
            values = self._kernel.windows(cut.windows(rows[:, as_slice(groups)]))
            if self._kernel.reduce is np.add and not np.isfinite(values).all():
                raise CannotFuseError
            self._add(cut, groups, values, sizes[groups])

    def _apply_kernel(self) -> None:
        """Compute the columns that were set aside, one by one."""
        function = self._reducer.function
        for blocks in self._set_aside.values():
            cut = self._reducer.cut(blocks[0].timestamps_ms)
            if len(cut.steps):
                columns = np.concatenate([block.values for block in blocks], axis=1)
                results = RANGE_KERNELS[function].compute(cut.windows(columns), ())
                group_of = np.concatenate([self._reducer.group_of[block.series] for block in blocks])
                groups, ids = np.unique(group_of, return_inverse=True)
                grouping = Grouping.of(ids, len(groups))
                self._add(cut, groups, REDUCTIONS["sum"](results, None, grouping), grouping.sizes)
        self._set_aside = {}
        self._set_aside_samples = 0

    def _add(self, cut: Cut, groups: IntArray, values: FloatArray, sizes: IntArray) -> None:
        """Add a partial result: `values[step of the cut, group]` of `sizes[group]` series."""
        cells = np.ix_(cut.steps, groups)
        self.counts[cells] += sizes
        if self._kernel.reduce is np.add and (self._magnitudes is not None or values.min() < 0):
            if self._magnitudes is None:
                self._magnitudes = np.abs(self.values)
            self._magnitudes[cells] += np.abs(values)
        self.values[cells] = self._kernel.reduce(self.values[cells], values)
