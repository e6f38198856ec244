"""Samples of one series that are not floats: native histograms, start timestamps."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Track(Generic[T]):
    """Timestamps ascending, an object at each. One writer; readers take `between` in any thread."""

    __slots__ = ("_lists",)

    def __init__(self) -> None:
        self._lists: tuple[list[int], list[T]] = ([], [])

    @property
    def newest_ms(self) -> int | None:
        timestamps_ms, _ = self._lists
        return timestamps_ms[-1] if timestamps_ms else None

    def append(self, timestamp_ms: int, value: T) -> None:
        """Requires: newer than all others."""
        timestamps_ms, values = self._lists
        values.append(value)
        timestamps_ms.append(timestamp_ms)  # published by the length of the timestamps, so values go first

    def between(self, start_ms: int, end_ms: int) -> tuple[Sequence[int], Sequence[T]]:
        """What lies in the range, both ends inclusive."""
        timestamps_ms, values = self._lists
        rows = slice(bisect_left(timestamps_ms, start_ms), bisect_right(timestamps_ms, end_ms))
        return timestamps_ms[rows], values[rows]

    def at(self, timestamp_ms: int) -> T | None:
        """The object at a time."""
        _, found = self.between(timestamp_ms, timestamp_ms)
        return found[0] if found else None

    def expire(self, oldest_ms: int) -> bool:
        """Drop what is older than `oldest_ms`; True if nothing is left."""
        timestamps_ms, values = self._lists
        expired = bisect_left(timestamps_ms, oldest_ms)
        if expired:
            self._lists = timestamps_ms[expired:], values[expired:]
        return expired == len(timestamps_ms)

    def __len__(self) -> int:
        return len(self._lists[0])
