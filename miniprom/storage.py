"""The folder on disk behind the store: opened, synced, kept short, mended."""

import asyncio
import logging
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from collector.clock import Clock
from miniprom.errors import MinipromError
from tsdb.disk import Disk
from tsdb.errors import FolderLockedError
from tsdb.snapshot import Snapshot
from tsdb.wal import Wal
from tsdb.wal_store import LoggedStore

_log = logging.getLogger(__name__)

SYNC_PERIOD_MS: Final = 1000
CHECKPOINT_PERIOD_MS: Final = 600_000
CHECKPOINT_BYTES: Final = 2 << 20
CHECKPOINT_SHARE: Final = 0.25
"""A log longer than this, and than this share of the last snapshot, is replaced earlier."""
MENDING_PERIOD_MS: Final = 10_000


class StorageError(MinipromError):
    """Samples can't be kept on disk as they should."""


class Storage:
    """Keeps a store on disk, if it was opened; does nothing otherwise. Belongs to the event loop."""

    def __init__(
        self,
        store: LoggedStore,
        clock: Clock,
        registry: CollectorRegistry,
        sync: str,
        disk: Disk | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sync = sync
        self._disk = disk or Disk()
        self._folder: Path | None = None
        self._task: asyncio.Task[None] | None = None
        self._checkpointing = asyncio.Lock()
        self._reported: OSError | None = None
        self._durable = Gauge(
            "miniprom_storage_durable",
            "Whether all samples are in the log on disk.",
            registry=registry,
        )
        self._damages = Counter(
            "prometheus_tsdb_wal_corruptions",
            "Files of the log that could not be read in full.",
            registry=registry,
        )
        self._failures = Counter(
            "prometheus_tsdb_wal_writes_failed",
            "Times the log could not be written any more.",
            registry=registry,
        )

    @property
    def folder(self) -> Path | None:
        """Where the store is kept; None: in memory only."""
        return self._folder

    def open(self, path: str) -> None:
        """Load what a folder holds, and log to it. Raises `StorageError` if another process has it.

        A folder that can't be used is reported, and the store stays in memory.
        """
        folder = Path(path)
        try:
            loaded = self._store.open(
                self._disk, folder, self._clock.now_ms(), sync_each_write=self._sync == "always"
            )
        except FolderLockedError as error:
            raise StorageError(f"opening storage failed: {error}") from error
        except OSError as error:
            text = "Can't use the storage folder: samples are kept in memory only, and lost at the next stop"
            _log.error(text, extra={"path": path, "err": str(error)})
            return
        self._folder = folder
        for problem in loaded.problems:
            self._damages.inc()
            _log.error("Lost samples of the log", extra={"path": path, "err": problem})
        self._durable.set(1)
        _log.info("Loaded the storage folder", extra={"path": path, "records": loaded.records})

    def start(self) -> None:
        """Sync, checkpoint and mend from now on."""
        if self._store.log:
            self._task = asyncio.create_task(self._keep(self._store.log))

    async def stop(self) -> None:
        """Write a last snapshot, and give the folder up."""
        async with self._checkpointing:  # a thread that writes a snapshot is not cancelled with its task
            if self._task:
                self._task.cancel()
            log, self._store.log = self._store.log, None
            if log is None:
                return
            try:
                log.finish(log.begin(self._store, self._clock.now_ms()))
            except OSError as error:
                _log.error("Can't write the last snapshot", extra={"err": str(error)})
            log.close()

    def confirm(self) -> None:
        """Raises `StorageError` unless all that was appended is in the log (or none is kept)."""
        log = self._store.log
        if log and log.error:
            raise StorageError(f"can't write to the log: {log.error}")

    async def checkpoint(self) -> None:
        """Replace the log so far by a snapshot. Raises `StorageError`."""
        # The thread goes on when a client leaves, and the lock must be held as long.
        await asyncio.shield(asyncio.create_task(self._checkpoint()))

    async def _checkpoint(self) -> None:
        async with self._checkpointing:
            log = self._store.log
            if log is None:
                return
            checkpoint = log.begin(self._store, self._clock.now_ms())
            try:
                await asyncio.to_thread(log.finish, checkpoint)
            except OSError as error:
                raise StorageError(f"can't write a snapshot: {error}") from error
            self._report(log)

    async def save(self, snapshot: Snapshot, name: str) -> None:
        """Write a snapshot into a folder of its own, from which a server can start. Raises `StorageError`."""
        log = self._store.log
        if log is None or self._folder is None:
            raise StorageError("there is no storage folder: samples are kept in memory only")
        try:
            await asyncio.to_thread(log.save, snapshot, self._folder / "snapshots" / name)
        except OSError as error:
            raise StorageError(f"create snapshot: {error}") from error

    async def _keep(self, log: Wal) -> None:
        now_ms = self._clock.now_ms()
        checkpoint_ms, mend_ms = now_ms + CHECKPOINT_PERIOD_MS, now_ms
        while True:
            await self._clock.sleep_until(self._clock.now_ms() + SYNC_PERIOD_MS)
            now_ms = self._clock.now_ms()
            if self._sync == "interval":
                await asyncio.to_thread(log.sync)
            self._report(log)
            is_due = now_ms >= checkpoint_ms or _is_long(log)
            if now_ms >= mend_ms if log.error else is_due:
                checkpoint_ms, mend_ms = now_ms + CHECKPOINT_PERIOD_MS, now_ms + MENDING_PERIOD_MS
                try:
                    await self.checkpoint()
                except StorageError as error:
                    _log.error("Can't shorten the log", extra={"err": str(error)})

    def _report(self, log: Wal) -> None:
        if log.error and log.error is not self._reported:
            if not self._reported:
                self._failures.inc()
            text = "Can't write to the log: samples are kept in memory only until a snapshot succeeds"
            _log.error(text, extra={"err": str(log.error)})
        elif self._reported and not log.error:
            _log.info("A snapshot succeeded: all samples are on disk again")
        self._reported = log.error
        self._durable.set(0 if log.error else 1)


def _is_long(log: Wal) -> bool:
    """Whether it is time for a snapshot: starts shall read little, snapshots be worth it."""
    return log.bytes_to_replay > max(CHECKPOINT_BYTES, CHECKPOINT_SHARE * log.snapshot_bytes)
