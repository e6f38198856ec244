"""Trends and turns within a range (upstream promql/functions.go)."""

from collections.abc import Sequence

import numpy as np

from query.kernels.sums import row_sum
from query.kernels.windows import Windows
from tsdb.sample import BoolArray, FloatArray


def deriv(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """Slope per second of the line of least squares."""
    slopes = np.empty((len(windows.first), windows.values.shape[1]))
    for step, (first, last) in enumerate(zip(windows.first, windows.last, strict=True)):
        seconds = (windows.timestamps_ms[first : last + 1] - windows.timestamps_ms[first]) / 1000
        slopes[step], _ = _regression(seconds, windows.values[first : last + 1])
    return slopes


def predict_linear(windows: Windows, args: Sequence[FloatArray]) -> FloatArray:
    """The line of least squares at `args[0][step]` seconds after the evaluation."""
    predictions = np.empty((len(windows.first), windows.values.shape[1]))
    for step, (first, last) in enumerate(zip(windows.first, windows.last, strict=True)):
        seconds = (windows.timestamps_ms[first : last + 1] - windows.steps_ms[step]) / 1000
        slope, intercept = _regression(seconds, windows.values[first : last + 1])
        predictions[step] = slope * args[0][step] + intercept
    return predictions


def double_exponential_smoothing(windows: Windows, args: Sequence[FloatArray]) -> FloatArray:
    """Holt's smoothed value of the newest sample; factors `args[0][step]`, `args[1][step]` in (0, 1)."""
    smoothed = np.empty((len(windows.first), windows.values.shape[1]))
    for step, (first, last) in enumerate(zip(windows.first, windows.last, strict=True)):
        factor, trend_factor = args[0][step], args[1][step]
        samples = windows.values[first : last + 1]
        before, level, trend = samples[0], samples[0], samples[1] - samples[0]
        for row in range(1, len(samples)):
            if row > 1:
                trend = trend_factor * (level - before) + (1 - trend_factor) * trend
            before, level = level, factor * samples[row] + (1 - factor) * (level + trend)
        smoothed[step] = level
    return smoothed


def changes(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """How often a sample differs from the one before; NaN equals NaN."""
    before, after = windows.values[:-1], windows.values[1:]
    return _count_between(windows, (before != after) & ~(np.isnan(before) & np.isnan(after)))


def resets(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """How often a sample is less than the one before."""
    return _count_between(windows, windows.values[1:] < windows.values[:-1])


def _count_between(windows: Windows, turns: BoolArray) -> FloatArray:
    """How many of bool[row - 1, column], each between two rows, lie inside a window: float64[step, column].

    Counts are exact, so these may be differences of running counts.
    """
    running = np.zeros(windows.values.shape, dtype=np.int64)
    np.cumsum(turns, axis=0, out=running[1:])
    return (running[windows.last] - running[windows.first]).astype(np.float64)


def _regression(seconds: FloatArray, samples: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Slope and value at 0 of the line of least squares of each column of `samples[row, column]`.

    A constant column has slope 0; infinite samples leave nothing to tell (upstream linearRegression).
    """
    count = len(seconds)
    mean_second = float(row_sum(seconds[:, None]).rounded()[0]) / count
    from_mean = (seconds - mean_second)[:, None]
    mean_sample = row_sum(samples).rounded() / count
    slope = row_sum(from_mean * samples).rounded() / float(row_sum(from_mean**2).rounded()[0])
    intercept = mean_sample - slope * mean_second
    constant = (samples == samples[0]).all(axis=0)
    slope[constant] = 0.0
    intercept[constant] = samples[0, constant]
    unknown = ~np.isfinite(mean_sample)
    slope[unknown] = intercept[unknown] = np.nan
    return slope, intercept
