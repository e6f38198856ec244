"""Quantiles of the series of each group, as upstream's promql/quantile.go: quantile."""

import numpy as np

from query.kernels.grouping import Grouping, step_blocks
from tsdb.sample import BoolArray, FloatArray, IntArray


def grouped_quantile(
    quantiles: FloatArray, values: FloatArray, present: BoolArray | None, grouping: Grouping
) -> FloatArray:
    """float64[step, group] of `quantiles[step]` and `values[step, series]`.

    NaN counts as the smallest value; between two values the result is interpolated. A quantile below 0 is
    -Inf, above 1 +Inf, NaN NaN. Groups without a sample get something.
    """
    out = np.empty((len(values), grouping.count))
    places = [(size, grouping.positions_of(size)) for size in np.unique(grouping.sizes).tolist()]
    for rows in step_blocks(len(values), values.shape[1]):
        block = values[rows] if present is None else np.where(present[rows], values[rows], np.nan)
        block = grouping.gather(block)
        filled = None if present is None else grouping.gather_mask(present[rows])
        # Groups of one size are one array [step, group, member]: a sort over its last axis does them all.
        for size, at in places:
            members = block[:, at].reshape(len(block), -1, size)
            counts = np.full(members.shape[:2], size, dtype=np.int64)
            if filled is not None:
                counts = np.count_nonzero(filled[:, at].reshape(members.shape), axis=2)
            groups = grouping.sizes == size
            out[rows, groups] = quantile_of_members(quantiles[rows, None], members, counts)
    return out


def quantile_of_members(quantiles: FloatArray, members: FloatArray, counts: IntArray) -> FloatArray:
    """Quantiles over the last axis: `quantiles[...]`, `members[..., member]`, `counts[...]` -> float64[...].

    `counts` says how many of the members are samples; the others must be NaN. Quantiles broadcast.
    """
    ordered = np.sort(members, axis=-1)
    nans = counts - np.count_nonzero(~np.isnan(ordered), axis=-1)
    rank = np.where((quantiles >= 0) & (quantiles <= 1), quantiles, 0.0) * (counts - 1)
    lower = np.maximum(0.0, np.floor(rank))
    upper = np.minimum(counts - 1.0, lower + 1.0)
    weight = rank - np.floor(rank)
    low, high = (_nan_first(ordered, nans, position) for position in (lower, upper))
    result = low * (1 - weight) + high * weight
    outside = np.where(quantiles < 0, -np.inf, np.where(quantiles > 1, np.inf, quantiles * np.nan))
    return np.where((quantiles >= 0) & (quantiles <= 1), result, outside)


def _nan_first(ordered: FloatArray, nans: IntArray, position: FloatArray) -> FloatArray:
    """The member at a position, when the NaNs that numpy sorts last are put first."""
    index = position.astype(np.int64) - nans
    picked = np.take_along_axis(ordered, np.maximum(index, 0)[..., None], axis=-1)[..., 0]
    return np.where(index < 0, np.nan, picked)
