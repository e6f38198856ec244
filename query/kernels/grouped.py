"""Aggregations that reduce each group of series to one: a table of kernels with one signature."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np

from query.kernels.compensated import grouped_sum
from query.kernels.grouping import Grouping, step_blocks
from tsdb.sample import BoolArray, FloatArray, IntArray

Reduction: TypeAlias = Callable[[FloatArray, BoolArray | None, Grouping], FloatArray]
"""(values[step, series], present[step, series] or None, grouping) -> float64[step, group].

What stands where `group_present` is False means nothing.
"""


def group_counts(present: BoolArray | None, grouping: Grouping, steps: int) -> IntArray:
    """How many series of each group have a sample: int64[step, group]."""
    if present is None:
        return np.broadcast_to(grouping.sizes, (steps, grouping.count))
    counts = np.empty((steps, grouping.count), dtype=np.int64)
    for rows in step_blocks(steps, present.shape[1]):
        block = grouping.gather_mask(present[rows])
        np.add.reduceat(block, grouping.starts, axis=1, dtype=np.int64, out=counts[rows])
    return counts


def group_present(present: BoolArray | None, grouping: Grouping) -> BoolArray | None:
    """Where a group has any sample: bool[step, group], None if everywhere."""
    if present is None:
        return None
    out = np.empty((present.shape[0], grouping.count), dtype=np.bool_)
    for rows in step_blocks(present.shape[0], present.shape[1]):
        np.logical_or.reduceat(grouping.gather_mask(present[rows]), grouping.starts, axis=1, out=out[rows])
    return None if out.all() else out


def _sum(values: FloatArray, present: BoolArray | None, grouping: Grouping) -> FloatArray:
    totals = _by_blocks(values, present, grouping, 0.0, lambda block: grouped_sum(block, grouping))
    totals += 0.0  # upstream's compensation, added last, makes 0 of -0
    return totals


def _avg(values: FloatArray, present: BoolArray | None, grouping: Grouping) -> FloatArray:
    totals = _sum(values, present, grouping)
    counts = group_counts(present, grouping, len(values))
    means = totals / counts
    overflowed = np.isinf(totals)
    if overflowed.any():
        # The sum leaves float64, the mean may not: divide first, as upstream's incremental mean does.
        divisors = np.repeat(counts, grouping.sizes, axis=1)
        if grouping.order is not None:
            divisors = divisors[:, np.argsort(grouping.order)]
        scaled = _sum(values / divisors, present, grouping)
        means = np.where(overflowed, scaled, means)
    return means


def _min(values: FloatArray, present: BoolArray | None, grouping: Grouping) -> FloatArray:
    return _by_blocks(values, present, grouping, np.nan, lambda block: _reduce(np.fmin, block, grouping))


def _max(values: FloatArray, present: BoolArray | None, grouping: Grouping) -> FloatArray:
    return _by_blocks(values, present, grouping, np.nan, lambda block: _reduce(np.fmax, block, grouping))


def _count(values: FloatArray, present: BoolArray | None, grouping: Grouping) -> FloatArray:
    return group_counts(present, grouping, len(values)).astype(np.float64)


def _group(values: FloatArray, _present: BoolArray | None, grouping: Grouping) -> FloatArray:
    return np.ones((len(values), grouping.count))


def _stdvar(values: FloatArray, present: BoolArray | None, grouping: Grouping) -> FloatArray:
    """Population variance in two passes, around a member of the group: equal values have exactly 0."""
    centres = _max(values, present, grouping)
    shifted = values - np.take(centres, grouping.ids, axis=1)
    means = _avg(shifted, present, grouping)
    shifted -= np.take(means, grouping.ids, axis=1)
    np.square(shifted, out=shifted)
    return _sum(shifted, present, grouping) / group_counts(present, grouping, len(values))


def _stddev(values: FloatArray, present: BoolArray | None, grouping: Grouping) -> FloatArray:
    return np.sqrt(_stdvar(values, present, grouping))


REDUCTIONS: Final[Mapping[str, Reduction]] = {
    "sum": _sum,
    "avg": _avg,
    "min": _min,
    "max": _max,
    "count": _count,
    "group": _group,
    "stdvar": _stdvar,
    "stddev": _stddev,
}


def _by_blocks(
    values: FloatArray,
    present: BoolArray | None,
    grouping: Grouping,
    missing: float,
    reduce: Callable[[FloatArray], FloatArray],
) -> FloatArray:
    """`reduce(block[step, position]) -> [step, group]` over blocks of steps; absent samples are `missing`."""
    out = np.empty((len(values), grouping.count))
    for rows in step_blocks(len(values), values.shape[1]):
        block = values[rows] if present is None else np.where(present[rows], values[rows], missing)
        out[rows] = reduce(grouping.gather(block))
    return out


def _reduce(ufunc: np.ufunc, block: FloatArray, grouping: Grouping) -> FloatArray:
    reduced: FloatArray = ufunc.reduceat(block, grouping.starts, axis=1)
    return reduced
