"""From a file of the log back into a store."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tsdb import wal_format
from tsdb.sample import IntArray, is_absent
from tsdb.store import Store
from tsdb.wal_format import DamagedError, Kind

_ROWS_AT_ONCE: Final = 64


@dataclass(frozen=True)
class Replayed:
    """What became of a file of `size` bytes. `damage` says where it could not be read further."""

    size: int
    records: int
    complete: bool
    damage: DamagedError | None


def replay(content: bytes, store: Store) -> Replayed:
    """Append all samples of a file, up to the first damaged record."""
    reader = _Reader(store)
    count = 0
    kind: Kind | None = None
    damage = None
    try:
        for kind, payload in wal_format.records(memoryview(content)):
            reader.read(kind, payload)
            count += 1
    except DamagedError as error:
        damage = error
    reader.flush()
    return Replayed(len(content), count, kind is Kind.END and damage is None, damage)


class _Slot:
    """Series, the cells of their newest row, and rows that are not in the store yet."""

    def __init__(self, series_ids: IntArray) -> None:
        self.series_ids = series_ids
        self.cells = np.zeros(len(series_ids), dtype=np.uint64)
        self.times_ms: list[int] = []
        self.rows: list[wal_format.BitsArray] = []


class _Reader:
    """Follows the records of one file.

    Rows of a slot are gathered, because a matrix is stored much faster than its rows. Invariant: rows
    that are gathered at one time belong to slots that share no series, so that each series' samples
    reach the store in their order.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ids: dict[int, int] = {}  # of the log -> of the store
        self._table: IntArray = np.zeros(0, dtype=np.int64)  # the store's, by position in the last TABLE
        self._slots: dict[int, _Slot] = {}
        self._gathering: dict[int, _Slot] = {}
        self._gathered_in = np.full(0, -1)  # [store's id]: the slot, while it is among those

    def read(self, kind: Kind, payload: memoryview) -> None:
        match kind:
            case Kind.SERIES:
                ids, labels = wal_format.read_series(payload)
                found = self._store.series_ids(labels, is_vital=True)
                self._ids.update(zip(ids.tolist(), found.tolist(), strict=True))
            case Kind.COLUMNS:
                self.flush()
                number, ids = wal_format.read_columns(payload)
                known = [self._ids[series_id] for series_id in ids.tolist()]
                self._slots[number] = _Slot(np.array(known, dtype=np.int64))
            case Kind.ROW:
                self._row(payload)
            case Kind.HISTOGRAM:
                self.flush()
                series_id, time_ms, histogram = wal_format.read_histogram(payload)
                self._store.append_histograms(self._ids[series_id], [time_ms], [histogram])
            case Kind.TABLE:
                self._table = self._store.restore_labels(wal_format.read_table(payload))
                self._ids = dict(enumerate(self._table.tolist()))
            case Kind.RING:
                self.flush()
                self._store.restore(wal_format.read_ring(payload, self._table))
            case Kind.STARTS:
                series_id, times_ms, starts_ms = wal_format.read_starts(payload)
                self._store.append_start_timestamps(self._ids[series_id], times_ms, starts_ms)

    def flush(self) -> None:
        """Store what is gathered."""
        for slot in self._gathering.values():
            self._store_rows(slot)
            self._gathered_in[slot.series_ids] = -1
        self._gathering.clear()

    def _row(self, payload: memoryview) -> None:
        number, time_ms = wal_format.read_row_head(payload)
        slot = self._slots[number]
        if number not in self._gathering:
            top = int(slot.series_ids.max()) + 1
            if top > len(self._gathered_in):
                larger = np.full(2 * top, -1)
                larger[: len(self._gathered_in)] = self._gathered_in
                self._gathered_in = larger
            if (self._gathered_in[slot.series_ids] >= 0).any():
                self.flush()
            self._gathered_in[slot.series_ids] = number
            self._gathering[number] = slot
        elif len(slot.rows) == _ROWS_AT_ONCE or time_ms <= slot.times_ms[-1]:
            self._store_rows(slot)
        wal_format.read_row(payload, slot.cells)
        slot.times_ms.append(time_ms)
        slot.rows.append(slot.cells.copy())

    def _store_rows(self, slot: _Slot) -> None:
        times_ms = np.array(slot.times_ms, dtype=np.int64)
        values = np.array(slot.rows).view(np.float64)
        slot.times_ms, slot.rows = [], []
        if not is_absent(values).all():
            self._store.append_matrix(slot.series_ids, times_ms, values)
