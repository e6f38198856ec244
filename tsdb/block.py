"""Rows of samples that never change again, and which series stands in which of their columns."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tsdb.sample import CodeArray, FloatArray, IntArray


class Layout:
    """Which series stands in which column. Immutable; blocks of the same layout share the object."""

    def __init__(self, series: IntArray) -> None:
        self.series = series

    def __len__(self) -> int:
        return len(self.series)

    def find(self, series: IntArray) -> IntArray:
        """The column of each series, -1 where it has none: int64[n]."""
        if not len(self.series):
            return np.full(len(series), -1, dtype=np.int64)
        order, ascending = self._ascending
        at = np.searchsorted(ascending, series)
        at[at == len(ascending)] = 0
        return np.where(ascending[at] == series, order[at], -1)

    @cached_property
    def _ascending(self) -> tuple[IntArray, IntArray]:
        order = np.argsort(self.series, kind="stable")
        return order, self.series[order]


@dataclass(frozen=True)
class Block:
    """Sealed rows of a ring: `timestamps_ms[row]` ascending, one column a series of `layout`."""

    layout: Layout
    timestamps_ms: IntArray
    values: FloatArray

    def read(self, columns: IntArray | CodeArray | slice, rows: slice) -> FloatArray:
        """float64[row, column], bit for bit what was stored. Not to be written to."""
        return self.values[rows, columns]

    @property
    def memory_bytes(self) -> int:
        return self.timestamps_ms.nbytes + self.values.nbytes


def as_slice(columns: IntArray | CodeArray) -> IntArray | CodeArray | slice:
    """The same columns as a slice where they follow one another: that reads without a gather."""
    if not len(columns):
        return columns
    first, end = int(columns[0]), int(columns[-1]) + 1
    if end - first == len(columns) and (np.diff(columns) == 1).all():
        return slice(first, end)
    return columns
