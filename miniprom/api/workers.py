"""Queries run in threads: the event loop stays free to scrape."""

import asyncio
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from miniprom.api.light import LIGHT_SECONDS, LightWork, timed
from query import Control

T = TypeVar("T")


class Workers:
    """A pool of threads with a queue in front of it."""

    def __init__(self, max_concurrency: int) -> None:
        self._name = f"query-{id(self)}-"
        self._threads = ThreadPoolExecutor(max_concurrency, thread_name_prefix=self._name)
        self.max_concurrency = max_concurrency
        self.running = 0
        self._light = LightWork()

    async def run(self, work: Callable[[], T]) -> T:
        """`work()` in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def run_query(
        self, work: Callable[[Control], T], timeout_ms: float, *, key: Hashable | None = None
    ) -> T:
        """`work(control)` in a thread; the wait in the queue counts towards the timeout.

        When the awaiting task is cancelled (its client left), so is the query. Work that was light when it
        was done last under the same key is done here instead.
        """
        done = self.run_if_light(work, timeout_ms, key=key)
        if done is not None:
            return done[0]
        loop = asyncio.get_running_loop()
        control = Control()
        if timeout_ms <= 0:
            control.expire()
        deadline = loop.call_later(timeout_ms / 1000, control.expire)
        self.running += 1
        try:
            value, seconds = await loop.run_in_executor(self._threads, _checked, work, control)
        except asyncio.CancelledError:
            control.cancel()
            raise
        finally:
            self.running -= 1
            deadline.cancel()
        if key is not None:
            self._light.done(key, seconds)
        return value

    def run_if_light(
        self, work: Callable[[Control], T], timeout_ms: float, *, key: Hashable | None
    ) -> tuple[T] | None:
        """What `work` gives, done here, if it was light when it was done last; else None."""
        if key is None or timeout_ms <= 1000 * LIGHT_SECONDS:
            return None
        return self._light.attempt(key, work)

    def close(self, patience_seconds: float = 0.0) -> bool:
        """Start nothing more; whether all threads ended within the patience."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        mine = [thread for thread in threading.enumerate() if thread.name.startswith(self._name)]
        for thread in mine:
            thread.join(patience_seconds)
        return not any(thread.is_alive() for thread in mine)


def _checked(work: Callable[[Control], T], control: Control) -> tuple[T, float]:
    control.check("query queue")
    return timed(work, control)
