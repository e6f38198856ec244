"""Passes news on: at once after a quiet time, seldom while there is news all the time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from collector.clock import Clock
from collector.discovery.throttle import Throttle

_log: Final = logging.getLogger(__name__)


class Courier:
    """Collects names that there is news of, and tells `deliver` about them together."""

    def __init__(self, clock: Clock, deliver: Callable[[Iterable[str]], Awaitable[None]]) -> None:
        self._clock = clock
        self._deliver = deliver
        self._throttle = Throttle()
        self._news: set[str] = set()
        self._delivery: asyncio.Task[None] | None = None

    def tell(self, names: Iterable[str]) -> None:
        """There is news of these."""
        self._news.update(names)
        if self._delivery is None or self._delivery.done():
            self._delivery = asyncio.create_task(self._deliver_all(), name="deliver news")
            self._delivery.add_done_callback(say_if_failed)

    async def stop(self) -> None:
        """Forget what was not delivered."""
        await stop_tasks([self._delivery])

    async def _deliver_all(self) -> None:
        while self._news:
            await self._clock.sleep_until(self._throttle.due_ms(self._clock.now_ms()))
            news, self._news = self._news, set()
            await self._deliver(sorted(news))
            self._throttle.sent(self._clock.now_ms())


async def stop_tasks(tasks: Iterable[asyncio.Task[None] | None]) -> None:
    """Cancel tasks and wait until they have ended."""
    running = [task for task in tasks if task]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def say_if_failed(task: asyncio.Task[None]) -> None:
    """Log the error that ended a task; to be its done callback."""
    if not task.cancelled() and (error := task.exception()):
        _log.error("%s: ended unexpectedly", task.get_name(), exc_info=error)
