"""The log on disk: what was appended since the last snapshot, and the snapshot.

A folder holds `lock`, snapshots `rings.<n>` and segments `log.<n>`. Snapshot n is the store as it was when
segment n was begun: after loading it, segments from n on bring the store up to date. A snapshot is
written under another name, synced and renamed; then what it replaces is removed. What has another name
is not ours.

A failure to write ends the log, not the store: `error` says why, and the next snapshot that succeeds
holds all that the log missed.
"""

import contextlib
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tsdb.disk import Disk, File
from tsdb.errors import FolderLockedError
from tsdb.snapshot import Snapshot
from tsdb.store import Store
from tsdb.wal_reader import Replayed, replay
from tsdb.wal_snapshot import write_snapshot
from tsdb.wal_writer import LabelsOf, LogWriter

SEGMENT_BYTES: Final = 64 << 20

# What was accepted out of order is accepted again. A snapshot that is written while the store goes on may
# also show a histogram, but not the floats before it; these come with the segment.
_ANY_WINDOW_MS: Final = 1 << 60
_LOCK: Final = "lock"
_NEW: Final = ".new"
_NAME: Final = re.compile(r"(log|rings)\.(\d{8})")


@dataclass(frozen=True)
class Checkpoint:
    """A snapshot that is to replace the segments before `number`."""

    number: int
    snapshot: Snapshot
    failures: int


@dataclass(frozen=True)
class Loaded:
    """What opening a folder found; `problems` are lines for its owner."""

    records: int = 0
    log_bytes: int = 0
    problems: tuple[str, ...] = ()


class Wal:
    """The log of one store. The writer of the store calls all methods but `sync` and `finish`.

    Invariant: `_file` is the segment `_number`, None after a failure; `writer` knows what it says.
    """

    def __init__(
        self, disk: Disk, folder: Path, labels_of: LabelsOf, *, sync_each_write: bool = False
    ) -> None:
        """Takes the folder. Raises `FolderLockedError`, `OSError`."""
        self.error: OSError | None = None
        self.writer = LogWriter(labels_of)
        self._disk = disk
        self._folder = folder
        self._labels_of = labels_of
        self._file: File | None = None
        self._retired: list[File] = []
        self._files = threading.Lock()  # held to sync or to change which files are open
        self._size = 0
        self.bytes_to_replay = 0
        """Of segments: what the next start would read beside the snapshot."""
        self.snapshot_bytes = 0
        """Of the last snapshot of the whole store that was written."""
        self._unsynced = False
        self._is_new = False  # the segment: its name is not on disk for good
        self._sync_each_write = sync_each_write
        self._failures = 0
        disk.make_folder(folder)
        self._lock = self._take_lock()
        self._number = max([number for _, number in _ours(disk, folder)], default=0)

    def load(self, store: Store) -> Loaded:
        """Append all that the folder holds; remove what a snapshot left half done. Raises `OSError`."""
        for name in self._disk.names(self._folder):
            if name.endswith(_NEW) and _NAME.fullmatch(name.removesuffix(_NEW)):
                self._disk.remove(self._folder / name)
        loaded = load(self._disk, self._folder, store)
        self.bytes_to_replay = loaded.log_bytes
        return loaded

    def begin_segment(self) -> None:
        """Write to a new segment from now on. After a failure `error` says why there is none."""
        with self._files:
            if self._file:
                self._retired.append(self._file)
                self._file = None
            self._number += 1
            self.writer = LogWriter(self._labels_of)
            self._size = 0
            self._is_new = True
            try:
                self._file = self._disk.create(self._folder / _name("log", self._number))
            except OSError as error:
                self._fail(error)

    def write(self, content: bytes, *, is_part: bool = False) -> None:
        """Add records of `writer`; of a part nobody needs to be sure before the rest is written.

        After a failure nothing is written any more, and `error` says why.
        """
        if self._file is None:
            return
        try:
            self._file.write(content)
            self._unsynced = True
            if self._sync_each_write and not is_part:
                self._sync_segment(self._file)
        except OSError as error:
            with self._files:
                self._fail(error)
            return
        self._size += len(content)
        self.bytes_to_replay += len(content)
        if self._size > SEGMENT_BYTES:
            self.begin_segment()

    def sync(self) -> None:
        """Return once what was written outlives a crash of the machine, or `error` says why it may not."""
        with self._files:
            if not self._unsynced:
                return
            self._unsynced = False
            try:
                for file in self._retired:
                    file.sync()
                if self._file:
                    self._sync_segment(self._file)
            except OSError as error:
                self._fail(error)  # the writer may be at work on the file: it is closed later
                return
            self._close_retired()

    def begin(self, store: Store, now_ms: int) -> Checkpoint:
        """Begin a segment, and hold the store as it is now."""
        failures = self._failures
        self.begin_segment()
        self.bytes_to_replay = 0
        return Checkpoint(self._number, store.still(now_ms), failures)

    def finish(self, checkpoint: Checkpoint) -> None:
        """Write the snapshot, then remove what it replaces. From any thread; raises `OSError`.

        If nothing failed since it was begun, nothing is missing on disk any more: `error` is None.
        """
        self.snapshot_bytes = self.save(checkpoint.snapshot, self._folder, checkpoint.number)
        with self._files:
            self._close_retired()
            if self._file and checkpoint.failures == self._failures:
                self.error = None
        for kind, number in _ours(self._disk, self._folder):
            if number < checkpoint.number:
                self._disk.remove(self._folder / _name(kind, number))

    def save(self, snapshot: Snapshot, folder: Path, number: int = 1) -> int:
        """Write a snapshot into a folder, from which a store can be loaded; its size. Raises `OSError`."""
        self._disk.make_folder(folder)
        path = folder / _name("rings", number)
        new = path.with_name(path.name + _NEW)
        with contextlib.suppress(FileNotFoundError):  # left over by an attempt that failed
            self._disk.remove(new)
        file = self._disk.create(new)
        size_bytes = 0
        try:
            for piece in write_snapshot(snapshot):
                file.write(piece)
                size_bytes += len(piece)
            file.sync()
        except OSError:
            file.close()
            self._disk.remove(new)  # a full disk needs the room
            raise
        file.close()
        self._disk.rename(new, path)
        return size_bytes

    def close(self) -> None:
        """Give the folder up."""
        with self._files:
            self._close_retired()
            if self._file:
                self._file.close()
                self._file = None
        self._disk.unlock(self._lock)

    def _sync_segment(self, file: File) -> None:
        file.sync()
        if self._is_new:
            self._disk.sync_folder(self._folder)
            self._is_new = False

    def _fail(self, error: OSError) -> None:
        self.error = error
        self._failures += 1
        if self._file:
            self._retired.append(self._file)
            self._file = None

    def _close_retired(self) -> None:
        for file in self._retired:
            file.close()
        self._retired.clear()

    def _take_lock(self) -> int:
        path = self._folder / _LOCK
        try:
            return self._disk.lock(path)
        except BlockingIOError as error:
            with contextlib.suppress(OSError):
                owner = self._disk.read(path).decode(errors="replace")
                raise FolderLockedError(f"{self._folder} is in use by process {owner}") from error
            raise FolderLockedError(f"{self._folder} is in use by another process") from error


def load(disk: Disk, folder: Path, store: Store) -> Loaded:
    """Append all that a folder holds; what can't be read is a problem, no error. Raises `OSError`."""
    window_ms, store.out_of_order_window_ms = store.out_of_order_window_ms, _ANY_WINDOW_MS
    try:
        return _load(disk, folder, store)
    finally:
        store.out_of_order_window_ms = window_ms


def _load(disk: Disk, folder: Path, store: Store) -> Loaded:
    files = _ours(disk, folder)
    problems: list[str] = []
    records = first = log_bytes = 0
    for number in sorted((number for kind, number in files if kind == "rings"), reverse=True):
        found = _replay(disk, folder / _name("rings", number), store, problems)
        if found and found.complete:
            records, first = found.records, number
            break
    for number in sorted(number for kind, number in files if kind == "log" and number >= first):
        found = _replay(disk, folder / _name("log", number), store, problems)
        if found:
            records, log_bytes = records + found.records, log_bytes + found.size
    return Loaded(records, log_bytes, tuple(problems))


def _replay(disk: Disk, path: Path, store: Store, problems: list[str]) -> Replayed | None:
    try:
        content = disk.read(path)
    except OSError as error:
        problems.append(f"{path.name} can't be read: {error.strerror}; its samples are lost")
        return None
    found = replay(content, store)
    if found.damage:
        rest = len(content) - found.damage.offset
        problems.append(f"{path.name}: {found.damage}; the {rest} bytes from there on are lost")
    elif path.name.startswith("rings") and not found.complete:
        problems.append(f"{path.name} has no end; the series that are missing are lost")
    return found


def _ours(disk: Disk, folder: Path) -> list[tuple[str, int]]:
    found = [_NAME.fullmatch(name) for name in disk.names(folder)]
    return [(match[1], int(match[2])) for match in found if match]


def _name(kind: str, number: int) -> str:
    return f"{kind}.{number:08d}"
