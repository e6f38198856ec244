"""What a file of the log has said so far, and the records that add to it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np

from tsdb import wal_format
from tsdb.arrays import distinct, grown
from tsdb.histogram import FloatHistogram
from tsdb.labels import Labels
from tsdb.sample import BoolArray, FloatArray, IntArray

LabelsOf: TypeAlias = Callable[[IntArray], Sequence[Labels]]
"""The labels of series ids."""

_MAX_SLOTS: Final = 4096
_MAX_CELLS: Final = 1 << 20
_SERIES_AT_ONCE: Final = 256  # labels take much memory while they are text


class LogWriter:
    """Turns samples into records of one file. Each method answers with the bytes to write next."""

    def __init__(self, labels_of: LabelsOf) -> None:
        self._labels_of = labels_of
        self._told: BoolArray = np.zeros(0, dtype=np.bool_)  # [series id]: whether the file has its labels
        self._slots: dict[bytes, tuple[int, wal_format.BitsArray]] = {}  # by ids; number, newest row
        self._free = list(range(_MAX_SLOTS))
        self._cells = 0

    def forget(self, reclaimed: Callable[[IntArray], BoolArray]) -> None:
        """Ids were reclaimed: they may stand for other series from now on."""
        told = np.flatnonzero(self._told)
        self._told[told[reclaimed(told)]] = False
        for key in list(self._slots):
            if reclaimed(np.frombuffer(key, dtype=np.int32).astype(np.int64)).any():
                self._drop_slot(key)

    def introduce(self, series_ids: IntArray) -> Iterator[bytes]:
        """The labels of series that the file does not have yet; the other methods do it, too, but at once."""
        top = int(series_ids.max()) + 1
        if top > len(self._told):
            self._told = grown(self._told, top)
        untold = distinct(series_ids[~self._told[series_ids]])
        for first in range(0, len(untold), _SERIES_AT_ONCE):
            some = untold[first : first + _SERIES_AT_ONCE]
            self._told[some] = True
            yield wal_format.write_series(some.astype(np.int32), self._labels_of(some))

    def row(self, time_ms: int, series_ids: IntArray, values: FloatArray) -> bytes:
        """Samples of one time; of two of a series, the first. Requires: at least one."""
        news = b"".join(self.introduce(series_ids))
        ids = series_ids.astype(np.int32)
        key = ids.tobytes()
        slot = self._slots.get(key)
        if slot is None:
            once, first = np.unique(series_ids, return_index=True)
            if len(once) < len(series_ids):
                return news + self.row(time_ms, once, values[first])
            slot = self._slots[key] = self._new_slot(len(ids))
            news += wal_format.write_columns(slot[0], ids)
        number, before = slot
        cells = values.view(np.uint64)
        row = wal_format.write_row(number, time_ms, cells, before)
        before[:] = cells
        return news + row

    def histogram(self, series_id: int, time_ms: int, histogram: FloatHistogram) -> bytes:
        """One native histogram."""
        news = b"".join(self.introduce(np.array([series_id])))
        return news + wal_format.write_histogram(series_id, time_ms, histogram)

    def starts(self, series_id: int, times_ms: IntArray, starts_ms: IntArray) -> bytes:
        """Start timestamps of one series."""
        news = b"".join(self.introduce(np.array([series_id])))
        return news + wal_format.write_starts(series_id, times_ms, starts_ms)

    def _new_slot(self, width: int) -> tuple[int, wal_format.BitsArray]:
        while self._slots and (not self._free or self._cells + width > _MAX_CELLS):
            self._drop_slot(next(iter(self._slots)))
        self._cells += width
        return self._free.pop(), np.zeros(width, dtype=np.uint64)

    def _drop_slot(self, key: bytes) -> None:
        number, cells = self._slots.pop(key)
        self._free.append(number)
        self._cells -= len(cells)
