"""Rows of samples that never change again, and which series stands in which of their columns."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tsdb.encoding import Columns, Stripe, encode
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
    """Rows of a ring: `timestamps_ms[row]` ascending, one column a series of `layout`.

    Column c stands in stripe `stripe_of[c]` at `place_of[c]`; both are None where one stripe holds all.
    """

    layout: Layout
    timestamps_ms: IntArray
    stripes: tuple[Stripe, ...]
    stripe_of: NDArray[np.uint8] | None = None
    place_of: CodeArray | None = None

    @staticmethod
    def sealed(layout: Layout, timestamps_ms: IntArray, values: FloatArray) -> "Block":
        """A block of copies of `values[row, column]`, encoded."""
        encoded = encode(values)
        stripes = tuple([stripe for _, stripe in encoded])
        if len(stripes) == 1:
            return Block(layout, timestamps_ms.copy(), stripes)
        stripe_of = np.empty(len(layout), dtype=np.uint8)
        place_of = np.empty(len(layout), dtype=np.int32)
        for number, (columns, _) in enumerate(encoded):
            stripe_of[columns] = number
            place_of[columns] = np.arange(len(columns))
        return Block(layout, timestamps_ms.copy(), stripes, stripe_of, place_of)

    def read(self, columns: Columns, rows: slice) -> FloatArray:
        """float64[row, column], bit for bit what was stored. Not to be written to.

        Requires: at least one column.
        """
        if self.stripe_of is None or self.place_of is None:
            return self.stripes[0].read(rows, columns)
        stripe_of, place_of = self.stripe_of[columns], self.place_of[columns]
        places = [np.flatnonzero(stripe_of == number) for number in range(len(self.stripes))]
        pieces = [
            stripe.read(rows, as_slice(place_of[at]))
            for stripe, at in zip(self.stripes, places, strict=True)
            if len(at)
        ]
        if len(pieces) == 1:
            return pieces[0]
        order = np.argsort(np.concatenate(places))
        return np.concatenate(pieces, axis=1).take(order, axis=1)  # numpy gathers faster than it scatters

    @property
    def memory_bytes(self) -> int:
        places = 0 if self.stripe_of is None or self.place_of is None else 5 * len(self.place_of)
        return self.timestamps_ms.nbytes + places + sum(stripe.memory_bytes for stripe in self.stripes)


def as_slice(columns: IntArray | CodeArray) -> Columns:
    """The same columns as a slice where they follow one another: that reads without a gather."""
    if not len(columns):
        return columns
    first, end = int(columns[0]), int(columns[-1]) + 1
    if end - first == len(columns) and (np.diff(columns) == 1).all():
        return slice(first, end)
    return columns
