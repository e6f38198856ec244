"""The one writer of samples: which series exist, what may be appended, and how long it is kept.

The rules of appending are those of a Prometheus head without an out-of-order window (upstream
memSeries.appendable). They differ in the bound of what is too old: it is the retention at the last
`expire`, not half a block behind the newest sample, so that one sample from the far future does not
shut out all others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsdb.histogram import FloatHistogram
from tsdb.index import Index, grown, runs
from tsdb.labelframe import LabelScope
from tsdb.labels import Labels
from tsdb.ring import Ring, misfits
from tsdb.sample import (
    ABSENT,
    FOREVER_MS,
    NEVER_MS,
    BoolArray,
    CodeArray,
    FloatArray,
    IntArray,
    is_absent,
)
from tsdb.snapshot import SeriesTable, Snapshot
from tsdb.track import Track


class Outcome(IntEnum):
    """What became of one sample. One that is there already, bit for bit, counts as stored."""

    STORED = 0
    OUT_OF_ORDER = 1
    DUPLICATE = 2
    TOO_OLD = 3


OutcomeArray: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True)
class Appended:
    """What became of a batch. `outcomes` is of its shape, an `Outcome` a sample; None: all stored."""

    stored: int
    out_of_order: int = 0
    duplicate: int = 0
    too_old: int = 0
    outcomes: OutcomeArray | None = None


class Store:
    """Series and their samples. One thread writes; any number read through snapshots, without locks.

    Per series id stand its first and newest sample's time, its ring, and its column in that ring's
    head (-1: none at present). A series belongs to one ring at a time, history included.
    """

    def __init__(self, *, retention_ms: int | None) -> None:
        self.retention_ms = retention_ms
        self._index = Index()
        self._rings: list[Ring] = []
        self._free_rings: list[int] = []
        self._ring_newest_ms: IntArray = np.full(16, NEVER_MS)
        self._first_ms: IntArray = np.full(16, FOREVER_MS)
        self._newest_ms: IntArray = np.full(16, NEVER_MS)
        self._ring_of: CodeArray = np.full(16, -1, dtype=np.int32)
        self._column_of: CodeArray = np.full(16, -1, dtype=np.int32)
        self._histograms: dict[int, Track[FloatHistogram]] = {}
        self._start_timestamps: dict[int, Track[int]] = {}
        self._oldest_ms: int = NEVER_MS
        self._samples_appended = 0

    def series_ids(self, labels: Sequence[Labels]) -> IntArray:
        """The ids of label sets, new ones for those never met: int64[n]. Ids stay valid for good."""
        ids = self._index.series_ids(labels)
        size = self._index.size
        if size > len(self._first_ms):
            self._newest_ms = grown(self._newest_ms, size, NEVER_MS)
            self._ring_of = grown(self._ring_of, size, -1)
            self._column_of = grown(self._column_of, size, -1)
            self._first_ms = grown(self._first_ms, size, FOREVER_MS)
        return ids

    def append(self, series_ids: IntArray, timestamps_ms: int | IntArray, values: FloatArray) -> Appended:
        """One sample a series: `values[series]`, at one time or at `timestamps_ms[series]`.

        A series that is there twice for one time keeps the first. A STALE value is a stale marker.
        """
        if not isinstance(timestamps_ms, np.ndarray):
            return self._counted(self._append_row(int(timestamps_ms), series_ids, values), values.shape)
        outcomes = np.zeros(len(series_ids), dtype=np.uint8)
        for at in runs(timestamps_ms):
            refused = self._append_row(int(timestamps_ms[at[0]]), series_ids[at], values[at])
            if refused is not None:
                outcomes[at] = refused
        return self._counted(outcomes, values.shape)

    def append_matrix(self, series_ids: IntArray, timestamps_ms: IntArray, values: FloatArray) -> Appended:
        """Many samples a series: `values[row, series]`, ABSENT where there is none.

        Requires: timestamps ascend strictly; each series stands there once.
        """
        present = ~is_absent(values)
        row = self._append_rows(series_ids, timestamps_ms, values, present)
        outcomes = np.zeros(values.shape, dtype=np.uint8)
        for late in range(row, len(timestamps_ms)):
            at = np.flatnonzero(present[late])
            refused = self._append_row(int(timestamps_ms[late]), series_ids[at], values[late, at])
            if refused is not None:
                outcomes[late, at] = refused
        return self._counted(outcomes, values.shape, int(np.count_nonzero(present)))

    def append_histograms(
        self, series_id: int, timestamps_ms: Sequence[int], histograms: Sequence[FloatHistogram]
    ) -> Appended:
        """Native histograms of one series. The stale marker after them is a float: `append` it."""
        outcomes = np.zeros(len(timestamps_ms), dtype=np.uint8)
        track = self._histograms.setdefault(series_id, Track())
        for at, (timestamp_ms, histogram) in enumerate(zip(timestamps_ms, histograms, strict=True)):
            newest_ms = self._newest_ms[series_id]
            if timestamp_ms < self._oldest_ms:
                outcomes[at] = Outcome.TOO_OLD
            elif timestamp_ms < newest_ms:
                outcomes[at] = Outcome.OUT_OF_ORDER
            elif timestamp_ms > newest_ms:
                track.append(timestamp_ms, histogram)
                self._seen(np.array([series_id]), timestamp_ms)
            elif track.at(timestamp_ms) != histogram:
                outcomes[at] = Outcome.DUPLICATE
        return self._counted(outcomes, outcomes.shape)

    def append_start_timestamps(
        self, series_id: int, timestamps_ms: Sequence[int], start_timestamps_ms: Sequence[int]
    ) -> None:
        """Since when a series counts, as known at the times of its samples; what is not newer is left out."""
        track = self._start_timestamps.setdefault(series_id, Track())
        for timestamp_ms, start_ms in zip(timestamps_ms, start_timestamps_ms, strict=True):
            if track.newest_ms is None or timestamp_ms > track.newest_ms:
                track.append(timestamp_ms, start_ms)

    def expire(self, now_ms: int) -> None:
        """Free what is older than the retention, whole blocks at a time; refuse such samples from now on."""
        if self.retention_ms is None:
            return
        oldest_ms = self._oldest_ms = max(self._oldest_ms, now_ms - self.retention_ms)
        spent = [
            number
            for number, ring in enumerate(self._rings)
            if ring.expire(oldest_ms) and self._ring_newest_ms[number] > NEVER_MS
        ]
        for number in spent:
            self._rings[number] = Ring()
            self._ring_newest_ms[number] = NEVER_MS
        self._free_rings += spent
        if spent:
            self._ring_of = np.where(np.isin(self._ring_of, spent), np.int32(-1), self._ring_of)
        gone = (self._ring_of < 0) & (self._newest_ms < oldest_ms)
        self._first_ms = np.where(gone, FOREVER_MS, self._first_ms)
        _expire_tracks(self._histograms, oldest_ms)
        _expire_tracks(self._start_timestamps, oldest_ms)

    def snapshot(self, now_ms: int) -> Snapshot:
        """The store as it is now, without what is older than the retention at `now_ms`. From any thread."""
        table = SeriesTable(self._first_ms, self._newest_ms, self._ring_of)
        size = min(len(table.first_ms), len(table.newest_ms), len(table.ring))
        return Snapshot(
            index=self._index.view(size),
            scope=LabelScope(self._index.dictionaries),
            table=table,
            rings=[ring.view() for ring in self._rings],  # after the table: see _move
            histograms=dict(self._histograms),
            start_timestamps=dict(self._start_timestamps),
            oldest_ms=None if self.retention_ms is None else now_ms - self.retention_ms,
        )

    def _append_row(self, timestamp_ms: int, ids: IntArray, values: FloatArray) -> OutcomeArray | None:
        """Outcomes of samples of one time; None: all stored."""
        if timestamp_ms < self._oldest_ms:
            return np.full(len(ids), Outcome.TOO_OLD, dtype=np.uint8)
        newest_ms = self._newest_ms[ids]
        if (newest_ms < timestamp_ms).all():
            return self._write(timestamp_ms, ids, values)
        outcomes = np.zeros(len(ids), dtype=np.uint8)
        outcomes[newest_ms > timestamp_ms] = Outcome.OUT_OF_ORDER
        same = np.flatnonzero(newest_ms == timestamp_ms)
        outcomes[same] = _compared(self._stored(timestamp_ms, ids[same]), values[same])
        fresh = np.flatnonzero(newest_ms < timestamp_ms)
        refused = self._write(timestamp_ms, ids[fresh], values[fresh])
        if refused is not None:
            outcomes[fresh] = refused
        return outcomes

    def _write(self, timestamp_ms: int, ids: IntArray, values: FloatArray) -> OutcomeArray | None:
        """Store samples of one time. Requires: newer than each series' newest."""
        if not len(ids):
            return None
        rings = self._ring_of[ids]
        first = int(rings[0])
        if first >= 0 and (rings == first).all():
            return self._write_ring(first, timestamp_ms, ids, values)
        new = rings < 0
        if new.any():
            rings[new] = home = self._home(timestamp_ms, rings[~new])
            self._ring_of[ids[new]] = home
            self._column_of[ids[new]] = -1
            self._seen(ids[new], timestamp_ms)
        outcomes = np.zeros(len(ids), dtype=np.uint8)
        for at in runs(rings):
            refused = self._write_ring(int(rings[at[0]]), timestamp_ms, ids[at], values[at])
            if refused is not None:
                outcomes[at] = refused
        return outcomes

    def _write_ring(
        self, number: int, timestamp_ms: int, ids: IntArray, values: FloatArray
    ) -> OutcomeArray | None:
        ring = self._rings[number]
        if timestamp_ms > self._ring_newest_ms[number]:
            if ring.room == 0 and self._seal(number):
                return self._write(timestamp_ms, ids, values)
            columns = self._columns(ring, ids)
            row = ring.append(timestamp_ms, columns, values)
            self._ring_newest_ms[number] = timestamp_ms
        else:
            found = ring.head_row(timestamp_ms)
            if found is None:
                return self._write_ring(self._move(number, ids), timestamp_ms, ids, values)
            row, columns = found, self._columns(ring, ids)
            ring.fill(row, columns, values)
        self._newest_ms[ids] = timestamp_ms
        outcomes = _compared(ring.cells(row, columns), values)
        return outcomes if outcomes.any() else None

    def _append_rows(
        self, ids: IntArray, timestamps_ms: IntArray, values: FloatArray, present: BoolArray
    ) -> int:
        """Store whole rows at once as far as the series share a ring; the number of rows done."""
        alive = present.any(axis=0)
        if not alive.all():
            ids, values, present = ids[alive], values[:, alive], present[:, alive]
        row = 0
        while row < len(timestamps_ms) and len(ids):
            number = self._common_ring(int(timestamps_ms[row]), ids)
            if number is None:
                break
            ring = self._rings[number]
            if ring.room == 0 and self._seal(number):
                break
            end = min(row + ring.room, len(timestamps_ms))
            ring.extend(timestamps_ms[row:end], self._columns(ring, ids), values[row:end])
            self._ring_newest_ms[number] = timestamps_ms[end - 1]
            self._seen_rows(ids, timestamps_ms[row:end], present[row:end])
            row = end
        return row

    def _common_ring(self, timestamp_ms: int, ids: IntArray) -> int | None:
        """The ring that takes whole rows of these series from a time on, if there is one."""
        if timestamp_ms < self._oldest_ms or (self._newest_ms[ids] >= timestamp_ms).any():
            return None
        rings = np.unique(self._ring_of[ids])
        if len(rings) > 1:
            return None
        if rings[0] < 0:
            number = self._home(timestamp_ms, rings[:0])
            if self._ring_newest_ms[number] >= timestamp_ms:
                number = self._new_ring()
            self._ring_of[ids] = number
            self._column_of[ids] = -1
            return number
        return int(rings[0]) if self._ring_newest_ms[rings[0]] < timestamp_ms else None

    def _home(self, timestamp_ms: int, company: CodeArray) -> int:
        """The ring for new series: where most of the batch is, else one whose newest row is at this time."""
        if len(company):
            number = int(np.bincount(company).argmax())
            if (
                timestamp_ms > self._ring_newest_ms[number]
                or self._rings[number].head_row(timestamp_ms) is not None
            ):
                return number
        current = np.flatnonzero(self._ring_newest_ms[: len(self._rings)] == timestamp_ms)
        return int(current[0]) if len(current) else self._new_ring()

    def _new_ring(self) -> int:
        if self._free_rings:
            return self._free_rings.pop()
        self._rings.append(Ring())
        if len(self._rings) > len(self._ring_newest_ms):
            self._ring_newest_ms = grown(self._ring_newest_ms, len(self._rings), NEVER_MS)
        return len(self._rings) - 1

    def _columns(self, ring: Ring, ids: IntArray) -> CodeArray:
        """The head's columns of series of the ring, given to them where they have none."""
        columns = self._column_of[ids]
        if columns.min() < 0:
            joining = np.unique(ids[columns < 0])
            self._column_of[joining] = len(ring.layout) + np.arange(len(joining))
            ring.join(joining)
            columns = self._column_of[ids]
        return columns

    def _seal(self, number: int) -> bool:
        """Seal a ring's head; True if series left the ring because they don't share its timestamps."""
        ring = self._rings[number]
        series, present = ring.layout.series, ring.presence()
        owned = self._ring_of[series] == number
        leaving = [] if present.all() else misfits(present & owned)
        for columns in leaving:
            owned[columns] = False
            self._move(number, series[columns])
        keep = owned & present.any(axis=0)
        ring.seal(keep)
        if not keep.all():
            self._column_of[series[owned & ~keep]] = -1
            self._column_of[ring.layout.series] = np.arange(len(ring.layout))
        return bool(leaving)

    def _move(self, number: int, ids: IntArray) -> int:
        """Give series a ring of their own, history along; the number of that ring.

        What the old ring holds of them stays there for snapshots that know no better, until it expires.
        """
        series = np.unique(ids)
        timestamps_ms, values = self._rings[number].history(series, self._oldest_ms)
        target = self._new_ring()
        ring = self._rings[target]
        ring.join(series)
        self._column_of[series] = columns = np.arange(len(series))
        row = 0
        while row < len(timestamps_ms):
            if ring.room == 0:
                ring.seal(np.ones(len(series), dtype=np.bool_))
            end = min(row + ring.room, len(timestamps_ms))
            ring.extend(timestamps_ms[row:end], columns, values[row:end])
            self._ring_newest_ms[target] = timestamps_ms[end - 1]
            row = end
        moved = self._ring_of.copy()
        moved[series] = target
        self._ring_of = moved
        return target

    def _stored(self, timestamp_ms: int, ids: IntArray) -> FloatArray:
        """What the series have at a time: float64[series], ABSENT where it is no float."""
        values = np.full(len(ids), ABSENT)
        rings = self._ring_of[ids]
        for at in runs(rings):
            if rings[at[0]] >= 0:
                times, found = self._rings[rings[at[0]]].history(ids[at], timestamp_ms)
                if len(times) and times[0] == timestamp_ms:
                    values[at] = found[0]
        return values

    def _seen(self, ids: IntArray, timestamp_ms: int) -> None:
        self._first_ms[ids] = np.minimum(self._first_ms[ids], timestamp_ms)
        self._newest_ms[ids] = timestamp_ms

    def _seen_rows(self, ids: IntArray, timestamps_ms: IntArray, present: BoolArray) -> None:
        found = present.any(axis=0)
        first = timestamps_ms[present.argmax(axis=0)[found]]
        newest = timestamps_ms[len(present) - 1 - present[::-1].argmax(axis=0)[found]]
        self._first_ms[ids[found]] = np.minimum(self._first_ms[ids[found]], first)
        self._newest_ms[ids[found]] = newest

    def _counted(
        self, outcomes: OutcomeArray | None, shape: tuple[int, ...], samples: int | None = None
    ) -> Appended:
        samples = int(np.prod(shape)) if samples is None else samples
        if outcomes is None or not outcomes.any():
            self._samples_appended += samples
            return Appended(samples)
        _, out_of_order, duplicate, too_old = np.bincount(outcomes.ravel(), minlength=len(Outcome)).tolist()
        stored = samples - out_of_order - duplicate - too_old
        self._samples_appended += stored
        return Appended(stored, out_of_order, duplicate, too_old, outcomes)


def _compared(stored: FloatArray, values: FloatArray) -> OutcomeArray:
    """STORED where both have the same bits, else DUPLICATE."""
    differs = stored.view(np.uint64) != values.view(np.uint64)
    return np.where(differs, np.uint8(Outcome.DUPLICATE), np.uint8(Outcome.STORED))


def _expire_tracks(tracks: dict[int, Track[Any]], oldest_ms: int) -> None:
    for series_id in [series_id for series_id, track in tracks.items() if track.expire(oldest_ms)]:
        del tracks[series_id]
