"""Series that share one timestamp column: sealed blocks, and a dense head of rows that grows.

The writer alone calls the methods of `Ring`; readers take `view()`, in any thread. What a view shows
never changes but for one thing: a cell of the head that was ABSENT may be filled.
"""

import itertools
from typing import NamedTuple

import numpy as np

from tsdb.arrays import equal_columns
from tsdb.block import Block, Layout, as_slice, merged
from tsdb.encoding import Plain
from tsdb.sample import ABSENT, FOREVER_MS, BoolArray, CodeArray, FloatArray, IntArray, is_absent
from tsdb.slab import Part, Slab
from tsdb.times import Times

HEAD_ROWS = 16
OPEN_ROWS = 4
"""The newest rows stay in the head when it is sealed: the rest of a scrape may come in a later request."""
BLOCK_ROWS = 96
NARROW_COLUMNS = 16
NARROW_BLOCK_ROWS = 240
"""In rings up to NARROW_COLUMNS wide the arrays themselves weigh more than what they hold."""

_VERSIONS = itertools.count()


class RingView(NamedTuple):
    """A ring as it was at one moment: the head is `values[:rows, :len(layout)]`.

    Views with one `version` show the same samples, those with one `blocks_version` have the same blocks.
    """

    blocks: tuple[Block, ...]
    layout: Layout
    timestamps_ms: IntArray
    values: FloatArray
    rows: int
    version: int
    blocks_version: int

    def parts(self) -> list[Block]:
        """The blocks, and the head in the guise of one."""
        if not self.rows:
            return list(self.blocks)
        times = Times.around(self.timestamps_ms[: self.rows])
        return [*self.blocks, Block(self.layout, times, (Plain(self.values[: self.rows]),))]

    def rows_since(self, start_ms: int) -> int:
        """At most so many rows are not older."""
        return self.rows + sum(block.times.rows for block in self.blocks if block.times.last_ms >= start_ms)

    def head(self, columns: IntArray) -> FloatArray:
        """float64[row, column] of the head's rows; all ABSENT for a column of -1."""
        lacking = columns < 0
        if lacking.all():
            return np.full((self.rows, len(columns)), ABSENT)
        values: FloatArray = self.values[: self.rows].take(columns, axis=1)
        values[:, lacking] = ABSENT
        return values

    def slab(self, positions: IntArray, series: IntArray, start_ms: int, end_ms: int) -> Slab:
        """What the ring holds of the given series in a range, both ends inclusive."""
        parts, times = [], []
        layout: Layout | None = None
        for block in self.parts():
            if block.times.last_ms < start_ms or block.times.first_ms > end_ms:
                continue
            timestamps_ms = block.times.read()
            first = int(np.searchsorted(timestamps_ms, start_ms))
            end = int(np.searchsorted(timestamps_ms, end_ms, side="right"))
            if first < end:
                if block.layout is not layout:
                    layout, columns = block.layout, block.layout.find(series)
                parts.append(Part(block, slice(first, end), columns))
                times.append(timestamps_ms[first:end])
        return Slab(positions, np.concatenate(times) if times else np.zeros(0, np.int64), tuple(parts))


class Ring:
    """Rows of samples under one timestamp column.

    Invariants: timestamps ascend strictly over blocks and head; the newest row stands in the head; cells of
    `_values` are meaningful in the first `_rows` rows and `len(_layout)` columns. The first `_full` blocks
    stay as they are; those behind are young, and put together once they have `_block_rows`: `_is_ripe`.
    """

    __slots__ = (
        "_block_rows",
        "_blocks",
        "_full",
        "_is_ripe",
        "_layout",
        "_rows",
        "_timestamps_ms",
        "_values",
        "_view",
    )

    def __init__(self, number: int) -> None:
        """An empty ring. Rings that fill together are sealed at other rows if they differ in `number`."""
        sealed_rows = HEAD_ROWS - OPEN_ROWS
        head_rows = HEAD_ROWS - number % sealed_rows
        self._block_rows = BLOCK_ROWS - number // sealed_rows * sealed_rows % BLOCK_ROWS
        self._blocks: tuple[Block, ...] = ()
        self._full = 0
        self._is_ripe = False
        self._layout = Layout(np.array([], dtype=np.int64))
        self._timestamps_ms: IntArray = np.zeros(head_rows, dtype=np.int64)
        self._values: FloatArray = np.zeros((head_rows, 0))
        self._rows = 0
        self._view = self._seen(next(_VERSIONS), next(_VERSIONS))

    def view(self) -> RingView:
        return self._view

    @property
    def room(self) -> int:
        """Rows that the head takes before it must be sealed."""
        return len(self._timestamps_ms) - self._rows

    @property
    def is_due_to_merge(self) -> bool:
        """Whether `merge` has work: halfway from one seal to the next, so that no row waits for both."""
        return self._is_ripe and 2 * self.room <= HEAD_ROWS - OPEN_ROWS

    @property
    def layout(self) -> Layout:
        return self._layout

    def join(self, series: IntArray) -> None:
        """Give new columns to series. Requires: they have none in the head."""
        width, joined = len(self._layout), len(self._layout) + len(series)
        if joined > self._values.shape[1]:
            self._values = self._widened(max(joined, width + width // 4))
        self._values[: self._rows, width:joined] = ABSENT
        self._layout = Layout(np.concatenate((self._layout.series, series)))
        self._publish()

    def append(self, timestamp_ms: int, columns: CodeArray, values: FloatArray) -> int:
        """A new row; its position. Of two samples for a column the first stays.

        Requires: newer than all rows; room for a row.
        """
        row = self._rows
        self._values[row].fill(ABSENT)
        self._values[row, columns[::-1]] = values[::-1]
        self._timestamps_ms[row] = timestamp_ms
        self._rows = row + 1
        self._publish()
        return row

    def extend(self, timestamps_ms: IntArray, columns: IntArray | CodeArray, values: FloatArray) -> None:
        """Many rows, `values[row, column]`. Requires: as `append`, and no column twice."""
        rows = slice(self._rows, self._rows + len(timestamps_ms))
        cells = self._values[rows, : len(self._layout)]
        if len(columns) < cells.shape[1]:
            cells.fill(ABSENT)
        cells[:, as_slice(columns)] = values
        self._timestamps_ms[rows] = timestamps_ms
        self._rows = rows.stop
        self._publish()

    def head_row(self, timestamp_ms: int) -> int | None:
        """The position of the head's row at a time."""
        row = int(np.searchsorted(self._timestamps_ms[: self._rows], timestamp_ms))
        return row if row < self._rows and self._timestamps_ms[row] == timestamp_ms else None

    def fill(self, row: int, columns: CodeArray, values: FloatArray) -> None:
        """Set cells of a row of the head. Requires: they are ABSENT."""
        self._values[row, columns[::-1]] = values[::-1]
        self._publish()

    def cells(self, row: int, columns: CodeArray) -> FloatArray:
        """A copy of cells of a row of the head."""
        copied: FloatArray = self._values[row, columns]
        return copied

    def presence(self) -> BoolArray:
        """Where the head has samples: bool[row, column]."""
        return ~is_absent(self._values[: self._rows, : len(self._layout)])

    def history(self, series: IntArray, oldest_ms: int) -> tuple[IntArray, FloatArray]:
        """The rows from a time on that have a sample of the series: their times, values[row, series]."""
        slab = self._view.slab(np.arange(len(series)), series, oldest_ms, FOREVER_MS)
        values = slab.read()
        filled = ~is_absent(values).all(axis=1)
        return slab.timestamps_ms[filled], values[filled]

    def seal(self, keep: BoolArray, oldest_ms: int) -> None:
        """Make a block of the head's rows but for the last few, and start another head from those.

        Only columns in `keep` have a place in the new head. Rows older than `oldest_ms` are left out.
        """
        end = max(self._rows - OPEN_ROWS, 0)
        start = int(np.searchsorted(self._timestamps_ms[:end], oldest_ms))
        if start < end:
            values = self._values[start:end, : len(self._layout)]
            self._add(Block.sealed(self._layout, self._timestamps_ms[start:end], values), oldest_ms)
        timestamps_ms, values = self._timestamps_ms[end : self._rows], self._values[end : self._rows]
        values = values[:, : len(self._layout)]
        if not keep.all():
            self._layout = Layout(self._layout.series[keep])
            values = values[:, keep]
        self._start_head(timestamps_ms, values)
        self._publish()

    def restore(
        self, blocks: tuple[Block, ...], layout: Layout, timestamps_ms: IntArray, values: FloatArray
    ) -> None:
        """Become a ring of these blocks, and of a head. Requires: it is empty; what the invariants say."""
        self._blocks, self._layout = blocks, layout
        complete = [number for number, block in enumerate(blocks) if self._is_complete(block.times.rows)]
        self._full = complete[-1] + 1 if complete else 0
        self._start_head(timestamps_ms, values)
        self._publish()

    def expire(self, oldest_ms: int) -> None:
        """Drop blocks that end before `oldest_ms`."""
        kept = tuple([block for block in self._blocks if block.times.last_ms >= oldest_ms])
        if len(kept) < len(self._blocks):
            self._full = max(self._full - len(self._blocks) + len(kept), 0)
            self._blocks = kept
            self._publish()

    def merge(self, oldest_ms: int) -> None:
        """Put the young blocks into one. Rows older than `oldest_ms` are left out."""
        self._merge(oldest_ms)
        self._publish()

    def _add(self, block: Block, oldest_ms: int) -> None:
        """Put a block behind the others."""
        if self._is_ripe:
            self._merge(oldest_ms)
        self._blocks = (*self._blocks, block)
        self._is_ripe = self._is_complete(sum(block.times.rows for block in self._blocks[self._full :]))
        if self._is_narrow:
            self._merge(oldest_ms)

    def _merge(self, oldest_ms: int) -> None:
        young = self._blocks[self._full :]
        if len(young) > 1:
            self._blocks = (*self._blocks[: self._full], merged(young, oldest_ms))
        if self._is_ripe:
            self._full = len(self._blocks)
            self._block_rows = BLOCK_ROWS
            self._is_ripe = False

    @property
    def _is_narrow(self) -> bool:
        return len(self._layout) <= NARROW_COLUMNS

    def _is_complete(self, rows: int) -> bool:
        """Whether a block takes no more rows."""
        return rows + HEAD_ROWS - OPEN_ROWS > (NARROW_BLOCK_ROWS if self._is_narrow else self._block_rows)

    def _start_head(self, timestamps_ms: IntArray, values: FloatArray) -> None:
        rows = self._rows = len(values)
        self._timestamps_ms = np.zeros(HEAD_ROWS, dtype=np.int64)
        self._timestamps_ms[:rows] = timestamps_ms
        self._values = np.empty((HEAD_ROWS, len(self._layout)))
        self._values[:rows] = values

    @property
    def memory_bytes(self) -> int:
        head = self._timestamps_ms.nbytes + self._values.nbytes
        return head + sum(block.memory_bytes for block in self._blocks)

    def _widened(self, width: int) -> FloatArray:
        values = np.empty((len(self._timestamps_ms), width))
        held = len(self._layout)
        values[: self._rows, :held] = self._values[: self._rows, :held]
        return values

    def _publish(self) -> None:
        version = next(_VERSIONS)
        blocks_version = self._view.blocks_version if self._blocks is self._view.blocks else version
        self._view = self._seen(version, blocks_version)

    def _seen(self, version: int, blocks_version: int) -> RingView:
        head = self._layout, self._timestamps_ms, self._values, self._rows
        return RingView(self._blocks, *head, version, blocks_version)


def misfits(present: BoolArray) -> list[IntArray]:
    """Columns that had better leave a ring, those with samples in the same rows together.

    `present[row, column]` says where there are samples. The most common pattern stays. The answer is
    empty while two thirds of the cells from each column's first to its last sample are filled.
    """
    columns = np.flatnonzero(present.any(axis=0))
    present = present[:, columns]
    lifespans = len(present) - present.argmax(axis=0) - present[::-1].argmax(axis=0)
    if 3 * np.count_nonzero(present) >= 2 * lifespans.sum():
        return []
    groups = equal_columns(present)
    largest = max(groups, key=len)
    return [columns[group] for group in groups if group is not largest]
