"""Quantiles and fractions of classic histograms, as upstream's promql/quantile.go.

Histograms with equal bounds are computed together: `bounds[bucket]` strictly ascending, `counts[bucket, ...]`
cumulative. The buckets' axis comes first, so that numpy's inner loops run over histograms, of which
there are many, and not over buckets, of which there are few.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tsdb.sample import BoolArray, FloatArray, IntArray

_TOLERANCE: Final = 1e-12
"""Relative differences of buckets below this are artefacts of floats (upstream's smallDeltaTolerance)."""

_MIN_NORMAL: Final = float(np.finfo(np.float64).tiny)
_MAX_FLOAT: Final = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Mending:
    """Where counts fell from one bucket to the next: each array has the shape of the histograms.

    `lowest` and `highest` are the bounds of the first and the last bucket that was raised, `difference`
    the most that one was raised by; they mean nothing where `forced` is False.
    """

    forced: BoolArray
    lowest: FloatArray
    highest: FloatArray
    difference: FloatArray


def bucket_quantile(
    quantiles: FloatArray, bounds: FloatArray, counts: FloatArray
) -> tuple[FloatArray, Mending | None]:
    """float64[...] of `quantiles[...]` (broadcast) and `counts[bucket, ...]`, and what had to be mended.

    Interpolates linearly in the bucket that the quantile falls into, from 0 in the lowest if its bound is
    above 0; in the highest, answers with the bound below it. NaN without a +Inf bucket, with fewer than two
    buckets or without observations; -Inf for a quantile below 0, +Inf for one above 1.
    """
    valid = (quantiles >= 0) & (quantiles <= 1)
    invalid = np.where(quantiles < 0, -np.inf, np.where(quantiles > 1, np.inf, np.nan))
    if len(bounds) == 0 or bounds[-1] != np.inf:
        return np.broadcast_to(np.where(valid, np.nan, invalid), counts.shape[1:]), None
    counts, mending = _mended(bounds, counts)
    if mending is not None:
        mending = Mending(mending.forced & valid, mending.lowest, mending.highest, mending.difference)
    if len(bounds) < 2:
        return np.broadcast_to(np.where(valid, np.nan, invalid), counts.shape[1:]), mending
    observations = counts[-1]
    ranks = np.where(valid, quantiles, 0.0) * observations
    bucket = len(bounds) - 1 - np.count_nonzero(counts[:-1] >= ranks, axis=0)
    first = bucket == 0
    below = np.maximum(bucket - 1, 0)
    start = np.where(first, 0.0, bounds[below])
    before = np.where(first, 0.0, _pick(counts, below))
    inside = (ranks - before) / (_pick(counts, bucket) - before)
    result = start + (bounds[bucket] - start) * inside
    result = np.where(bucket == len(bounds) - 1, bounds[-2], result)
    if bounds[0] <= 0:
        result = np.where(first, bounds[0], result)
    result = np.where(observations == 0, np.nan, result)
    return np.where(valid, result, invalid), mending


def bucket_fraction(
    lower: FloatArray, upper: FloatArray, bounds: FloatArray, counts: FloatArray
) -> FloatArray:
    """The share of observations between `lower[...]` and `upper[...]` (broadcast), by linear interpolation.

    NaN without a +Inf bucket, without observations, or if a limit is NaN; 0 if they are the wrong way round.
    """
    if len(bounds) == 0 or bounds[-1] != np.inf:
        return np.full(counts.shape[1:], np.nan)
    observations = counts[-1]
    share = (_rank(upper, bounds, counts) - _rank(lower, bounds, counts)) / observations
    share = np.where(lower >= upper, 0.0, share)
    return np.where((observations == 0) | np.isnan(lower) | np.isnan(upper), np.nan, share)


def _rank(limits: FloatArray, bounds: FloatArray, counts: FloatArray) -> FloatArray:
    """How many observations lie below `limits[...]`."""
    lowest = 0.0 if bounds[0] > 0 else -np.inf
    starts = np.concatenate(([lowest], bounds[:-1]))
    limits = np.broadcast_to(limits, counts.shape[1:])
    bucket = np.clip(np.searchsorted(starts, limits, side="left") - 1, 0, len(bounds) - 1)
    count = _pick(counts, bucket)
    before = np.where(bucket == 0, 0.0, _pick(counts, np.maximum(bucket - 1, 0)))
    start, end = starts[bucket], bounds[bucket]
    inside = before + (count - before) * (limits - start) / (end - start)
    # Nothing is interpolated in a bucket that reaches down to -Inf; in one up to +Inf the term above is 0.
    inside = np.where(start == -np.inf, count, inside)
    rank = np.where(limits <= start, before, np.where(limits >= end, count, inside))
    capped: FloatArray = np.minimum(rank, counts[-1])
    return capped


def _mended(bounds: FloatArray, counts: FloatArray) -> tuple[FloatArray, Mending | None]:
    """Counts that never fall from bucket to bucket (upstream's ensureMonotonicAndIgnoreSmallDeltas)."""
    suspicious = _suspicious(counts)
    if not suspicious.any():
        return counts, None
    cells = np.asarray(suspicious.any(axis=0))
    counts = counts.copy()
    rows = counts[:, cells]
    size = rows.shape[1]
    forced = np.zeros(size, dtype=np.bool_)
    lowest, highest, difference = np.full(size, np.inf), np.full(size, -np.inf), np.zeros(size)
    envelope = rows[0].copy()
    for bucket in range(1, len(bounds)):
        count = rows[bucket]
        near = _almost_equal(envelope, count)
        fell = (count < envelope) & ~near
        forced |= fell
        lowest[fell] = np.minimum(lowest[fell], bounds[bucket])
        highest[fell] = np.maximum(highest[fell], bounds[bucket])
        difference[fell] = np.maximum(difference[fell], (envelope - count)[fell])
        envelope = np.where(fell | near, envelope, count)
        rows[bucket] = envelope
    counts[:, cells] = rows
    all_forced = np.zeros(cells.shape, dtype=np.bool_)
    all_forced[cells] = forced
    measures = (_spread(each, cells) for each in (lowest, highest, difference))
    return counts, Mending(all_forced, *measures)


def _suspicious(counts: FloatArray) -> BoolArray:
    """Where a bucket's count falls, or rises by so little that it may be taken for equal; at least there."""
    rise = counts[1:] - counts[:-1]
    suspicious: BoolArray = (rise < 4 * _TOLERANCE * np.abs(counts[1:])) & (rise != 0)
    return suspicious


def _almost_equal(left: FloatArray, right: FloatArray) -> BoolArray:
    """As upstream's util/almost: Equal."""
    total = np.abs(left) + np.abs(right)
    scale = np.where(
        (left == 0) | (right == 0) | (total < _MIN_NORMAL), _MIN_NORMAL, np.minimum(total, _MAX_FLOAT)
    )
    near: BoolArray = (left == right) | (np.abs(left - right) < _TOLERANCE * scale)
    return near


def _pick(counts: FloatArray, bucket: IntArray) -> FloatArray:
    picked: FloatArray = np.take_along_axis(counts, bucket[None], axis=0)[0]
    return picked


def _spread(values: FloatArray, cells: BoolArray) -> FloatArray:
    """`values` of the True cells, 0 elsewhere."""
    spread = np.zeros(cells.shape)
    spread[cells] = values
    return spread
