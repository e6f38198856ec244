"""Functions of ranges whose series are added up first: windows are then taken once a group.

What a function makes of a window must be a sum (or an extreme) over the window's rows, times something that
is the same for all series with the same timestamps. Where that does not hold for a column, it isn't `sound`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from query.kernels.extremes import window_extremes
from query.kernels.rates import extrapolation
from query.kernels.sums import window_sums
from query.kernels.windows import Windows
from tsdb.sample import BoolArray, FloatArray, IntArray

Terms: TypeAlias = tuple[FloatArray, BoolArray]
"""(terms[row, column], sound[column]); terms of what is not sound are neutral."""


class Excess(NamedTuple):
    """By how much single cells of a block must be less than the fused result says: three arrays[cell]."""

    steps: IntArray
    columns: IntArray
    amounts: FloatArray


@dataclass(frozen=True)
class FusedKernel:
    """How a function is computed for whole groups.

    `terms(values[row, column])` are reduced over the columns of each group by `reduce`; from the rows of the
    groups in `Windows.values`, `windows` makes float64[step, group]. `excess` looks for cells to mend in
    a block's own windows, whose columns are all sound.
    """

    terms: Callable[[FloatArray], Terms]
    reduce: np.ufunc
    windows: Callable[[Windows], FloatArray]
    excess: Callable[[Windows], Excess] | None = None

    @property
    def neutral(self) -> float:
        """What changes nothing when it is reduced."""
        return 0.0 if self.reduce is np.add else np.nan


def _increases(values: FloatArray) -> Terms:
    """From each row to the next. A column is sound if it only rises, from 0 or more to less than infinity."""
    terms = np.empty_like(values)
    terms[0] = 0.0
    np.subtract(values[1:], values[:-1], out=terms[1:])
    sound = (terms.min(axis=0) >= 0) & (values[0] >= 0) & (values[-1] < np.inf)
    terms[:, ~sound] = 0.0
    return terms, sound


def _samples(values: FloatArray) -> Terms:
    """A column is sound if it is finite and nowhere negative: its terms then can't cancel others."""
    sound = (values.min(axis=0) >= 0) & (values.max(axis=0) < np.inf)
    return values if sound.all() else np.where(sound, values, 0.0), sound


def _comparable(values: FloatArray) -> Terms:
    return values, np.ones(values.shape[1], dtype=np.bool_)


def _ones(values: FloatArray) -> Terms:
    return np.ones_like(values), np.ones(values.shape[1], dtype=np.bool_)


def _rate(windows: Windows) -> FloatArray:
    return _extrapolated(windows, per_second=True)


def _increase(windows: Windows) -> FloatArray:
    return _extrapolated(windows, per_second=False)


def _extrapolated(windows: Windows, *, per_second: bool) -> FloatArray:
    sums = _window_sums(windows.values, windows.first + 1, windows.last)
    sums *= extrapolation(windows, per_second=per_second).factors[:, None]
    return sums


def _excess_rate(windows: Windows) -> Excess:
    return _below_zero(windows, per_second=True)


def _excess_increase(windows: Windows) -> Excess:
    return _below_zero(windows, per_second=False)


def _below_zero(windows: Windows, *, per_second: bool) -> Excess:
    """Where a counter would be stretched to before its zero, and by how much.

    Such cells are rare, so the steps are looked at some at a time: a rising column that starts high above
    its rise from the first to the last row of these steps has none among them.
    """
    stretch = extrapolation(windows, per_second=per_second)
    ratio = stretch.to_start / stretch.sampled
    values, first, last = windows.values, windows.first, windows.last
    begins = np.arange(0, len(first), _STEPS_AT_ONCE)
    ends = np.minimum(begins + _STEPS_AT_ONCE, len(first)) - 1
    lowest = values[first[begins]]
    steepest = np.maximum.reduceat(ratio, begins)[:, None]
    suspects, columns = np.nonzero(lowest < steepest * (values[last[ends]] - lowest))
    steps = begins[suspects][:, None] + np.arange(_STEPS_AT_ONCE)
    exists = steps < len(first)
    steps = np.minimum(steps, len(first) - 1)
    starts = values[first[steps], columns[:, None]]
    amounts = ratio[steps] * (values[last[steps], columns[:, None]] - starts) - starts
    below, place = np.nonzero(exists & (amounts > 0))
    at = steps[below, place]
    return Excess(at, columns[below], amounts[below, place] / stretch.seconds[at])


def _sums(windows: Windows) -> FloatArray:
    return _window_sums(windows.values, windows.first, windows.last)


def _means(windows: Windows) -> FloatArray:
    means: FloatArray = _sums(windows) / windows.counts[:, None]
    return means


def _maxima(windows: Windows) -> FloatArray:
    return window_extremes(np.fmax, windows.values, windows.first, windows.last)


def _minima(windows: Windows) -> FloatArray:
    return window_extremes(np.fmin, windows.values, windows.first, windows.last)


def _window_sums(values: FloatArray, first: IntArray, last: IntArray) -> FloatArray:
    """As `window_sums`; terms that are nowhere negative can't cancel, and a few are simply added up."""
    if int((last - first + 1).sum()) * values.shape[1] > _SIMPLY_ADDED:
        return window_sums(values, first, last).rounded()
    bounds = np.stack((first, last + 1), axis=1).ravel()
    beyond = np.zeros((1, values.shape[1]))
    sums: FloatArray = np.add.reduceat(np.concatenate((values, beyond)), bounds, axis=0)[::2]
    return sums


_STEPS_AT_ONCE: Final = 16
_SIMPLY_ADDED: Final = 1 << 22

FUSED_KERNELS: Final[Mapping[str, FusedKernel]] = {
    "avg_over_time": FusedKernel(_samples, np.add, _means),
    "count_over_time": FusedKernel(_ones, np.add, _sums),
    "increase": FusedKernel(_increases, np.add, _increase, _excess_increase),
    "max_over_time": FusedKernel(_comparable, np.fmax, _maxima),
    "min_over_time": FusedKernel(_comparable, np.fmin, _minima),
    "rate": FusedKernel(_increases, np.add, _rate, _excess_rate),
    "sum_over_time": FusedKernel(_samples, np.add, _sums),
}
