"""Aggregations that choose some series of each group: a table of kernels with one signature."""

import math
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np

from query.kernels.grouping import Grouping, step_blocks
from tsdb.sample import BoolArray, FloatArray, IntArray

Selection: TypeAlias = Callable[[FloatArray, BoolArray, Grouping, int], BoolArray]
"""(values[step, series], present[step, series], grouping, k >= 1) -> chosen[step, series], k a group."""


def _topk(values: FloatArray, present: BoolArray, grouping: Grouping, k: int) -> BoolArray:
    return _extremes(values, present, grouping, k, np.negative)


def _bottomk(values: FloatArray, present: BoolArray, grouping: Grouping, k: int) -> BoolArray:
    return _extremes(values, present, grouping, k, np.positive)


def _limitk(_values: FloatArray, present: BoolArray, grouping: Grouping, k: int) -> BoolArray:
    chosen = np.empty_like(present)
    for rows in step_blocks(*present.shape):
        candidates = grouping.gather_mask(present[rows])
        chosen[rows] = grouping.scatter_mask(candidates & (_ordinal(candidates, grouping) <= k))
    return chosen


SELECTIONS: Final[Mapping[str, Selection]] = {"topk": _topk, "bottomk": _bottomk, "limitk": _limitk}


def _extremes(values: FloatArray, present: BoolArray, grouping: Grouping, k: int, key: np.ufunc) -> BoolArray:
    """The k with the smallest key of each group, NaN last of all; of equal ones the first."""
    chosen = np.empty_like(present)
    sizes = np.unique(grouping.sizes[grouping.sizes > k]).tolist()
    places = [(size, grouping.positions_of(size)) for size in sizes]
    for rows in step_blocks(*present.shape):
        candidates = grouping.gather_mask(present[rows])
        block = np.where(candidates, key(grouping.gather(values[rows])), np.nan)
        picked = candidates.copy()
        # Groups of one size are one array [step, group, member]: a partition of its last axis does them all.
        for size, at in places:
            shape = (len(block), -1, size)
            members, filled = block[:, at].reshape(shape), candidates[:, at].reshape(shape)
            picked[:, at] = _smallest_members(members, filled, k).reshape(len(block), -1)
        chosen[rows] = grouping.scatter_mask(picked)
    return chosen


def _smallest_members(keys: FloatArray, candidates: BoolArray, k: int) -> BoolArray:
    """The k smallest over the last axis; keys that are no candidates must be NaN. Requires: k < members."""
    few = _promising(keys, k)
    if few is not None:
        return _smallest_of_few(keys, few, k)
    last = np.partition(keys, k - 1, axis=-1)[..., k - 1 : k]
    too_few = np.isnan(last)
    sure = (keys < last) | (too_few & ~np.isnan(keys))
    ties = ((keys == last) | (too_few & np.isnan(keys))) & candidates
    wanted = k - np.count_nonzero(sure, axis=-1, keepdims=True)
    if (np.count_nonzero(ties, axis=-1, keepdims=True) > wanted).any():
        ties &= np.cumsum(ties, axis=-1) <= wanted
    chosen: BoolArray = sure | ties
    return chosen


def _promising(keys: FloatArray, k: int) -> BoolArray | None:
    """A small superset of the k smallest, by the k-th least of the chunks' minima; None if it isn't small."""
    members = keys.shape[-1]
    chunk = math.isqrt(members)
    minima = np.fmin.reduceat(keys, np.arange(0, members, chunk), axis=-1)
    if k > minima.shape[-1] // 4:
        return None
    few: BoolArray = keys <= np.partition(minima, k - 1, axis=-1)[..., k - 1 : k]
    counts = np.count_nonzero(few, axis=-1)
    return few if counts.min() >= k and counts.max() <= 4 * chunk else None


def _smallest_of_few(keys: FloatArray, few: BoolArray, k: int) -> BoolArray:
    """`_smallest_members` among `few`, of which there are k at least, by sorting them."""
    cells = np.nonzero(few)
    rows = np.ravel_multi_index(cells[:-1], few.shape[:-1])
    order = np.lexsort((keys[cells], rows))
    starts = np.searchsorted(rows, rows)
    taken = order[np.arange(len(order)) - starts < k]
    chosen = np.zeros_like(few)
    chosen[tuple(each[taken] for each in cells)] = True
    return chosen


def _ordinal(mask: BoolArray, grouping: Grouping) -> IntArray:
    """For each True of `mask[step, position]`, the how manieth of its group it is, from 1."""
    seen = np.cumsum(mask, axis=1)
    before: IntArray = np.take(seen, grouping.starts, axis=1) - np.take(mask, grouping.starts, axis=1)
    ordinal: IntArray = seen - np.repeat(before, grouping.sizes, axis=1)
    return ordinal
