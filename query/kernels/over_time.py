"""Aggregations over the samples of a range (upstream promql/functions.go: func...OverTime)."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from query.kernels.chunks import alike
from query.kernels.extremes import window_extremes, window_positions
from query.kernels.moments import window_comoments
from query.kernels.quantiles import quantile_of_members
from query.kernels.sums import window_sums
from query.kernels.windows import Windows
from tsdb.sample import BoolArray, FloatArray, IntArray

HEADROOM: Final = 2.0**-40
"""Scale that keeps a sum of finite samples finite; a power of two, so it rounds nothing but subnormals."""


def sum_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The sum of all samples."""
    return window_sums(windows.values, windows.first, windows.last).rounded()


def avg_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The mean of all samples; it is finite wherever they are, even if their sum is not."""
    counts = windows.counts.astype(np.float64)[:, None]
    sums = window_sums(windows.values, windows.first, windows.last)
    means = sums.total / counts
    np.add(means, sums.error / counts, out=means, where=np.isfinite(means))
    columns = np.flatnonzero(_infinite(sums.total).any(axis=0))
    if len(columns):
        scaled = window_sums(windows.values[:, columns] * HEADROOM, windows.first, windows.last)
        means[:, columns] = scaled.rounded() / counts / HEADROOM
    return means


def count_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The number of samples."""
    return _every_column(windows, windows.counts.astype(np.float64))


def present_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """1 where there is a sample."""
    return _every_column(windows, np.ones(len(windows.steps_ms)))


def first_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The oldest sample."""
    return windows.values[windows.first]


def last_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The newest sample."""
    return windows.values[windows.last]


def max_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The greatest sample; NaN only if all are."""
    return window_extremes(np.fmax, windows.values, windows.first, windows.last)


def min_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The least sample; NaN only if all are."""
    return window_extremes(np.fmin, windows.values, windows.first, windows.last)


def ts_of_first_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The time of the oldest sample, in seconds."""
    return _every_column(windows, windows.timestamps_ms[windows.first] / 1000)


def ts_of_last_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The time of the newest sample, in seconds."""
    return _every_column(windows, windows.timestamps_ms[windows.last] / 1000)


def ts_of_max_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The time of the greatest sample, the newest of equals, in seconds."""
    rows = window_positions(np.fmax, windows.values, windows.first, windows.last)
    seconds: FloatArray = windows.timestamps_ms[rows] / 1000
    return seconds


def ts_of_min_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The time of the least sample, the newest of equals, in seconds."""
    rows = window_positions(np.fmin, windows.values, windows.first, windows.last)
    seconds: FloatArray = windows.timestamps_ms[rows] / 1000
    return seconds


def stdvar_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The population variance of the samples."""
    moments = window_comoments(windows.values, windows.values, windows.first, windows.last)
    variances: FloatArray = moments.moment / moments.rows
    variances[~np.isfinite(moments.mean_y)] = np.nan
    return variances


def stddev_over_time(windows: Windows, args: Sequence[FloatArray]) -> FloatArray:
    """The population standard deviation of the samples."""
    return np.sqrt(stdvar_over_time(windows, args))


def quantile_over_time(windows: Windows, args: Sequence[FloatArray]) -> FloatArray:
    """The quantile `args[0][step]` of the samples, interpolated; NaN sorts first (upstream quantile.go)."""
    result = np.empty((len(windows.first), windows.values.shape[1]))
    for steps, members in _members(windows):
        result[steps] = _quantile(args[0][steps, None], members)
    return result


def mad_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The median distance of the samples from their median; NaN where one of them is."""
    result = np.empty((len(windows.first), windows.values.shape[1]))
    half = np.full((1, 1), 0.5)
    for steps, members in _members(windows):
        median = _quantile(half, members)
        distances = _quantile(half, np.abs(members - median[..., None]))
        result[steps] = np.where(np.isnan(members).any(axis=-1), np.nan, distances)
    return result


def _members(windows: Windows) -> Iterator[tuple[IntArray, FloatArray]]:
    """Windows of one length: their steps, and samples[step, column, place]."""
    columns = windows.values.shape[1]
    for steps, rows in alike(np.arange(len(windows.first)), windows.first, windows.last, columns):
        yield steps, np.ascontiguousarray(np.moveaxis(windows.values[rows], 0, -1))


def _quantile(quantiles: FloatArray, members: FloatArray) -> FloatArray:
    counts = np.full(members.shape[:-1], members.shape[-1])
    return quantile_of_members(quantiles, members, counts)


def _infinite(values: FloatArray) -> BoolArray:
    """Where a sum left the finite numbers: an overflow, or an infinite sample."""
    return ~np.isfinite(values)


def _every_column(windows: Windows, per_step: FloatArray) -> FloatArray:
    """The same for all columns: float64[step, column], read-only."""
    return np.broadcast_to(per_step[:, None], (len(per_step), windows.values.shape[1]))
