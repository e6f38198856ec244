"""The folder behind the store: what its owner is told, and when it is synced, shortened and mended."""

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from collector.clock import VirtualClock
from miniprom.storage import (
    CHECKPOINT_PERIOD_MS,
    MENDING_PERIOD_MS,
    SYNC_PERIOD_MS,
    Storage,
    StorageError,
)
from tests.tsdb.logging_to import FaultyDisk, files, put, values_of
from tsdb.wal_store import LoggedStore

NOW_MS = 10_000


class Kept:
    """A store in a folder on a disk that may fail, and a clock."""

    def __init__(self, folder: Path, sync: str = "interval") -> None:
        self.clock = VirtualClock(NOW_MS)
        self.disk = FaultyDisk()
        self.registry = CollectorRegistry()
        self.store = LoggedStore(retention_ms=10_000_000)
        self.storage = Storage(self.store, self.clock, self.registry, sync, self.disk)
        self.storage.open(str(folder))

    def is_durable(self) -> bool:
        return self.registry.get_sample_value("miniprom_storage_durable") == 1.0


@contextmanager
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    running = asyncio.new_event_loop()
    try:
        yield running
    finally:
        running.run_until_complete(running.shutdown_default_executor())
        running.close()


def test_clean_stop_leaves_a_snapshot_and_an_empty_segment(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    put(kept.store, "a", (NOW_MS, 1.0))
    with loop() as running:
        running.run_until_complete(kept.storage.stop())
    assert files(tmp_path) == ["log.00000002", "rings.00000002"]
    assert (tmp_path / "log.00000002").stat().st_size == 0
    assert values_of(Kept(tmp_path).store, "a") == [(NOW_MS, 1.0)]


def test_folder_of_another_process_is_refused(tmp_path: Path) -> None:
    first = Kept(tmp_path)
    with pytest.raises(StorageError, match=f"opening storage failed: .* in use by process {os.getpid()}"):
        Kept(tmp_path)
    assert first.is_durable()


def test_folder_that_cannot_be_written_leaves_the_store_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taken = tmp_path / "data"
    taken.write_text("a file")  # root may write to read-only folders, but not into files
    kept = Kept(taken)
    put(kept.store, "a", (NOW_MS, 1.0))
    kept.storage.confirm()
    assert not kept.is_durable()
    assert "samples are kept in memory only" in caplog.text


def test_interval_syncs_once_a_second_at_most(tmp_path: Path) -> None:
    async def work() -> None:
        kept = Kept(tmp_path)
        kept.storage.start()
        for second in range(3):
            put(kept.store, "a", *[(NOW_MS + 10 * second + n, 1.0) for n in range(3)])
            await kept.clock.advance(1000)
        assert kept.disk.syncs == 3 + 1  # once the folder, which has a new name
        await kept.clock.advance(5000)
        assert kept.disk.syncs == 4
        await kept.storage.stop()

    with loop() as running:
        running.run_until_complete(work())


def test_never_syncs_but_snapshots(tmp_path: Path) -> None:
    async def work() -> None:
        kept = Kept(tmp_path, sync="never")
        kept.storage.start()
        put(kept.store, "a", (NOW_MS, 1.0))
        await kept.clock.advance(5000)
        assert kept.disk.syncs == 0
        await kept.storage.stop()
        assert kept.disk.syncs == 2  # the snapshot, and the folder with its name

    with loop() as running:
        running.run_until_complete(work())


def test_log_is_replaced_by_a_snapshot_every_ten_minutes(tmp_path: Path) -> None:
    async def work() -> None:
        kept = Kept(tmp_path)
        kept.storage.start()
        await kept.clock.advance(CHECKPOINT_PERIOD_MS - 1)
        assert files(tmp_path) == ["log.00000001"]
        await kept.clock.advance(1)
        assert files(tmp_path) == ["log.00000002", "rings.00000002"]
        await kept.storage.stop()

    with loop() as running:
        running.run_until_complete(work())


def test_long_log_is_replaced_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        monkeypatch.setattr("miniprom.storage.CHECKPOINT_BYTES", 100)
        kept = Kept(tmp_path)
        kept.storage.start()
        put(kept.store, "a", (NOW_MS, 1.0))
        await kept.clock.advance(2 * SYNC_PERIOD_MS)
        assert files(tmp_path) == ["log.00000001"]
        put(kept.store, "a", *[(NOW_MS + later_ms, 1.0) for later_ms in range(1, 9)])
        await kept.clock.advance(SYNC_PERIOD_MS)
        assert files(tmp_path) == ["log.00000002", "rings.00000002"]
        await kept.clock.advance(2 * SYNC_PERIOD_MS)
        assert files(tmp_path) == ["log.00000002", "rings.00000002"]
        await kept.storage.stop()

    with loop() as running:
        running.run_until_complete(work())


def test_log_that_is_short_beside_the_snapshot_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        monkeypatch.setattr("miniprom.storage.CHECKPOINT_BYTES", 100)
        monkeypatch.setattr("miniprom.storage.CHECKPOINT_SHARE", 1000)
        kept = Kept(tmp_path)
        kept.storage.start()
        put(kept.store, "a", *[(NOW_MS + later_ms, 1.0) for later_ms in range(9)])
        await kept.clock.advance(SYNC_PERIOD_MS)
        assert files(tmp_path) == ["log.00000002", "rings.00000002"]
        put(kept.store, "a", *[(NOW_MS + later_ms, 1.0) for later_ms in range(9, 99)])
        await kept.clock.advance(2 * SYNC_PERIOD_MS)
        assert files(tmp_path) == ["log.00000002", "rings.00000002"]
        await kept.storage.stop()

    with loop() as running:
        running.run_until_complete(work())


def test_full_disk_is_told_and_mended_when_it_has_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def work() -> None:
        kept = Kept(tmp_path)
        kept.storage.start()
        kept.disk.room = 5
        put(kept.store, "a", (NOW_MS, 1.0))
        with pytest.raises(StorageError, match=r"can't write to the log: .*No space left on device"):
            kept.storage.confirm()
        await kept.clock.advance(MENDING_PERIOD_MS)
        assert not kept.is_durable()
        assert caplog.text.count("Can't write to the log") == 1
        kept.disk.room = 1 << 20
        await kept.clock.advance(MENDING_PERIOD_MS + 1000)
        kept.storage.confirm()
        assert kept.is_durable()
        assert "all samples are on disk again" in caplog.text
        await kept.storage.stop()

    with loop() as running:
        running.run_until_complete(work())
    assert values_of(Kept(tmp_path).store, "a") == [(NOW_MS, 1.0)]


def test_client_that_leaves_does_not_let_two_snapshots_be_written_at_once(tmp_path: Path) -> None:
    async def work() -> None:
        kept = Kept(tmp_path)
        put(kept.store, "a", (NOW_MS, 1.0))
        leaving = asyncio.create_task(kept.storage.checkpoint())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        leaving.cancel()
        await kept.storage.checkpoint()
        assert files(tmp_path) == ["log.00000003", "rings.00000003"]
        await kept.storage.stop()

    with loop() as running:
        running.run_until_complete(work())


def test_damage_is_logged_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept(tmp_path)
    put(kept.store, "a", (NOW_MS, 1.0))
    assert kept.store.log
    kept.store.log.close()
    segment = tmp_path / "log.00000001"
    segment.write_bytes(segment.read_bytes()[:-1])
    kept = Kept(tmp_path)
    assert kept.registry.get_sample_value("prometheus_tsdb_wal_corruptions_total") == 1.0
    (record,) = [one for one in caplog.records if one.getMessage() == "Lost samples of the log"]
    assert "log.00000001: a record is cut short" in vars(record)["err"]


def test_store_without_a_folder_touches_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = LoggedStore(retention_ms=1000)
    storage = Storage(store, VirtualClock(0), CollectorRegistry(), "always")
    put(store, "a", (1, 1.0))

    async def work() -> None:
        storage.start()
        await storage.checkpoint()
        storage.confirm()
        with pytest.raises(StorageError, match="no storage folder"):
            await storage.save(store.snapshot(1), "name")
        await storage.stop()

    with loop() as running:
        running.run_until_complete(work())
    assert not list(tmp_path.iterdir())
