"""Discoveries that look anew each interval."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from collector.clock import Clock
from collector.discovery.metrics import RefreshMetrics
from collector.errors import CollectorError
from collector.target import TargetGroup

_log: Final = logging.getLogger(__name__)


class RefreshDiscovery:
    """Calls `look` at once and then each interval; what it found last stays when it fails.

    `close` is called when nobody looks any more.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[Sequence[TargetGroup]]],
        interval_ms: int,
        clock: Clock,
        metrics: RefreshMetrics,
        *,
        mechanism: str,
        job_name: str,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._look = look
        self._close = close
        self._interval_ms = interval_ms
        self._clock = clock
        self._failures = metrics.failures.labels(mechanism, job_name)
        self._duration = metrics.duration.labels(mechanism, job_name)
        self._groups: tuple[TargetGroup, ...] = ()
        self._has_looked = False

    async def run(self, changed: Callable[[], None]) -> None:
        try:
            await self._run(changed)
        finally:
            if self._close:
                await self._close()

    def groups(self) -> Sequence[TargetGroup]:
        return self._groups

    async def _run(self, changed: Callable[[], None]) -> None:
        while True:
            due_ms = self._clock.now_ms() + self._interval_ms
            start = time.perf_counter()
            try:
                found = keep_unchanged(self._groups, await self._look())
            except CollectorError as error:
                self._failures.inc()
                _log.error("Unable to refresh target groups", extra={"err": str(error)})
            else:
                is_news = found != self._groups or not self._has_looked
                self._groups, self._has_looked = found, True
                if is_news:
                    changed()
            self._duration.observe(time.perf_counter() - start)
            await self._clock.sleep_until(due_ms)


def keep_unchanged(old: Sequence[TargetGroup], new: Sequence[TargetGroup]) -> tuple[TargetGroup, ...]:
    """The new groups, but the old object for each that is equal, so that nobody relabels it again."""
    known = {group.source: group for group in old}
    return tuple(known[group.source] if known.get(group.source) == group else group for group in new)
