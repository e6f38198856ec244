"""How soon news is passed on: at once after a quiet time, seldom while there is news all the time. Pure."""

from dataclasses import dataclass
from typing import Final

SHORTEST_MS: Final = 100
LONGEST_MS: Final = 5_000
"""Upstream's update interval."""


@dataclass
class Throttle:
    """The wait doubles with each delivery up to `LONGEST_MS`; as long without one, and it is short again."""

    _wait_ms: int = SHORTEST_MS
    _sent_ms: int | None = None

    def due_ms(self, now_ms: int) -> int:
        """When to deliver news that arrived now."""
        if self._sent_ms is None or now_ms - self._sent_ms > LONGEST_MS:
            self._wait_ms = SHORTEST_MS
        return now_ms + self._wait_ms

    def sent(self, now_ms: int) -> None:
        """A delivery was made."""
        self._sent_ms = now_ms
        self._wait_ms = min(LONGEST_MS, self._wait_ms * 2)
