"""Stores on disk for tests, and a disk that fails on demand."""

import errno
from pathlib import Path

import numpy as np

from tests.tsdb.reading import Samples, everything, samples_of
from tsdb import Labels, labels_from
from tsdb.disk import Disk
from tsdb.wal_store import LoggedStore

RETENTION_MS = 1_000_000


class FaultyDisk(Disk):
    """A disk with room for `room` bytes that writes at most `piece` bytes at once, and may fail to sync."""

    def __init__(self) -> None:
        self.room = 1 << 40
        self.piece = 1 << 40
        self.sync_fails = False
        self.syncs = 0

    def write(self, descriptor: int, content: memoryview) -> int:
        size = min(len(content), self.piece, self.room)
        if not size:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = super().write(descriptor, content[:size])
        self.room -= written
        return written

    def sync(self, descriptor: int) -> None:
        self.syncs += 1
        if self.sync_fails:
            raise OSError(errno.EIO, "Input/output error")


def opened(
    folder: Path, disk: Disk | None = None, *, now_ms: int = 0, sync_each_write: bool = False
) -> LoggedStore:
    """A store on a folder, loaded without problems."""
    store = LoggedStore(retention_ms=RETENTION_MS)
    loaded = store.open(disk or Disk(), folder, now_ms, sync_each_write=sync_each_write)
    assert not loaded.problems
    return store


def killed(store: LoggedStore) -> None:
    """Leave the folder as a process that is killed leaves it."""
    assert store.log
    store.log.close()


def checkpoint(store: LoggedStore, now_ms: int = 0) -> None:
    assert store.log
    store.log.finish(store.log.begin(store, now_ms))


def put(store: LoggedStore, name: str, *points: tuple[int, float]) -> None:
    """Append samples of one series, one at a time."""
    for time_ms, value in points:
        ids = store.series_ids([named(name)])
        assert store.append(ids, time_ms, np.array([value])).stored == 1


def named(name: str) -> Labels:
    return labels_from({"__name__": name})


def content(store: LoggedStore, now_ms: int = 0) -> Samples:
    return samples_of(everything(store.snapshot(now_ms)))


def values_of(store: LoggedStore, name: str) -> list[tuple[int, float]]:
    """Time and value of one series."""
    found = content(store).get(named(name), [])
    return [
        (time_ms, float(np.array([bits], dtype=np.uint64).view(np.float64)[0])) for time_ms, bits in found
    ]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "lock")
