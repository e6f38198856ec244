"""What a disk that fails does to a store: nothing; and to the log: it ends, until a snapshot succeeds."""

import errno
from pathlib import Path

import pytest

from tests.tsdb.logging_to import FaultyDisk, checkpoint, files, killed, opened, put, values_of
from tsdb.disk import Disk
from tsdb.wal_store import LoggedStore


def failure(store: LoggedStore) -> int | None:
    assert store.log
    return store.log.error.errno if store.log.error else None


def test_write_that_takes_only_a_few_bytes_is_continued(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.piece = 3
    store = opened(tmp_path, disk)
    put(store, "a", (1, 1.0), (2, 2.0))
    checkpoint(store)
    put(store, "a", (3, 3.0))
    assert failure(store) is None
    killed(store)
    assert values_of(opened(tmp_path), "a") == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_full_disk_ends_the_log_but_not_the_store(tmp_path: Path) -> None:
    disk = FaultyDisk()
    store = opened(tmp_path, disk)
    put(store, "a", (1, 1.0))
    disk.room = 10
    put(store, "a", (2, 2.0), (3, 3.0))
    assert failure(store) == errno.ENOSPC
    assert values_of(store, "a") == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_disk_that_has_room_again_gets_all_that_was_missed(tmp_path: Path) -> None:
    disk = FaultyDisk()
    store = opened(tmp_path, disk)
    disk.room = 10
    put(store, "a", (1, 1.0), (2, 2.0))
    disk.room = 1 << 20
    put(store, "a", (3, 3.0))
    assert failure(store) == errno.ENOSPC
    checkpoint(store)
    assert failure(store) is None
    put(store, "a", (4, 4.0))
    killed(store)
    assert values_of(opened(tmp_path), "a") == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]


def test_start_after_a_full_disk_reads_what_was_written(tmp_path: Path) -> None:
    disk = FaultyDisk()
    store = opened(tmp_path, disk)
    put(store, "a", (1, 1.0))
    disk.room = 10
    put(store, "a", (2, 2.0))
    killed(store)
    store = LoggedStore(retention_ms=1000)
    (problem,) = store.open(Disk(), tmp_path, 0).problems
    assert "a record is cut short" in problem
    assert values_of(store, "a") == [(1, 1.0)]


def test_snapshot_on_a_full_disk_leaves_log_and_old_snapshot(tmp_path: Path) -> None:
    disk = FaultyDisk()
    store = opened(tmp_path, disk)
    put(store, "a", (1, 1.0))
    checkpoint(store)
    put(store, "a", (2, 2.0))
    disk.room = 20
    with pytest.raises(OSError, match="No space"):
        checkpoint(store)
    assert failure(store) is None
    assert files(tmp_path) == ["log.00000002", "log.00000003", "rings.00000002"]
    disk.room = 1 << 20
    put(store, "a", (3, 3.0))
    killed(store)
    assert values_of(opened(tmp_path), "a") == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_failed_sync_ends_the_segment(tmp_path: Path) -> None:
    disk = FaultyDisk()
    store = opened(tmp_path, disk)
    put(store, "a", (1, 1.0))
    disk.sync_fails = True
    assert store.log
    store.log.sync()
    assert failure(store) == errno.EIO
    disk.sync_fails = False
    store.log.sync()
    assert failure(store) == errno.EIO  # what the system dropped is not written by syncing again
    checkpoint(store)
    assert failure(store) is None


def test_failure_while_a_snapshot_is_made_is_not_mended_by_it(tmp_path: Path) -> None:
    disk = FaultyDisk()
    store = opened(tmp_path, disk)
    put(store, "a", (1, 1.0))
    assert store.log
    begun = store.log.begin(store, 0)
    disk.room = 5
    put(store, "a", (2, 2.0))
    disk.room = 1 << 20
    store.log.finish(begun)
    assert failure(store) == errno.ENOSPC


def test_every_write_is_synced_where_that_is_asked_for(tmp_path: Path) -> None:
    disk = FaultyDisk()
    store = opened(tmp_path, disk, sync_each_write=True)
    put(store, "a", (1, 1.0), (2, 2.0))
    assert disk.syncs == 2 + 1  # once the folder, which has a new name
    disk.sync_fails = True
    put(store, "a", (3, 3.0))
    assert failure(store) == errno.EIO


def test_sync_without_news_does_not_touch_the_disk(tmp_path: Path) -> None:
    disk = FaultyDisk()
    store = opened(tmp_path, disk)
    put(store, "a", (1, 1.0))
    assert store.log
    store.log.sync()
    assert disk.syncs == 1 + 1  # the segment, and the folder, which has a new name
    store.log.sync()
    assert disk.syncs == 2


def test_file_that_cannot_be_read_is_a_problem_not_an_error(tmp_path: Path) -> None:
    class UnreadableDisk(Disk):
        def read(self, path: Path) -> bytes:
            raise OSError(errno.EIO, "Input/output error", str(path))

    store = opened(tmp_path)
    put(store, "a", (1, 1.0))
    killed(store)
    store = LoggedStore(retention_ms=1000)
    (problem,) = store.open(UnreadableDisk(), tmp_path, 0).problems
    assert problem == "log.00000001 can't be read: Input/output error; its samples are lost"
