"""Series ids by their keys, in some 25 bytes each: a dictionary of bytes takes 150."""

from array import array
from collections.abc import Sequence
from typing import Final

import numpy as np

from tsdb.sample import IntArray

_FREE: Final = -1
_GIVEN_UP: Final = -2


class IdTable:
    """Open addressing: an id stands in the slot that the hash of its key names, or in one of those behind.

    Keys are known by 64 bits of a keyed hash: that two of a million have the same is one chance in thirty
    million. Invariant: between the slot that a hash names and the one it stands in none is free.
    """

    __slots__ = ("_enough", "_hashes", "_ids", "_mask", "_size", "_used")

    def __init__(self) -> None:
        self._size = 0
        self._fill(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        return self._size

    def get(self, key: bytes) -> int | None:
        """The id of a key, if it has one."""
        slot = self._slot(hash(key))
        return self._ids[slot] if self._ids[slot] != _FREE else None

    def get_or_put(self, key: bytes, new_id: int) -> int:
        """The id of a key; the new one if it had none."""
        hashes, ids, mask = self._hashes, self._ids, self._mask
        hashed = hash(key)
        slot = hashed & mask
        while (series_id := ids[slot]) != _FREE:
            if hashes[slot] == hashed and series_id != _GIVEN_UP:
                return series_id
            slot = slot + 1 & mask
        hashes[slot], ids[slot] = hashed, new_id
        self._size += 1
        self._used += 1
        if self._used > self._enough:
            self._fill(*self._held())
        return new_id

    def fill(self, keys: Sequence[bytes], ids: IntArray) -> None:
        """Hold these. Requires: the table is empty."""
        self._size = len(keys)
        self._fill(np.fromiter(map(hash, keys), dtype=np.int64, count=len(keys)), ids)

    def remove(self, key: bytes) -> None:
        """Requires: the key has an id."""
        self._ids[self._slot(hash(key))] = _GIVEN_UP
        self._size -= 1

    @property
    def memory_bytes(self) -> int:
        return len(self._ids) * (self._ids.itemsize + self._hashes.itemsize)

    def _slot(self, hashed: int) -> int:
        """Where a hash stands, or might be put."""
        slot = hashed & self._mask
        while (series_id := self._ids[slot]) != _FREE:
            if self._hashes[slot] == hashed and series_id != _GIVEN_UP:
                break
            slot = slot + 1 & self._mask
        return slot

    def _held(self) -> tuple[IntArray, IntArray]:
        """All hashes and their ids."""
        ids = np.frombuffer(self._ids, dtype=np.int32)
        held = np.flatnonzero(ids >= 0)
        return np.frombuffer(self._hashes, dtype=np.int64)[held], ids[held].astype(np.int64)

    def _fill(self, hashes: IntArray, ids: IntArray) -> None:
        """Begin anew with these, and room for as many."""
        slots = 1 << max(2 * len(hashes), 7).bit_length()
        self._mask, self._enough, self._used = slots - 1, slots * 2 // 3, len(hashes)
        self._hashes, self._ids = array("q", bytes(8 * slots)), array("i", [_FREE]) * slots
        named = hashes & self._mask
        order = np.argsort(named)
        count = np.arange(len(hashes))
        at = np.maximum.accumulate(named[order] - count) + count  # each in its slot, or behind the one before
        direct = int(np.count_nonzero(at < slots))
        np.frombuffer(self._hashes, dtype=np.int64)[at[:direct]] = hashes[order[:direct]]
        np.frombuffer(self._ids, dtype=np.int32)[at[:direct]] = ids[order[:direct]]
        for position in order[direct:].tolist():
            slot = self._slot(int(hashes[position]))
            self._hashes[slot], self._ids[slot] = int(hashes[position]), int(ids[position])
