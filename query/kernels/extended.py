"""Functions of ranges that are `anchored` or `smoothed` (upstream promql/functions.go: extendedRate).

The window of an extended range begins with the last sample at or before the range's start, if there is one
in the lookback. A smoothed one also ends with the first sample at or after the range's end, and the values at
both bounds are interpolated; an anchored one takes the samples' values as they are.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np

from query.kernels import trends
from query.kernels.ranges import RangeKernel
from query.kernels.sums import window_sums
from query.kernels.windows import Windows
from tsdb.sample import FloatArray, IntArray


def interpolated(
    timestamps_ms: IntArray,
    values: FloatArray,
    before: IntArray,
    times_ms: IntArray,
    *,
    is_counter: bool = False,
) -> FloatArray:
    """The values at `times_ms[step]`, between the rows `before[step]` and the next: float64[step, column].

    A counter that was reset between them is taken to rise from 0.
    """
    left, right = values[before], values[before + 1]
    if is_counter:
        left[right < left] = 0.0
    start_ms, end_ms = timestamps_ms[before], timestamps_ms[before + 1]
    passed, apart = (times_ms - start_ms).astype(np.float64), (end_ms - start_ms).astype(np.float64)
    return left + (right - left) * passed[:, None] / apart[:, None]


def _extended(
    windows: Windows,
    _args: Sequence[FloatArray],
    *,
    smoothed: bool,
    is_counter: bool = True,
    per_second: bool = False,
) -> FloatArray:
    """What a series rose between the bounds of the range."""
    times_ms, first, last = windows.timestamps_ms, windows.first, windows.last
    left, right = windows.values[first], windows.values[last]
    if smoothed:
        between = partial(interpolated, times_ms, windows.values, is_counter=is_counter)
        early = np.flatnonzero(times_ms[first] < windows.start_ms)
        left[early] = between(first[early], windows.start_ms[early])
        late = np.flatnonzero(times_ms[last] > windows.end_ms)
        right[late] = between(last[late] - 1, windows.end_ms[late])
    result = right - left
    if is_counter:
        result += _lost_to_resets(windows, left, right)
    if per_second:
        result /= ((windows.end_ms - windows.start_ms) / 1000)[:, None]
    return result


def _lost_to_resets(windows: Windows, left: FloatArray, right: FloatArray) -> FloatArray:
    """What a counter held before each reset on its way from `left` over the samples in between to `right`."""
    values = windows.values
    first = windows.first + (windows.timestamps_ms[windows.first] <= windows.start_ms)
    last = windows.last - (windows.timestamps_ms[windows.last] >= windows.end_ms)
    lost = np.where(right < left, left, 0.0)
    between = np.flatnonzero(first <= last)
    entry, leave = values[first[between]], values[last[between]]
    lost[between] = np.where(entry < left[between], left[between], 0.0)
    lost[between] += np.where(right[between] < leave, leave, 0.0)
    pairs = np.flatnonzero(first < last)
    if len(pairs):
        falls = np.where(values[1:] < values[:-1], values[:-1], 0.0)
        lost[pairs] += window_sums(falls, first[pairs], last[pairs] - 1).rounded()
    return lost


def _rates(*, smoothed: bool) -> dict[str, RangeKernel]:
    extended = partial(_extended, smoothed=smoothed)
    return {
        "delta": RangeKernel(partial(extended, is_counter=False)),
        "increase": RangeKernel(extended),
        "rate": RangeKernel(partial(extended, per_second=True)),
    }


ANCHORED_KERNELS: Final[Mapping[str, RangeKernel]] = {
    "changes": RangeKernel(trends.changes),
    **_rates(smoothed=False),
    "resets": RangeKernel(trends.resets),
}
SMOOTHED_KERNELS: Final[Mapping[str, RangeKernel]] = _rates(smoothed=True)
