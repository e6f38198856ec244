"""Sums of groups that lose nothing to cancellation."""

import numpy as np

from query.kernels.grouping import Grouping
from tsdb.sample import BoolArray, FloatArray, IntArray

_MAX_CONDITION = 1024.0
"""Up to this ratio of sum(|x|) to |sum(x)|, a pairwise sum is right to 1e-12: 15 roundings, times this."""


def grouped_sum(block: FloatArray, grouping: Grouping) -> FloatArray:
    """The sum of each group: `block[step, position]` -> float64[step, group].

    Upstream (util/kahansum) compensates each addition. That matters only where terms cancel, so it is done
    there only: elsewhere numpy's pairwise sum has the same digits. Infinities and overflows come out as if
    the terms were added one by one.
    """
    totals = np.add.reduceat(block, grouping.starts, axis=1)
    if block.min() >= 0.0:
        return totals
    magnitudes = np.add.reduceat(np.abs(block), grouping.starts, axis=1)
    cancelled = (magnitudes > _MAX_CONDITION * np.abs(totals)) & np.isfinite(magnitudes)
    if cancelled.any():
        groups = np.flatnonzero(cancelled.any(axis=0))
        totals[:, groups] = _pairwise_compensated(block, grouping, groups)
    overflowed = np.isinf(magnitudes)
    if overflowed.any():
        _sum_in_order(block, grouping, overflowed, totals)
    return totals


def _pairwise_compensated(block: FloatArray, grouping: Grouping, groups: IntArray) -> FloatArray:
    """Sums over a binary tree that carries each addition's rounding error (Neumaier) beside its result."""
    sizes = grouping.sizes[groups]
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(int(sizes.sum())) - np.repeat(starts, sizes)
    end = np.repeat(sizes, sizes)
    values = block[:, np.repeat(grouping.starts[groups], sizes) + rank]
    errors = np.zeros_like(values)
    distance = 1
    while distance < int(sizes.max()):
        into = np.flatnonzero((rank % (2 * distance) == 0) & (rank + distance < end))
        left, right = values[:, into], values[:, into + distance]
        total = left + right
        error = np.where(np.abs(left) >= np.abs(right), (left - total) + right, (right - total) + left)
        values[:, into] = total
        errors[:, into] += errors[:, into + distance] + error
        distance *= 2
    return values[:, starts] + errors[:, starts]


def _sum_in_order(block: FloatArray, grouping: Grouping, cells: BoolArray, totals: FloatArray) -> None:
    """Fill `totals` where terms are infinite, or where the sum may leave float64 on its way."""
    for group in np.flatnonzero(cells.any(axis=0)).tolist():
        steps = np.flatnonzero(cells[:, group])
        start = int(grouping.starts[group])
        total, *terms = block[steps, start : start + int(grouping.sizes[group])].T
        error = np.zeros_like(total)
        for term in terms:
            before, total = total, total + term
            lost = np.where(np.abs(before) >= np.abs(term), (before - total) + term, (term - total) + before)
            error = np.where(np.isinf(total), 0.0, error + lost)
        totals[steps, group] = np.where(np.isinf(total), total, total + error)
