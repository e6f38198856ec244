"""Rows of samples that never change again, and which series stands in which of their columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsdb.encoder import encode
from tsdb.encoding import Columns, Stripe
from tsdb.sample import ABSENT, CodeArray, FloatArray, IntArray
from tsdb.times import Times


class Layout:
    """Which series stands in which column. Immutable; blocks of the same layout share the object."""

    __slots__ = ("_ascending", "_order", "series")

    def __init__(self, series: NDArray[np.integer[Any]]) -> None:
        self.series: CodeArray = series.astype(np.int32)
        self._ascending: CodeArray | None = None  # the series sorted, and whence they come, once asked for
        self._order: CodeArray | None = None

    def __len__(self) -> int:
        return len(self.series)

    def find(self, series: IntArray | CodeArray) -> IntArray:
        """The column of each series, -1 where it has none: int64[n]."""
        if not len(self.series):
            return np.full(len(series), -1, dtype=np.int64)
        ascending = self._sorted()
        at = np.searchsorted(ascending, series.astype(np.int32, copy=False))
        at[at == len(ascending)] = 0
        columns = at if self._order is None else self._order[at]
        return np.where(ascending[at] == series, columns, -1)

    def _sorted(self) -> CodeArray:
        if self._ascending is None:
            if (self.series[1:] < self.series[:-1]).any():
                self._order = np.argsort(self.series).astype(np.int32)
                self._ascending = self.series[self._order]
            else:
                self._ascending = self.series
        return self._ascending


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a ring, their times ascending, one column a series of `layout`.

    Column c stands in stripe `stripe_of[c]` at `place_of[c]`; both are None where one stripe holds all.
    """

    layout: Layout
    times: Times
    stripes: tuple[Stripe, ...]
    stripe_of: NDArray[np.uint8] | None = None
    place_of: NDArray[Any] | None = None

    @staticmethod
    def sealed(layout: Layout, timestamps_ms: IntArray, values: FloatArray) -> "Block":
        """A block of copies of `values[row, column]`, encoded."""
        encoded = encode(values)
        stripes = tuple([stripe for _, stripe in encoded])
        times = Times.of(timestamps_ms)
        if len(stripes) == 1:
            return Block(layout, times, stripes)
        stripe_of = np.empty(len(layout), dtype=np.uint8)
        place_of = np.empty(len(layout), dtype=np.min_scalar_type(len(layout)))
        for number, (columns, _) in enumerate(encoded):
            stripe_of[columns] = number
            place_of[columns] = np.arange(len(columns))
        return Block(layout, times, stripes, stripe_of, place_of)

    def read(self, columns: Columns, rows: slice) -> FloatArray:
        """float64[row, column], bit for bit what was stored. Not to be written to.

        Requires: at least one column.
        """
        if self.stripe_of is None or self.place_of is None:
            return self.stripes[0].read(rows, columns)
        stripe_of, place_of = self.stripe_of[columns], self.place_of[columns]
        first = int(stripe_of[0])
        if (stripe_of == first).all():
            return self.stripes[first].read(rows, as_slice(place_of))
        places = [np.flatnonzero(stripe_of == number) for number in range(len(self.stripes))]
        pieces = [
            stripe.read(rows, as_slice(place_of[at]))
            for stripe, at in zip(self.stripes, places, strict=True)
            if len(at)
        ]
        order = np.argsort(np.concatenate(places))
        return np.concatenate(pieces, axis=1).take(order, axis=1)  # numpy gathers faster than it scatters

    @property
    def memory_bytes(self) -> int:
        places = 0 if self.place_of is None else (1 + self.place_of.itemsize) * len(self.place_of)
        return self.times.memory_bytes + places + sum(stripe.memory_bytes for stripe in self.stripes)


def merged(blocks: Sequence[Block], oldest_ms: int) -> Block:
    """One block of all rows but those older than `oldest_ms`. Requires: in order, the last not all older."""
    layout = blocks[-1].layout
    for block in blocks:
        if block.layout is not layout:
            lacking = layout.find(block.layout.series) < 0
            if lacking.any():
                layout = Layout(np.concatenate((layout.series, block.layout.series[lacking])))
    timestamps_ms = np.concatenate([block.times.read() for block in blocks])
    values = np.full((len(timestamps_ms), len(layout)), ABSENT)
    row = 0
    for block in blocks:
        rows = slice(0, block.times.rows)
        columns = as_slice(layout.find(block.layout.series))
        values[row : row + rows.stop, columns] = block.read(slice(0, len(block.layout)), rows)
        row += rows.stop
    first = int(np.searchsorted(timestamps_ms, oldest_ms))
    return Block.sealed(layout, timestamps_ms[first:], values[first:])


def as_slice(columns: NDArray[Any]) -> Columns:
    """The same columns as a slice where they follow one another: that reads without a gather."""
    if not len(columns):
        return columns
    first, end = int(columns[0]), int(columns[-1]) + 1
    if end - first == len(columns) and (columns[1:] == columns[:-1] + 1).all():
        return slice(first, end)
    return columns
