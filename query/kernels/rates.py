"""Rates of counters and gauges (upstream promql/functions.go: extrapolatedRate, instantValue)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from query.kernels.sums import window_sums
from query.kernels.windows import Windows
from tsdb.sample import FloatArray

_FEW_FALLS = 8
"""So many resets are added up in less time than it takes to take windows of all rows."""

NEAR_BOUNDARY = 1.1
"""A range's bound is near if it is closer than this many average sample distances."""


def rate(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """Increase per second of a counter, extrapolated to the range's bounds."""
    return _extrapolated(windows, is_counter=True, per_second=True)


def increase(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """Increase of a counter, extrapolated to the range's bounds."""
    return _extrapolated(windows, is_counter=True, per_second=False)


def delta(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """Difference of a gauge, extrapolated to the range's bounds."""
    return _extrapolated(windows, is_counter=False, per_second=False)


def irate(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """Increase per second between the last two samples of a counter; after a reset, from 0."""
    before, after = windows.values[windows.last - 1], windows.values[windows.last]
    increases = np.where(after < before, after, after - before)
    times = windows.timestamps_ms
    increases /= ((times[windows.last] - times[windows.last - 1]) / 1000)[:, None]
    return increases


def idelta(windows: Windows, _args: Sequence[FloatArray]) -> FloatArray:
    """Difference between the last two samples."""
    difference: FloatArray = windows.values[windows.last] - windows.values[windows.last - 1]
    return difference


class Extrapolation(NamedTuple):
    """How windows are stretched to their range: float64[step] each.

    Seconds from the first to the last sample, to add before and after them, and to divide by; and the
    factor that all these make.
    """

    sampled: FloatArray
    to_start: FloatArray
    to_end: FloatArray
    seconds: FloatArray
    factors: FloatArray


def extrapolation(windows: Windows, *, per_second: bool) -> Extrapolation:
    """The stretch reaches a bound where samples come near it, else half a sample distance beyond them."""
    first_ms, last_ms = windows.timestamps_ms[windows.first], windows.timestamps_ms[windows.last]
    sampled = (last_ms - first_ms) / 1000
    distance = sampled / (windows.last - windows.first)
    is_far, half = distance * NEAR_BOUNDARY, distance / 2
    to_start = (first_ms - windows.start_ms) / 1000
    to_start = np.where(to_start >= is_far, half, to_start)
    to_end = (windows.end_ms - last_ms) / 1000
    to_end = np.where(to_end >= is_far, half, to_end)
    factors = (sampled + to_start + to_end) / sampled
    if not per_second:
        return Extrapolation(sampled, to_start, to_end, np.ones(len(sampled)), factors)
    seconds = (windows.end_ms - windows.start_ms) / 1000
    return Extrapolation(sampled, to_start, to_end, seconds, factors / seconds)


def _extrapolated(windows: Windows, *, is_counter: bool, per_second: bool) -> FloatArray:
    """The difference between a window's last and first sample, stretched to the range.

    A counter is never stretched to before its zero.
    """
    first_values = windows.values[windows.first]
    result = windows.values[windows.last]
    result -= first_values
    if is_counter:
        _add_lost_to_resets(windows, result)

    sampled, to_start, to_end, seconds, factors = extrapolation(windows, per_second=per_second)
    if is_counter:
        first_cells = np.multiply(first_values, sampled[:, None])
        below_zero = first_cells < result * to_start[:, None]
        if below_zero.any():
            below_zero &= first_values >= 0
            steps, columns = np.nonzero(below_zero)
            cut = sampled[steps] * (first_values[steps, columns] / result[steps, columns])
            cut_factors = (sampled[steps] + cut + to_end[steps]) / sampled[steps] / seconds[steps]
            cut_results = result[steps, columns] * cut_factors
            result *= factors[:, None]
            result[steps, columns] = cut_results
            return result
    result *= factors[:, None]
    return result


def _add_lost_to_resets(windows: Windows, result: FloatArray) -> None:
    """Add what counters held before each reset inside a window to `result`, in place.

    Resets are rare: a block without one costs one comparison.
    """
    values = windows.values
    falls = values[1:] < values[:-1]
    if not falls.any():
        return
    falls[windows.timestamps_ms[1:] <= windows.timestamps_ms[:-1]] = False  # there another series begins
    rows, columns = np.nonzero(falls)
    if len(rows) <= _FEW_FALLS:
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            result[(windows.first <= row) & (row < windows.last), column] += values[row, column]
        return
    columns = np.flatnonzero(falls.any(axis=0))
    lost = np.where(falls[:, columns], values[:-1, columns], 0.0)
    result[:, columns] += window_sums(lost, windows.first, windows.last - 1).rounded()
