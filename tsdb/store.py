"""The one writer of samples: which series exist, what may be appended, and how long it is kept.

The rules of appending are those of a Prometheus head (upstream memSeries.appendable). They differ in
the bound of what is too old: it is the retention at the last `expire`, not half a block behind the
newest sample, so that one sample from the far future does not shut out all others. The window for
samples out of order is counted from the newest sample of their own series.
"""

import sys
import threading
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tsdb.appended import NO_ROOM, Appended, Outcome, OutcomeArray
from tsdb.arrays import grown, runs
from tsdb.block import as_slice
from tsdb.budget import Budget
from tsdb.held import HeldRing, LabelTable
from tsdb.histogram import FloatHistogram
from tsdb.histogram_arithmetic import hint_after
from tsdb.index import Index
from tsdb.labelframe import LabelScope
from tsdb.labels import Labels
from tsdb.reading import REMEMBERED_SAMPLES, Matrices
from tsdb.recent import Recent
from tsdb.rings import Rings
from tsdb.sample import (
    FOREVER_MS,
    NEVER_MS,
    BoolArray,
    CodeArray,
    FloatArray,
    IntArray,
    is_absent,
)
from tsdb.snapshot import SeriesTable, Snapshot
from tsdb.stats import Stats
from tsdb.track import Track


class Store:
    """Series and their samples. One thread writes; any number read through snapshots, without locks.

    `_first_ms` and `_newest_ms` tell per series id from when to when it has samples of either kind.
    """

    def __init__(
        self,
        *,
        retention_ms: int | None,
        retention_bytes: int | None = None,
        memory_limit_bytes: int | None = None,
        out_of_order_window_ms: int = 0,
    ) -> None:
        self.retention_ms = retention_ms
        self.out_of_order_window_ms = out_of_order_window_ms
        """So much older than the newest sample of its series a float may be."""
        self.budget = Budget(memory_limit_bytes, retention_bytes)
        self._index = Index()
        self._rings = Rings()
        self._matrices: Matrices = Recent(REMEMBERED_SAMPLES)
        self._first_ms: IntArray = np.full(16, FOREVER_MS)
        self._newest_ms: IntArray = np.full(16, NEVER_MS)
        self._histograms: dict[int, Track[FloatHistogram]] = {}
        self._start_timestamps: dict[int, Track[int]] = {}
        self._oldest_ms: int = NEVER_MS
        self._given_up_ms: int = NEVER_MS  # what is older was given up for the limit of memory
        self._samples_appended = 0
        self.epoch = 0
        """Counts how often ids were reclaimed."""
        self._reclaimed_in: CodeArray = np.zeros(16, dtype=np.int32)  # the last such epoch of each id
        self._swap = threading.Lock()  # held while what a snapshot is made of does not fit together

    def series_ids(self, labels: Iterable[Labels], *, is_vital: bool = False) -> IntArray:
        """The ids of label sets, new ones for those that are not known: int64[n].

        An id is valid until `expire` reclaims it because the series has no sample left. Who keeps ids asks
        `reclaimed` whenever `epoch` has changed. A new series that the memory limit leaves no room for gets
        NO_ROOM, with which an append stores nothing; vital ones are created all the same.
        """
        room = sys.maxsize if is_vital else self.budget.room(len(self._index))
        try:
            ids = self._index.series_ids(labels, room)
        finally:
            self._make_room(self._index.size)
        self.budget.series_refused += int(np.count_nonzero(ids == NO_ROOM))
        return ids

    @property
    def is_full(self) -> bool:
        """Whether the memory limit leaves no room for new series."""
        return self.budget.room(len(self._index)) == 0

    def set_apart(self, series_ids: IntArray) -> None:
        """Let series without samples, and those that come to be stored with them, share no row with others.

        For what is stored at the same time as others, but does not come and go with them.
        """
        self._rings.set_apart(series_ids)

    def append(self, series_ids: IntArray, timestamps_ms: int | IntArray, values: FloatArray) -> Appended:
        """One sample a series: `values[series]`, at one time or at `timestamps_ms[series]`.

        A series that is there twice for one time keeps the first. A STALE value is a stale marker. Ids that
        come again and again cost less if they are the same array, one that can't be written to.
        """
        if not isinstance(timestamps_ms, np.ndarray):
            return self._counted(self._append_row(int(timestamps_ms), series_ids, values), values.size)
        outcomes = np.zeros(len(series_ids), dtype=np.uint8)
        for at in runs(timestamps_ms):
            refused = self._append_row(int(timestamps_ms[at[0]]), series_ids[at], values[at])
            if refused is not None:
                outcomes[at] = refused
        return self._counted(outcomes, values.size)

    def append_matrix(self, series_ids: IntArray, timestamps_ms: IntArray, values: FloatArray) -> Appended:
        """Many samples a series: `values[row, series]`, ABSENT where there is none.

        Requires: timestamps ascend strictly; each series stands there once.
        """
        present = ~is_absent(values)
        outcomes = np.where(present & (series_ids == NO_ROOM), np.uint8(Outcome.NO_ROOM), np.uint8(0))
        filled = np.flatnonzero(present.any(axis=0) & (series_ids != NO_ROOM))
        for at in self._by_ring(timestamps_ms, series_ids[filled]):
            columns = as_slice(filled[at])
            outcomes[:, columns] = self._append_columns(
                timestamps_ms, series_ids[columns], values[:, columns], present[:, columns]
            )
        return self._counted(outcomes, int(np.count_nonzero(present)))

    def append_histograms(
        self, series_id: int, timestamps_ms: Sequence[int], histograms: Sequence[FloatHistogram]
    ) -> Appended:
        """Native histograms of one series, stored with what is known about resets between them.

        The stale marker after them is a float: `append` it.
        """
        outcomes = np.zeros(len(timestamps_ms), dtype=np.uint8)
        if series_id == NO_ROOM:
            return self._counted(outcomes + np.uint8(Outcome.NO_ROOM), outcomes.size)
        track = self._histograms.setdefault(series_id, Track())
        for at, (timestamp_ms, histogram) in enumerate(zip(timestamps_ms, histograms, strict=True)):
            newest_ms = self._newest_ms[series_id]
            if timestamp_ms < self._oldest_ms:
                outcomes[at] = Outcome.TOO_OLD
            elif timestamp_ms < newest_ms:
                outcomes[at] = Outcome.OUT_OF_ORDER
            elif timestamp_ms > newest_ms:
                hint = hint_after(track.at(int(newest_ms)), histogram)
                track.append(timestamp_ms, histogram.with_hint(hint))
                self._first_ms[series_id] = min(int(self._first_ms[series_id]), timestamp_ms)
                self._newest_ms[series_id] = timestamp_ms
            elif track.at(timestamp_ms) != histogram:
                outcomes[at] = Outcome.DUPLICATE
        return self._counted(outcomes, outcomes.size)

    def append_start_timestamps(
        self, series_id: int, timestamps_ms: Sequence[int], start_timestamps_ms: Sequence[int]
    ) -> None:
        """Since when a series counts, as known at the times of its samples; what is not newer is left out."""
        if series_id == NO_ROOM:
            return
        track = self._start_timestamps.setdefault(series_id, Track())
        for timestamp_ms, start_ms in zip(timestamps_ms, start_timestamps_ms, strict=True):
            if track.newest_ms is None or timestamp_ms > track.newest_ms:
                track.append(timestamp_ms, start_ms)

    def expire(self, now_ms: int) -> None:
        """Free what is older than the retention, whole blocks at a time; refuse such samples from now on.

        Where the limits of memory are exceeded, the retention is shortened until they are not.
        """
        if self.retention_ms is not None:
            self._expire_before(now_ms - self.retention_ms)
        over_samples = self.budget.over_samples(self._rings.memory_bytes())
        if over_samples > 0:
            self._expire_before(self._rings.time_to_free(over_samples))
        over_memory = self.budget.over_memory(self._memory_bytes())
        if over_memory > 0:
            self._given_up_ms = self._rings.time_to_free(over_memory)
            self._expire_before(self._given_up_ms)
        gives_way = self.retention_ms is not None and self._given_up_ms > now_ms - self.retention_ms
        self.budget.count(self._memory_bytes(), len(self._index), is_exceeded=gives_way)

    def _expire_before(self, oldest_ms: int) -> None:
        oldest_ms = self._oldest_ms = max(self._oldest_ms, oldest_ms)
        self._rings.expire(oldest_ms)
        _expire_tracks(self._histograms, oldest_ms)
        _expire_tracks(self._start_timestamps, oldest_ms)
        known = self._index.known()
        self._reclaim(known[self._newest_ms[known] < oldest_ms])

    def _memory_bytes(self) -> int:
        per_series = self._first_ms.nbytes + self._newest_ms.nbytes + self._reclaimed_in.nbytes
        return self._index.memory_bytes() + self._rings.memory_bytes() + per_series

    def reclaimed(self, series_ids: IntArray, since_epoch: int) -> BoolArray:
        """Which of the ids were reclaimed after an epoch: they belong to nobody, or to other series."""
        reclaimed: BoolArray = self._reclaimed_in[series_ids] > since_epoch
        return reclaimed

    def snapshot(self, now_ms: int) -> Snapshot:
        """The store as it is now, without what is older than the retention at `now_ms`. From any thread."""
        with self._swap:
            return self._snapshot(now_ms)

    def still(self, now_ms: int) -> Snapshot:
        """A snapshot whose `rings` can be read while the writer goes on. From the writing thread."""
        table = self._first_ms.copy(), self._newest_ms.copy(), self._rings.ring_of.copy()
        return self._snapshot(now_ms, SeriesTable(*table))

    def restore_labels(self, table: LabelTable) -> IntArray:
        """The ids of the series of a table, whatever the memory limit says: int64[n]."""
        try:
            return self._index.restore(table)
        finally:
            self._make_room(self._index.size)

    def restore(self, ring: HeldRing) -> None:
        """Store the samples of a ring, as it is if its series have none yet. Its series are ids."""
        if (self._newest_ms[ring.series] > NEVER_MS).any():
            for block in ring.blocks:
                values = block.read(slice(0, len(block.layout)), slice(0, block.times.rows))
                self.append_matrix(block.layout.series.astype(np.int64), block.times.read(), values)
            self.append_matrix(ring.head_series.astype(np.int64), ring.head_times_ms, ring.head)
            return
        self._first_ms[ring.series] = ring.first_ms
        self._newest_ms[ring.series] = ring.newest_ms
        self._rings.restore(ring)

    def _snapshot(self, now_ms: int, table: SeriesTable | None = None) -> Snapshot:
        ring_of, rings = self._rings.capture()
        table = table or SeriesTable(self._first_ms, self._newest_ms, ring_of)
        size = min(len(table.first_ms), len(table.newest_ms), len(table.ring))
        return Snapshot(
            index=self._index.view(size),
            scope=LabelScope(self._index.dictionaries),
            table=table,
            rings=rings,
            matrices=self._matrices,
            histograms=dict(self._histograms),
            start_timestamps=dict(self._start_timestamps),
            oldest_ms=max(now_ms - (self.retention_ms or 0), self._oldest_ms)
            if self.retention_ms is not None
            else self._oldest_ms,
        )

    def _make_room(self, size: int) -> None:
        if size > len(self._first_ms):
            self._newest_ms = grown(self._newest_ms, size, NEVER_MS)
            self._first_ms = grown(self._first_ms, size, FOREVER_MS)
            self._reclaimed_in = grown(self._reclaimed_in, size)
        self._rings.make_room(size)

    def _reclaim(self, ids: IntArray) -> None:
        """Give up series that have no sample left."""
        if not len(ids):
            return
        with self._swap:
            first_ms, newest_ms = self._first_ms.copy(), self._newest_ms.copy()
            first_ms[ids], newest_ms[ids] = FOREVER_MS, NEVER_MS
            self._first_ms, self._newest_ms = first_ms, newest_ms
            self._rings.forget(ids)
            self._index.reclaim(ids)
        for series_id in ids.tolist() if self._start_timestamps else ():
            self._start_timestamps.pop(series_id, None)
        self.epoch += 1
        self._reclaimed_in[ids] = self.epoch

    def stats(self) -> Stats:
        """Figures on the series that have samples. From the writing thread."""
        sealed_bytes, sealed_cells = self._rings.sealed()
        alive = np.flatnonzero(self._newest_ms >= max(self._oldest_ms, NEVER_MS + 1))
        return Stats(
            series=len(alive),
            samples_appended=self._samples_appended,
            min_time_ms=max(int(self._first_ms[alive].min()), self._oldest_ms) if len(alive) else None,
            max_time_ms=int(self._newest_ms[alive].max()) if len(alive) else None,
            memory_bytes=self._memory_bytes(),
            samples_bytes=self._rings.memory_bytes(),
            sealed_bytes=sealed_bytes,
            sealed_cells=sealed_cells,
            memory_limit_bytes=self.budget.memory_bytes,
            series_refused=self.budget.series_refused,
            count_values=partial(self._index.view(len(self._newest_ms)).counts, alive),
        )

    def _append_row(self, timestamp_ms: int, ids: IntArray, values: FloatArray) -> OutcomeArray | None:
        """Outcomes of samples of one time; None: all stored."""
        if not len(ids):
            return None
        if ids.min() < 0:
            return self._append_where_there_is_room(timestamp_ms, ids, values)
        if timestamp_ms < self._oldest_ms:
            return np.full(len(ids), Outcome.TOO_OLD, dtype=np.uint8)
        newest_ms = self._newest_ms[ids]
        if newest_ms.max() < timestamp_ms:
            again = self._write(timestamp_ms, ids, values, newest_ms)
            return None if again is None else again * np.uint8(Outcome.DUPLICATE)
        outcomes = np.zeros(len(ids), dtype=np.uint8)
        outcomes[newest_ms > timestamp_ms] = Outcome.OUT_OF_ORDER
        same = np.flatnonzero(newest_ms == timestamp_ms)
        if len(same):
            differing = _differs(self._rings.stored(timestamp_ms, ids[same]), values[same])
            outcomes[same[differing]] = Outcome.DUPLICATE
        late = (newest_ms > timestamp_ms) & (newest_ms - self.out_of_order_window_ms <= timestamp_ms)
        if late.any():
            outcomes[late] = self._insert(timestamp_ms, ids[late], values[late])
        fresh = np.flatnonzero(newest_ms < timestamp_ms)
        if len(fresh):
            again = self._write(timestamp_ms, ids[fresh], values[fresh], newest_ms[fresh])
            if again is not None:
                outcomes[fresh[again]] = Outcome.DUPLICATE
        return outcomes

    def _append_where_there_is_room(
        self, timestamp_ms: int, ids: IntArray, values: FloatArray
    ) -> OutcomeArray:
        outcomes = np.full(len(ids), Outcome.NO_ROOM, dtype=np.uint8)
        at = np.flatnonzero(ids != NO_ROOM)
        refused = self._append_row(timestamp_ms, ids[at], values[at])
        outcomes[at] = Outcome.STORED if refused is None else refused
        return outcomes

    def _insert(self, timestamp_ms: int, ids: IntArray, values: FloatArray) -> OutcomeArray:
        """Store samples that come out of order; of two for a series, the first."""
        distinct, first = np.unique(ids, return_index=True)
        free = is_absent(self._rings.stored(timestamp_ms, distinct))
        for at in np.flatnonzero(free).tolist() if self._histograms else ():
            track = self._histograms.get(int(distinct[at]))
            free[at] = track is None or track.at(timestamp_ms) is None
        if free.any():
            self._rings.insert(timestamp_ms, distinct[free], values[first[free]])
            self._first_ms[distinct[free]] = np.minimum(self._first_ms[distinct[free]], timestamp_ms)
        refused = _differs(self._rings.stored(timestamp_ms, ids), values)
        return refused * np.uint8(Outcome.DUPLICATE)

    def _write(
        self, timestamp_ms: int, ids: IntArray, values: FloatArray, newest_ms: IntArray
    ) -> BoolArray | None:
        """Store samples newer than `newest_ms`, the newest of each series; which came twice and lost."""
        stored = self._rings.write(timestamp_ms, ids, values)
        if newest_ms.min() == NEVER_MS:
            self._first_ms[ids[newest_ms == NEVER_MS]] = timestamp_ms
        self._newest_ms[ids] = timestamp_ms
        if stored is values:
            return None
        again = _differs(stored, values)
        return again if again.any() else None

    def _by_ring(self, timestamps_ms: IntArray, ids: IntArray) -> list[IntArray]:
        """Positions of series that share a ring; no matter how where the matrix begins too early for one."""
        if not len(ids) or timestamps_ms[0] < self._oldest_ms:
            return [np.arange(len(ids))]
        return runs(self._rings.settle(int(timestamps_ms[0]), ids))

    def _append_columns(
        self, timestamps_ms: IntArray, ids: IntArray, values: FloatArray, present: BoolArray
    ) -> OutcomeArray:
        """Store a matrix: as many rows at once as the series share a ring, the rest row by row."""
        outcomes = np.zeros(values.shape, dtype=np.uint8)
        for late in range(self._append_rows(timestamps_ms, ids, values, present), len(timestamps_ms)):
            at = np.flatnonzero(present[late])
            refused = self._append_row(int(timestamps_ms[late]), ids[at], values[late, at])
            if refused is not None:
                outcomes[late, at] = refused
        return outcomes

    def _append_rows(
        self, timestamps_ms: IntArray, ids: IntArray, values: FloatArray, present: BoolArray
    ) -> int:
        """Store many rows at once while the series share a ring; the number of rows done."""
        if not len(ids) or timestamps_ms[0] < max(self._oldest_ms, self._newest_ms[ids].max() + 1):
            return 0
        row = 0
        while row < len(timestamps_ms):
            rows = self._rings.write_rows(timestamps_ms[row:], ids, values[row:])
            if rows == 0:
                break
            self._see_rows(timestamps_ms[row : row + rows], ids, present[row : row + rows])
            row += rows
        return row

    def _see_rows(self, timestamps_ms: IntArray, ids: IntArray, present: BoolArray) -> None:
        found = present.any(axis=0)
        ids, present = ids[found], present[:, found]
        self._first_ms[ids] = np.minimum(self._first_ms[ids], timestamps_ms[present.argmax(axis=0)])
        self._newest_ms[ids] = timestamps_ms[len(present) - 1 - present[::-1].argmax(axis=0)]

    def _counted(self, outcomes: OutcomeArray | None, samples: int) -> Appended:
        if outcomes is None or not outcomes.any():
            self._samples_appended += samples
            return Appended(samples)
        appended = Appended.of(outcomes, samples)
        self._samples_appended += appended.stored
        return appended


def _differs(stored: FloatArray, values: FloatArray) -> BoolArray:
    """Where the bits are not the same."""
    differs: BoolArray = stored.view(np.uint64) != values.view(np.uint64)
    return differs


def _expire_tracks(tracks: dict[int, Track[Any]], oldest_ms: int) -> None:
    for series_id in [series_id for series_id, track in tracks.items() if track.expire(oldest_ms)]:
        del tracks[series_id]
