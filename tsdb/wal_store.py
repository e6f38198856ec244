"""A store that writes what it accepts to a log."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tsdb.appended import NO_ROOM, Appended, Outcome
from tsdb.arrays import runs
from tsdb.disk import Disk
from tsdb.histogram import FloatHistogram
from tsdb.labelframe import LabelScope
from tsdb.labels import Labels
from tsdb.sample import BoolArray, FloatArray, IntArray, is_absent
from tsdb.store import Store
from tsdb.wal import Loaded, Wal


class LoggedStore(Store):
    """A store whose samples are in the log when an append returns, unless `log.error` says why not."""

    log: Wal | None = None
    _logged_epoch = 0

    def open(self, disk: Disk, folder: Path, now_ms: int, *, sync_each_write: bool = False) -> Loaded:
        """Load a folder, and write to it from now on. Raises `FolderLockedError`, `OSError`.

        Requires: the store is empty.
        """
        log = Wal(disk, folder, self._labels_of, sync_each_write=sync_each_write)
        self.expire(now_ms)
        try:
            loaded = log.load(self)
            self.expire(now_ms)
        except OSError:
            log.close()
            raise
        self._logged_epoch = self.epoch
        log.begin_segment()
        self.log = log
        return loaded

    def append(self, series_ids: IntArray, timestamps_ms: int | IntArray, values: FloatArray) -> Appended:
        appended = super().append(series_ids, timestamps_ms, values)
        if self.log and appended.stored:
            if appended.outcomes is not None:
                stored = appended.outcomes == Outcome.STORED
                series_ids, values = series_ids[stored], values[stored]
                timestamps_ms = (
                    timestamps_ms[stored] if isinstance(timestamps_ms, np.ndarray) else timestamps_ms
                )
            self._log_samples(self.log, series_ids, timestamps_ms, values)
        return appended

    def append_matrix(self, series_ids: IntArray, timestamps_ms: IntArray, values: FloatArray) -> Appended:
        appended = super().append_matrix(series_ids, timestamps_ms, values)
        if self.log and appended.stored:
            present = ~is_absent(values)
            if appended.outcomes is not None:
                present &= appended.outcomes == Outcome.STORED
            self._log_matrix(self.log, series_ids, timestamps_ms, values, present)
        return appended

    def append_histograms(
        self, series_id: int, timestamps_ms: Sequence[int], histograms: Sequence[FloatHistogram]
    ) -> Appended:
        appended = super().append_histograms(series_id, timestamps_ms, histograms)
        if self.log and appended.stored:
            self._give_up_reclaimed(self.log)
            outcomes = appended.outcomes if appended.outcomes is not None else np.zeros(len(histograms))
            stored = np.flatnonzero(outcomes == Outcome.STORED).tolist()
            records = [
                self.log.writer.histogram(series_id, timestamps_ms[at], histograms[at]) for at in stored
            ]
            self.log.write(b"".join(records))
        return appended

    def append_start_timestamps(
        self, series_id: int, timestamps_ms: Sequence[int], start_timestamps_ms: Sequence[int]
    ) -> None:
        super().append_start_timestamps(series_id, timestamps_ms, start_timestamps_ms)
        if self.log and series_id != NO_ROOM and len(timestamps_ms):
            self._give_up_reclaimed(self.log)
            times_ms = np.array(timestamps_ms, dtype=np.int64)
            starts_ms = np.array(start_timestamps_ms, dtype=np.int64)
            self.log.write(self.log.writer.starts(series_id, times_ms, starts_ms))

    @contextmanager
    def rewriting(self, series: Iterable[Labels]) -> Iterator[None]:
        """Forget series, and log nothing of what is appended meanwhile: a checkpoint must follow.

        Requires: the store knows the series.
        """
        log, self.log = self.log, None
        try:
            self._forget(self.series_ids(series))
            yield
        finally:
            self.log = log

    def _forget(self, ids: IntArray) -> None:
        self._reclaim(ids)
        self._index.retire(ids)
        for series_id in ids.tolist():
            self._histograms.pop(series_id, None)

    def _log_samples(
        self, log: Wal, series_ids: IntArray, timestamps_ms: int | IntArray, values: FloatArray
    ) -> None:
        self._give_up_reclaimed(log)
        for labels in log.writer.introduce(series_ids):  # of a first scrape, megabytes
            log.write(labels, is_part=True)
        if not isinstance(timestamps_ms, np.ndarray):
            log.write(log.writer.row(timestamps_ms, series_ids, np.asarray(values, dtype=np.float64)))
            return
        rows = [
            log.writer.row(int(timestamps_ms[at[0]]), series_ids[at], values[at])
            for at in runs(timestamps_ms)
        ]
        log.write(b"".join(rows))

    def _log_matrix(
        self, log: Wal, series_ids: IntArray, timestamps_ms: IntArray, values: FloatArray, present: BoolArray
    ) -> None:
        self._give_up_reclaimed(log)
        rows = [
            log.writer.row(time_ms, series_ids[here], cells[here])
            for time_ms, cells, here in zip(timestamps_ms.tolist(), values, present, strict=True)
            if here.any()
        ]
        log.write(b"".join(rows))

    def _give_up_reclaimed(self, log: Wal) -> None:
        since, self._logged_epoch = self._logged_epoch, self.epoch
        if since != self.epoch:
            log.writer.forget(lambda ids: self.reclaimed(ids, since))

    def _labels_of(self, ids: IntArray) -> list[Labels]:
        view = self._index.view(self._index.size)
        return view.frame(LabelScope(self._index.dictionaries), ids).series()
