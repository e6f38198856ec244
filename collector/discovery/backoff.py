"""How long to wait after a failure before the next attempt. Pure: randomness comes in."""

from collections.abc import Callable
from dataclasses import dataclass

FIRST_MS = 800
LONGEST_MS = 30_000


@dataclass
class Backoff:
    """Doubles with each failure up to `LONGEST_MS`, each wait between half and the whole of that.

    The spread keeps clients that lost a server together from coming back together.
    """

    random: Callable[[], float]
    """A number in [0, 1)."""
    _failures: int = 0

    def next_ms(self) -> int:
        """The wait after one more failure."""
        longest_ms = min(LONGEST_MS, FIRST_MS << min(self._failures, 16))
        self._failures += 1
        return int(longest_ms * (1 + self.random()) / 2)

    def reset(self) -> None:
        """It worked: begin anew after the next failure."""
        self._failures = 0
