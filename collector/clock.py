"""Time as a dependency: nothing else in the project reads a clock or sleeps."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Milliseconds since the Unix epoch, and waiting for them."""

    def now_ms(self) -> int:
        """The present."""
        ...

    async def sleep_until(self, time_ms: int) -> None:
        """Return once `now_ms() >= time_ms`."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep_until(self, time_ms: int) -> None:
        while (remaining_ms := time_ms - self.now_ms()) > 0:
            await asyncio.sleep(remaining_ms / 1000)
