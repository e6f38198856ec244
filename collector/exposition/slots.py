"""`Slots`: a small integer for each series text, stable while it is in use."""

from collections.abc import Iterable
from itertools import repeat
from typing import Final

import numpy as np

from tsdb.sample import IntArray

NO_SLOT: Final = -1


class Slots:
    """Invariant: `_series[slot]` is the text whose slot it is, or, in a free slot, was."""

    def __init__(self) -> None:
        self._slot_of: dict[bytes, int] = {}
        self._series: list[bytes] = []
        self._free: list[int] = []

    def get(self, series: bytes, otherwise: int) -> int:
        return self._slot_of.get(series, otherwise)

    def find(self, series: list[bytes]) -> IntArray:
        """The slot of each text, or NO_SLOT."""
        return np.fromiter(map(self._slot_of.get, series, repeat(NO_SLOT)), np.int64, len(series))

    def vacant(self, n: int) -> int:
        """The slot for the nth new text, from 0."""
        reused = len(self._free)
        return self._free[-1 - n] if n < reused else len(self._series) + n - reused

    def take(self, slot_of: dict[bytes, int]) -> None:
        """Requires: new texts with slots `vacant(0)`, `vacant(1)`, ... in order."""
        self._slot_of.update(slot_of)
        for series in slot_of:
            if self._free:
                self._series[self._free.pop()] = series
            else:
                self._series.append(series)

    def release(self, slots: Iterable[int]) -> None:
        for slot in slots:
            del self._slot_of[self._series[slot]]
            self._free.append(slot)
