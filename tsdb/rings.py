"""Which ring each series is in, and the ways from one ring to another.

A series is in one ring at a time, with all its history. Which one decides itself by what arrives
together, because that is what shares timestamps: new series of a batch go where most of the batch is,
else to a ring whose newest row is at their time (a scrape that comes in several requests), else to a
new ring. Series leave a ring when they turn out not to share its timestamps: at once when they write
between its rows, or when its head is sealed and most of it is empty.
"""

from typing import NamedTuple

import numpy as np

from tsdb.arrays import distinct, grown, runs
from tsdb.block import Layout
from tsdb.held import HeldRing
from tsdb.ring import Ring, RingView, misfits
from tsdb.sample import ABSENT, NEVER_MS, BoolArray, CodeArray, FloatArray, IntArray

MAX_COLUMNS = 2048
"""A wider batch is spread over several rings: to merge the blocks of one takes up to seven milliseconds."""


class Route(NamedTuple):
    """The columns to which ids were written. It holds while all that it was found in is the same object."""

    ids: IntArray
    ring_of: CodeArray
    layout: Layout
    columns: CodeArray


class Rings:
    """All rings. `ring_of[series_id]` is -1 for a series without samples.

    The writer alone calls the methods but `capture`. `ring_of` is replaced when a series moves or
    expires, before its old ring forgets it, and changed in place when one gets its first ring.
    """

    def __init__(self) -> None:
        self.ring_of: CodeArray = np.full(16, -1, dtype=np.int32)
        self._column_of: CodeArray = np.full(
            16, -1, dtype=np.int32
        )  # in the ring's head; -1: none at present
        self._rings: list[Ring] = []
        self._newest_ms: IntArray = np.full(16, NEVER_MS)  # of each ring
        self._routes: dict[int, Route] = {}  # of a ring: the last ids that can't be written to
        self._free: list[int] = []
        self._oldest_ms = NEVER_MS

    def make_room(self, series: int) -> None:
        """Know series ids below `series`."""
        if series > len(self.ring_of):
            self._column_of = grown(self._column_of, series, -1)
            self.ring_of = grown(self.ring_of, series, -1)

    def capture(self) -> tuple[CodeArray, list[RingView]]:
        """`ring_of`, and the rings that it names as they are now. From any thread."""
        while True:
            ring_of = self.ring_of
            views = [ring.view() for ring in self._rings]
            if ring_of is self.ring_of:
                return ring_of, views

    def write(self, timestamp_ms: int, ids: IntArray, values: FloatArray) -> FloatArray:
        """Store samples of one time; what stands there now, which differs where a series came twice.

        Ids that can't be written to are recognised when the same array comes again: then it is `values`.

        Requires: at least one sample, each newer than its series' newest.
        """
        first = int(self.ring_of[ids[0]])
        if first >= 0 and (self._known_columns(first, ids) is not None or (self.ring_of[ids] == first).all()):
            return self._write_row(first, timestamp_ms, ids, values)
        rings = self.settle(timestamp_ms, ids)
        stored = np.empty(len(ids))
        for at in runs(rings):
            stored[at] = self._write_row(int(rings[at[0]]), timestamp_ms, ids[at], values[at])
        return stored

    def set_apart(self, ids: IntArray) -> None:
        """Give those of the series that are in no ring one of their own. Requires: each series once."""
        joining = ids[self.ring_of[ids] < 0]
        if len(joining):
            self._put(self._new_ring(), joining)

    def settle(self, timestamp_ms: int, ids: IntArray) -> CodeArray:
        """The ring of each series, a first one for those that are in none.

        New series go where their company is, if that has or takes a row at this time.
        """
        rings = self.ring_of[ids]
        new = rings < 0
        if not new.any():
            return rings
        joining = distinct(ids[new])
        company = np.bincount(rings[~new])
        while len(joining):
            number = self._ring_for(timestamp_ms, company)
            some = joining[: MAX_COLUMNS - len(self._rings[number].layout)]
            self._put(number, some)
            joining = joining[len(some) :]
        return self.ring_of[ids]

    def write_rows(self, timestamps_ms: IntArray, ids: IntArray, values: FloatArray) -> int:
        """Store rows of a matrix as far as the head has room; how many. 0 if they don't come after its rows.

        Requires: as `write`; one ring; no series twice.
        """
        number = int(self.ring_of[ids[0]])
        if self._newest_ms[number] >= timestamps_ms[0]:
            return 0
        ring = self._rings[number]
        if self._prepare(number):
            return 0
        rows = min(ring.room, len(timestamps_ms))
        ring.extend(timestamps_ms[:rows], self._columns(ring, ids), values[:rows])
        self._newest_ms[number] = timestamps_ms[rows - 1]
        return rows

    def stored(self, timestamp_ms: int, ids: IntArray) -> FloatArray:
        """What the series have at a time: float64[series], ABSENT where it is no float."""
        values = np.full(len(ids), ABSENT)
        rings = self.ring_of[ids]
        for at in runs(rings):
            if rings[at[0]] >= 0:
                times, found = self._rings[rings[at[0]]].history(ids[at], timestamp_ms)
                if len(times) and times[0] == timestamp_ms:
                    values[at] = found[0]
        return values

    def restore(self, held: HeldRing) -> None:
        """Take over a ring. Requires: its series are in none."""
        number = self._new_ring()
        self._rings[number].restore(held.blocks, Layout(held.head_series), held.head_times_ms, held.head)
        self.ring_of[held.series] = number
        self._column_of[held.series] = -1
        self._column_of[held.head_series] = np.arange(len(held.head_series))
        self._newest_ms[number] = held.head_times_ms[-1]

    def expire(self, oldest_ms: int) -> None:
        """Free blocks and rings whose newest sample is older than `oldest_ms`."""
        self._oldest_ms = oldest_ms
        for ring in self._rings:
            ring.expire(oldest_ms)
        used = self._newest_ms[: len(self._rings)]
        spent = np.flatnonzero((used < oldest_ms) & (used > NEVER_MS))
        if len(spent):
            self.forget(np.flatnonzero(np.isin(self.ring_of, spent)))
            for number in spent.tolist():
                self._free_ring(number)

    def forget(self, ids: IntArray) -> None:
        """Take series out of their rings. What these hold of them, all of it expired, goes with its rows."""
        ring_of = self.ring_of.copy()
        ring_of[ids] = -1
        self.ring_of = ring_of
        self._column_of[ids] = -1

    def insert(self, timestamp_ms: int, ids: IntArray, values: FloatArray) -> None:
        """Store samples older than the newest of their series. Requires: each series once.

        They get a ring of their own: samples out of order come rarely, and rarely for all series that were
        scraped together.
        """
        rings = self.ring_of[ids]
        for at in runs(rings):
            number = int(rings[at[0]])
            ring = self._rings[number] if number >= 0 else Ring(0)
            times, held = ring.history(ids[at], self._oldest_ms)
            row = int(np.searchsorted(times, timestamp_ms))
            if row == len(times) or times[row] != timestamp_ms:
                times = np.insert(times, row, timestamp_ms)
                held = np.insert(held, row, ABSENT, axis=0)
            held[row] = values[at]
            self._settle_apart(ids[at], times, held)
            if number >= 0 and not (self.ring_of == number).any():
                self._free_ring(number)

    def time_to_free(self, excess_bytes: int) -> int:
        """From when on samples may stay if the oldest blocks that hold `excess_bytes` go."""
        blocks = sorted(
            (block.times.last_ms, block.memory_bytes) for ring in self._rings for block in ring.view().blocks
        )
        oldest_ms = self._oldest_ms
        for last_ms, size_bytes in blocks:
            if excess_bytes <= 0:
                break
            oldest_ms = max(oldest_ms, last_ms + 1)
            excess_bytes -= size_bytes
        return oldest_ms

    def sealed(self) -> tuple[int, int]:
        """What the blocks take in bytes, and how many cells, a sample or none, they have."""
        blocks = [block for ring in self._rings for block in ring.view().blocks]
        return sum(block.memory_bytes for block in blocks), sum(
            block.times.rows * len(block.layout) for block in blocks
        )

    def memory_bytes(self) -> int:
        per_series = self.ring_of.nbytes + self._column_of.nbytes
        return per_series + sum(ring.memory_bytes for ring in self._rings)

    def _write_row(self, number: int, timestamp_ms: int, ids: IntArray, values: FloatArray) -> FloatArray:
        ring = self._rings[number]
        if timestamp_ms > self._newest_ms[number]:
            if self._prepare(number):
                return self.write(timestamp_ms, ids, values)
            known = self._known_columns(number, ids)
            columns = self._columns(ring, ids) if known is None else known
            row = ring.append(timestamp_ms, columns, values)
            self._newest_ms[number] = timestamp_ms
            if known is not None:
                return values
            if not ids.flags.writeable and len(distinct(ids)) == len(ids):
                self._routes[number] = Route(ids, self.ring_of, ring.layout, columns)
            return ring.cells(row, columns)
        found = ring.head_row(timestamp_ms)
        if found is None:
            return self._write_row(self._move(number, ids), timestamp_ms, ids, values)
        columns = self._columns(ring, ids)
        ring.fill(found, columns, values)
        return ring.cells(found, columns)

    def _known_columns(self, number: int, ids: IntArray) -> CodeArray | None:
        """The columns of ids that were all in this ring before, and are still; None for others."""
        route = self._routes.get(number)
        if route is None or route.ids is not ids or route.ring_of is not self.ring_of:
            return None
        return route.columns if route.layout is self._rings[number].layout else None

    def _put(self, number: int, ids: IntArray) -> None:
        """Give series their first ring. Requires: each once."""
        self.ring_of[ids] = number
        self._column_of[ids] = -1
        self._columns(self._rings[number], ids)

    def _ring_for(self, timestamp_ms: int, company: IntArray) -> int:
        """A ring for new series: one with a column to spare, by preference one with much of their company."""
        liked = np.argsort(-company, kind="stable")[: np.count_nonzero(company)]
        for number in liked.tolist():
            if self._has_room(number) and self._takes(number, timestamp_ms):
                return int(number)
        for number in np.flatnonzero(self._newest_ms[: len(self._rings)] == timestamp_ms).tolist():
            if self._has_room(number):
                return int(number)
        return self._new_ring()

    def _has_room(self, number: int) -> bool:
        return len(self._rings[number].layout) < MAX_COLUMNS

    def _takes(self, number: int, timestamp_ms: int) -> bool:
        return (
            timestamp_ms > self._newest_ms[number] or self._rings[number].head_row(timestamp_ms) is not None
        )

    def _new_ring(self) -> int:
        number = self._free.pop() if self._free else len(self._rings)
        ring = Ring(number)
        if number < len(self._rings):
            self._rings[number] = ring
            return number
        self._rings.append(ring)
        if len(self._rings) > len(self._newest_ms):
            self._newest_ms = grown(self._newest_ms, len(self._rings), NEVER_MS)
        return number

    def _columns(self, ring: Ring, ids: IntArray) -> CodeArray:
        """The head's columns of series of the ring, given to them where they have none."""
        columns = self._column_of[ids]
        if columns.min() < 0:
            joining = np.flatnonzero(np.bincount(ids[columns < 0]))
            left_behind = ring.layout.find(joining)  # by a series that went away and comes back
            new = joining[left_behind < 0]
            self._column_of[joining] = left_behind
            self._column_of[new] = len(ring.layout) + np.arange(len(new))
            ring.join(new)
            columns = self._column_of[ids]
        return columns

    def _prepare(self, number: int) -> bool:
        """Seal a full head, or put young blocks together; True if series left the ring, as of `_seal`."""
        ring = self._rings[number]
        if ring.room == 0:
            return self._seal(number)
        if ring.is_due_to_merge:
            ring.merge(self._oldest_ms)
        return False

    def _seal(self, number: int) -> bool:
        """Seal a ring's head; True if series left the ring because they don't share its timestamps."""
        ring = self._rings[number]
        series, present = ring.layout.series.astype(np.int64), ring.presence()
        owned: BoolArray = self.ring_of[series] == number
        leaving = [] if present.all() else misfits(present & owned)
        for columns in leaving:
            owned[columns] = False
            self._move(number, series[columns])
        keep = owned & present.any(axis=0)
        ring.seal(keep, self._oldest_ms)
        if not keep.all():
            self._column_of[series[owned & ~keep]] = -1
            self._column_of[ring.layout.series] = np.arange(len(ring.layout))
        return bool(leaving)

    def _move(self, number: int, ids: IntArray) -> int:
        """Give series a ring of their own, history along; the number of that ring.

        What the old ring's blocks hold of them stays there until it expires.
        """
        series = distinct(ids)
        timestamps_ms, values = self._rings[number].history(series, self._oldest_ms)
        return self._settle_apart(series, timestamps_ms, values)

    def _settle_apart(self, series: IntArray, timestamps_ms: IntArray, values: FloatArray) -> int:
        """Give series a new ring with this history, values[row, series]; its number."""
        target = self._new_ring()
        ring = self._rings[target]
        ring.join(series)
        self._column_of[series] = columns = np.arange(len(series), dtype=np.int32)
        row = 0
        while row < len(timestamps_ms):
            if ring.room == 0:
                ring.seal(np.ones(len(series), dtype=np.bool_), self._oldest_ms)
            rows = slice(row, row + ring.room)
            ring.extend(timestamps_ms[rows], columns, values[rows])
            row = rows.stop
        if len(timestamps_ms):
            self._newest_ms[target] = timestamps_ms[-1]
        moved = self.ring_of.copy()
        moved[series] = target
        self.ring_of = moved
        return target

    def _free_ring(self, number: int) -> None:
        """Requires: no series is in the ring any more."""
        self._rings[number] = Ring(number)
        self._newest_ms[number] = NEVER_MS
        self._free.append(number)
