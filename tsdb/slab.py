"""The samples of series that share timestamps, as a query reads them: blocks in a row."""

from dataclasses import dataclass

import numpy as np

from tsdb.block import Block, as_slice
from tsdb.sample import ABSENT, FloatArray, IntArray

_CELLS_AT_ONCE = 1 << 16
"""So many cells of a block stay in the cache while they are decoded."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one block in a slab; `columns` are the slab's columns in the block, -1 where it lacks one."""

    block: Block
    rows: slice
    columns: IntArray

    def read(self, columns: slice, rows: slice) -> FloatArray:
        """float64[row, column] of columns of the slab, and rows counted from the part's first."""
        wanted = self.columns[columns]
        within = slice(self.rows.start + rows.start, self.rows.start + rows.stop)
        held = wanted >= 0
        if not held.all():
            values = np.full((within.stop - within.start, len(wanted)), ABSENT)
            if held.any():
                values[:, held] = self.block.read(wanted[held], within)
            return values
        return self.block.read(as_slice(wanted), within)

    def __len__(self) -> int:
        return int(self.rows.stop - self.rows.start)


@dataclass(frozen=True, slots=True)
class Slab:
    """Series of a selection that share one timestamp column.

    `series[column]` is the position of a column's series in `Selection.labels`; `timestamps_ms[row]`
    ascends strictly and lies in the selected range. The samples stand in `parts`, or in `values` if they were
    read before.
    """

    series: IntArray
    timestamps_ms: IntArray
    parts: tuple[Part, ...]
    values: FloatArray | None = None

    def take(self, columns: IntArray) -> "Slab":
        """The slab of some of its columns, in the given order."""
        if self.values is not None:
            return Slab(self.series[columns], self.timestamps_ms, (), self.values[:, columns])
        parts = [Part(part.block, part.rows, part.columns[columns]) for part in self.parts]
        return Slab(self.series[columns], self.timestamps_ms, tuple(parts))

    def read(self, columns: slice = slice(None), rows: slice = slice(None)) -> FloatArray:
        """float64[row, column], with ABSENT and STALE as stored. Not to be written to; steps are 1."""
        if self.values is not None:
            return self.values[rows, columns]
        first_column, end_column, _ = columns.indices(len(self.series))
        first_row, end_row, _ = rows.indices(len(self.timestamps_ms))
        values = np.empty((max(end_row - first_row, 0), max(end_column - first_column, 0)))
        part_start = 0
        for part in self.parts:
            start, end = max(first_row, part_start), min(end_row, part_start + len(part))
            if start < end:
                within = slice(start - part_start, end - part_start)
                width = max(_CELLS_AT_ONCE // (end - start), 1)
                for column in range(first_column, end_column, width):
                    some = slice(column, min(column + width, end_column))
                    at = slice(some.start - first_column, some.stop - first_column)
                    values[start - first_row : end - first_row, at] = part.read(some, within)
            part_start += len(part)
        return values
