"""Trends and turns within a range (upstream promql/functions.go)."""

from collections.abc import Sequence

import numpy as np

from query.kernels.moments import window_comoments
from query.kernels.windows import Windows
from tsdb.sample import BoolArray, FloatArray


def deriv(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """Slope per second of the line of least squares."""
    slope, _, _ = _lines(windows)
    return slope


def predict_linear(windows: Windows, args: Sequence[FloatArray]) -> FloatArray:
    """The line of least squares at `args[0][step]` seconds after the evaluation."""
    slope, mean_sample, mean_ms = _lines(windows)
    steps_ms = windows.steps_ms - windows.timestamps_ms[0]
    seconds: FloatArray = (steps_ms[:, None] - mean_ms) / 1000 + args[0][:, None]
    return mean_sample + slope * seconds


def double_exponential_smoothing(windows: Windows, args: Sequence[FloatArray]) -> FloatArray:
    """Holt's smoothed value of the newest sample; factors `args[0][step]`, `args[1][step]` in (0, 1)."""
    factor, trend_factor = args[0][:, None], args[1][:, None]
    level = windows.values[windows.first]
    trend = windows.values[windows.first + 1] - level
    before = level.copy()
    for place in range(1, int(windows.counts.max())):
        steps = np.flatnonzero(windows.counts > place)
        if place > 1:
            risen = trend_factor[steps] * (level[steps] - before[steps])
            trend[steps] = risen + (1 - trend_factor[steps]) * trend[steps]
        before[steps] = level[steps]
        samples = windows.values[windows.first[steps] + place]
        foreseen = (1 - factor[steps]) * (level[steps] + trend[steps])
        level[steps] = factor[steps] * samples + foreseen
    return level


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


def _lines(windows: Windows) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Slope per second, mean sample and mean time: what tells the line of least squares of each window.

    float64[step, column], the time float64[step, 1] in ms since the first row: since 1970 it would be rounded
    to a quarter of a microsecond. A constant window has slope 0; infinite samples leave nothing to tell
    (upstream linearRegression).
    """
    times_ms = (windows.timestamps_ms - windows.timestamps_ms[0]).astype(np.float64)[:, None]
    of_times = window_comoments(times_ms, times_ms, windows.first, windows.last)
    of_samples = window_comoments(times_ms, windows.values, windows.first, windows.last)
    slope = of_samples.moment / (of_times.moment / 1000)
    slope[_count_between(windows, windows.values[1:] != windows.values[:-1]) == 0] = 0.0
    mean_sample = np.where(np.isfinite(of_samples.mean_y), of_samples.mean_y, np.nan)
    slope[np.isnan(mean_sample)] = np.nan
    return slope, mean_sample, of_times.mean_x
