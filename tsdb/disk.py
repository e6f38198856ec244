"""The one way to the file system: what a test wants to break, it breaks here.

Every method raises `OSError` as the system does, and nothing else.
"""

import errno
import fcntl
import os
from pathlib import Path


class File:
    """A file that is written from its beginning to its end."""

    def __init__(self, disk: "Disk", path: Path) -> None:
        self.path = path
        self._disk = disk
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)

    def write(self, content: bytes) -> None:
        """Write all of it, in as many pieces as the system takes."""
        rest = memoryview(content)
        while rest:
            written = self._disk.write(self._descriptor, rest)
            if not written:
                raise OSError(errno.EIO, "nothing was written", str(self.path))
            rest = rest[written:]

    def sync(self) -> None:
        """Return once what was written outlives a crash of the machine."""
        self._disk.sync(self._descriptor)

    def close(self) -> None:
        """Requires: not closed yet."""
        os.close(self._descriptor)


class Disk:
    """The file system as it is."""

    def make_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)

    def names(self, folder: Path) -> list[str]:
        """What a folder holds, ascending."""
        return sorted(os.listdir(folder))

    def create(self, path: Path) -> File:
        """A new file. Fails if the path is taken."""
        return File(self, path)

    def read(self, path: Path) -> bytes:
        """The content of a file. A memory map would end the process where the disk fails."""
        return path.read_bytes()

    def write(self, descriptor: int, content: memoryview) -> int:
        """Write some of it; how many bytes."""
        return os.write(descriptor, content)

    def sync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file another name at one stroke, for good."""
        os.rename(old, new)
        self.sync_folder(new.parent)

    def remove(self, path: Path) -> None:
        os.remove(path)

    def lock(self, path: Path) -> int:
        """Take a file for this process alone; a descriptor to `unlock`. BlockingIOError if another has it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def unlock(self, descriptor: int) -> None:
        os.close(descriptor)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in it outlive a crash of the machine."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.sync(descriptor)
        finally:
            os.close(descriptor)
