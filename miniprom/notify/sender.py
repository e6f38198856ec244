"""Sends to one Alertmanager. Upstream: notifier.sendLoop, which does not try again."""

import asyncio
import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from collector.clock import Clock, sleep_apart
from miniprom.notify.errors import DeliveryError
from miniprom.notify.metrics import NotifyMetrics
from miniprom.notify.payload import alertmanager_payload
from miniprom.notify.post import Poster
from miniprom.notify.queue import AlertQueue
from miniprom.rules import Alert

_log: Final = logging.getLogger(__name__)

_FIRST_WAIT_MS: Final = 1_000
_LONGEST_WAIT_MS: Final = 30_000


@dataclass(frozen=True)
class SendOptions:
    """How alerts are sent: `capacity` is of a queue, `drains` whether it is emptied before stopping."""

    capacity: int = 10_000
    batch_size: int = 256
    drains: bool = True


class Sender:
    """A queue and the task that empties it. What could not be delivered is tried again, ever more slowly."""

    def __init__(
        self,
        url: str,
        timeout_ms: int,
        poster: Poster,
        *,
        clock: Clock,
        metrics: NotifyMetrics,
        options: SendOptions,
    ) -> None:
        self.url = url
        self._timeout_ms = timeout_ms
        self._poster = poster
        self._options = options
        self._clock = clock
        self._metrics = metrics
        self._queue = AlertQueue(options.capacity)
        self._has_work = asyncio.Event()
        self._is_quiet = asyncio.Event()
        metrics.start(url)
        self._task = asyncio.create_task(self._run(), name=f"send alerts to {url}")

    def add(self, alerts: Iterable[Alert]) -> None:
        """Take alerts over."""
        self._count_dropped(self._queue.add(alerts))
        self._has_work.set()

    async def quiet(self) -> None:
        """Return once all is delivered, or what is not waits until it is tried again."""
        await asyncio.sleep(0)  # the task takes up what was added just now
        await self._is_quiet.wait()

    async def stop(self) -> None:
        """Send what waits, with one try a batch, or else drop it."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        while self._options.drains and self._queue and await self._send_batch():
            pass
        self._count_dropped(len(self._queue))
        self._metrics.forget(self.url)

    async def _run(self) -> None:
        wait_ms = _FIRST_WAIT_MS
        while True:
            if not self._queue:
                self._has_work.clear()
                self._is_quiet.set()
                await self._has_work.wait()
            self._is_quiet.clear()
            if await self._send_batch():
                wait_ms = _FIRST_WAIT_MS
            else:
                self._is_quiet.set()
                await sleep_apart(self._clock, self._clock.now_ms() + wait_ms)
                wait_ms = min(2 * wait_ms, _LONGEST_WAIT_MS)

    async def _send_batch(self) -> bool:
        """Whether to go on with the next batch at once."""
        batch = self._queue.take(self._options.batch_size)
        begin = time.perf_counter()
        try:
            await self._poster.post(self.url, alertmanager_payload(batch), self._timeout_ms)
        except DeliveryError as error:
            self._fail(batch, error)
            return not error.is_temporary
        except asyncio.CancelledError:
            self._queue.put_back(batch)
            raise
        seconds = time.perf_counter() - begin
        self._metrics.latency.labels(self.url).observe(seconds)
        self._metrics.latency_histogram.labels(self.url).observe(seconds)
        self._metrics.sent.labels(self.url).inc(len(batch))
        self._show_length()
        return True

    def _fail(self, batch: list[Alert], error: DeliveryError) -> None:
        extra = {"alertmanager": self.url, "count": len(batch), "err": str(error)}
        _log.error("Error sending alerts", extra=extra)
        self._metrics.errors.labels(self.url).inc(len(batch))
        self._count_dropped(self._queue.put_back(batch) if error.is_temporary else len(batch))

    def _count_dropped(self, dropped: int) -> None:
        if dropped:
            _log.warning("Alerts dropped", extra={"alertmanager": self.url, "count": dropped})
            self._metrics.dropped.labels(self.url).inc(dropped)
        self._show_length()

    def _show_length(self) -> None:
        self._metrics.queue_length.labels(self.url).set(len(self._queue))
