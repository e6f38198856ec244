"""How much memory the store may take: what it does about it is refuse new series, then forget earlier."""

import sys
from typing import Final

NEW_SERIES_BYTES: Final = 1000
"""What a series takes once it has two hours of samples, 15 s apart; set aside when it is created."""
EMPTY_SERIES_BYTES: Final = 450
BYTES_PER_SAMPLE: Final = 1.2


class Budget:
    """Limits in bytes (None: no limit), and what was held when it was counted last."""

    def __init__(self, memory_bytes: int | None = None, samples_bytes: int | None = None) -> None:
        self.memory_bytes = memory_bytes
        self.samples_bytes = samples_bytes
        """For the samples alone: the retention by size."""
        self.series_refused = 0
        """How often a new series was asked for and not created."""
        self._held_bytes = 0
        self._series = 0
        self._is_exceeded = False

    def count(self, held_bytes: int, series: int, *, is_exceeded: bool) -> None:
        """Take note of what is held, and whether the retention had to give way for it."""
        self._held_bytes = held_bytes
        self._series = series
        self._is_exceeded = is_exceeded

    def room(self, series: int) -> int:
        """How many new series fit beside the `series` that are there now."""
        if self.memory_bytes is None:
            return sys.maxsize
        if self._is_exceeded:
            return 0
        room = (self.memory_bytes - self._held_bytes) // NEW_SERIES_BYTES - (series - self._series)
        return max(room, 0)

    def over_memory(self, held_bytes: int) -> int:
        """By how many bytes the limit of memory is exceeded; 0 or less if it is not."""
        return 0 if self.memory_bytes is None else held_bytes - self.memory_bytes

    def over_samples(self, samples_bytes: int) -> int:
        """The same of the retention by size."""
        return 0 if self.samples_bytes is None else samples_bytes - self.samples_bytes


def expected_series_bytes(samples: float) -> float:
    """About what a series with so many samples takes."""
    return EMPTY_SERIES_BYTES + BYTES_PER_SAMPLE * samples
