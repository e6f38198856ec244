"""Aggregations over the samples of a range (upstream promql/functions.go: func...OverTime)."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from query.kernels.extremes import window_extremes, window_positions
from query.kernels.moments import window_comoments
from query.kernels.sums import window_sums
from query.kernels.windows import Windows
from tsdb.sample import BoolArray, FloatArray

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
    columns_first = np.ascontiguousarray(windows.values.T)
    for step, (first, last, quantile) in enumerate(zip(windows.first, windows.last, args[0], strict=True)):
        result[step] = sample_quantile(columns_first[:, first : last + 1], float(quantile))
    return result


def mad_over_time(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """The median distance of the samples from their median; NaN where one of them is."""
    result = np.empty((len(windows.first), windows.values.shape[1]))
    columns_first = np.ascontiguousarray(windows.values.T)
    for step, (first, last) in enumerate(zip(windows.first, windows.last, strict=True)):
        samples = columns_first[:, first : last + 1]
        median = sample_quantile(samples, 0.5)
        result[step] = sample_quantile(np.abs(samples - median[:, None]), 0.5)
        result[step][np.isnan(samples).any(axis=1)] = np.nan
    return result


def sample_quantile(samples: FloatArray, quantile: float) -> FloatArray:
    """The interpolated quantile of each row of float64[column, sample]: float64[column]."""
    if np.isnan(quantile) or quantile < 0 or quantile > 1:
        beyond = np.nan if np.isnan(quantile) else np.copysign(np.inf, quantile)
        return np.full(len(samples), beyond)
    rank = quantile * (samples.shape[1] - 1)
    lower = int(rank)
    weight = rank - lower
    upper = min(samples.shape[1] - 1, lower + 1)
    # numpy sorts NaN last, upstream first: rotate by the number of NaN.
    ordered = np.sort(samples, axis=1)
    nans = np.isnan(ordered).sum(axis=1)
    rows = np.arange(len(samples))
    at_lower = ordered[rows, lower - nans]
    at_upper = ordered[rows, upper - nans]
    interpolated: FloatArray = at_lower * (1 - weight) + at_upper * weight
    return interpolated


def _infinite(values: FloatArray) -> BoolArray:
    """Where a sum left the finite numbers: an overflow, or an infinite sample."""
    return ~np.isfinite(values)


def _every_column(windows: Windows, per_step: FloatArray) -> FloatArray:
    """The same for all columns: float64[step, column], read-only."""
    return np.broadcast_to(per_step[:, None], (len(per_step), windows.values.shape[1]))
