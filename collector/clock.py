"""Time as a dependency: nothing else in the project reads a clock or sleeps."""

import asyncio
import heapq
import itertools
import time
from typing import Protocol


class Clock(Protocol):
    """Milliseconds since the Unix epoch, and waiting for them."""

    def now_ms(self) -> int:
        """The present."""
        ...

    async def sleep_until(self, time_ms: int) -> int:
        """Return once `now_ms() >= time_ms`, with the present: the same to all that wait for one time."""
        ...


class SystemClock:
    """The machine's clock. For one event loop: a timer wakes all that wait for one time."""

    def __init__(self) -> None:
        self._sleepers: dict[int, list[asyncio.Future[int]]] = {}

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep_until(self, time_ms: int) -> int:
        now_ms = self.now_ms()
        if now_ms >= time_ms:
            return now_ms
        wake: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if time_ms in self._sleepers:
            self._sleepers[time_ms].append(wake)
        else:
            self._sleepers[time_ms] = [wake]
            self._set_timer(time_ms, now_ms)
        return await wake

    def _set_timer(self, time_ms: int, now_ms: int) -> None:
        asyncio.get_running_loop().call_later((time_ms - now_ms) / 1000, self._wake, time_ms)

    def _wake(self, time_ms: int) -> None:
        now_ms = self.now_ms()
        if now_ms < time_ms:  # it was set back
            self._set_timer(time_ms, now_ms)
            return
        for wake in self._sleepers.pop(time_ms):
            if not wake.done():
                wake.set_result(now_ms)


async def sleep_apart(clock: Clock, time_ms: int) -> None:
    """Sleep before something that may take for ever: a `VirtualClock` does not wait for what comes after."""
    await asyncio.create_task(clock.sleep_until(time_ms))


class VirtualClock:
    """A clock that stands still until it is told to advance.

    Tasks that sleep on it wake one by one, in order of their times, each at exactly its time.
    """

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None], asyncio.Task[object] | None]] = []
        self._awake: dict[asyncio.Task[object] | None, asyncio.Future[None]] = {}

    def now_ms(self) -> int:
        return self._now_ms

    async def sleep_until(self, time_ms: int) -> int:
        if time_ms <= self._now_ms:
            return self._now_ms
        task = asyncio.current_task()
        self._settle(task)
        wake = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (time_ms, next(self._order), wake, task))
        await wake
        return self._now_ms

    async def advance(self, by_ms: int) -> None:
        """Let time pass, and return when all that fell due is done.

        A woken task counts as done when it sleeps on this clock again or ends; what it does between may take
        real time, such as a request over loopback, but must not wait for another sleeper of this clock.
        """
        end_ms = self._now_ms + by_ms
        await _let_new_tasks_start()
        while self._sleepers and self._sleepers[0][0] <= end_ms:
            time_ms, _, wake, task = heapq.heappop(self._sleepers)
            if wake.done():  # its task was cancelled
                continue
            self._now_ms = max(self._now_ms, time_ms)
            await self._run(wake, task)
            await _let_new_tasks_start()
        self._now_ms = end_ms

    async def _run(self, wake: asyncio.Future[None], task: asyncio.Task[object] | None) -> None:
        settled = asyncio.get_running_loop().create_future()
        self._awake[task] = settled
        if task:
            task.add_done_callback(self._settle)
        wake.set_result(None)
        await settled
        if task:
            task.remove_done_callback(self._settle)

    def _settle(self, task: asyncio.Task[object] | None) -> None:
        settled = self._awake.pop(task, None)
        if settled and not settled.done():
            settled.set_result(None)


async def _let_new_tasks_start() -> None:
    """Two turns of the loop: for tasks just created, and for those that they create."""
    for _ in range(2):
        await asyncio.sleep(0)
