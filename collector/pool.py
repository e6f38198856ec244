"""The targets of one job, each with its loop. Upstream: scrapePool."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from collector.config import ScrapeConfig
from collector.errors import ScrapeError
from collector.fetch import Fetcher
from collector.metrics import ScrapeMetrics
from collector.scrape import ScrapeLoop
from collector.target import Resolved, Target, TargetGroup, resolve
from tsdb import Labels

_log: Final = logging.getLogger(__name__)

_GROUPS_AT_ONCE: Final = 50
"""Relabelled before other tasks get their turn."""


class ScrapePool:
    """One job. `loops` holds the active targets by identity; `dropped` those that relabelling dropped.

    `static_groups` are the targets that the configuration itself names.
    """

    def __init__(
        self,
        job: ScrapeConfig,
        fetcher: Fetcher,
        metrics: ScrapeMetrics,
        new_loop: Callable[[Target, ScrapeConfig, Fetcher], ScrapeLoop],
    ) -> None:
        self.job = job
        self.loops: dict[int, ScrapeLoop] = {}
        self.dropped: list[Labels] = []
        self.dropped_count = 0
        self._fetcher = fetcher
        self._metrics = metrics
        self._new_loop = new_loop
        self._changing = asyncio.Lock()
        self._is_stopped = False
        self._resolved: dict[int, tuple[TargetGroup, Resolved]] = {}
        self.static_groups = tuple(
            TargetGroup.of_addresses(group.targets, group.labels, source=str(position))
            for position, group in enumerate(job.static_configs)
        )

    async def sync(self, groups: Sequence[TargetGroup]) -> list[ScrapeLoop]:
        """Scrape just these targets from now on; those that were scraped before go on undisturbed.

        Answers with the loops that were stopped: their series are to be ended. A pool that was stopped
        stays so.
        """
        async with self._changing:
            return [] if self._is_stopped else await self._sync(groups)

    async def stop(self) -> list[ScrapeLoop]:
        """Stop all loops, and answer with them."""
        async with self._changing:
            self._is_stopped = True
            loops = list(self.loops.values())
            self.loops = {}
            await asyncio.gather(*(loop.stop() for loop in loops))
            await self._fetcher.close()
        return loops

    async def _sync(self, groups: Sequence[TargetGroup]) -> list[ScrapeLoop]:
        job, start = self.job, time.perf_counter()
        found = await self._resolve(groups)
        for failure in found.failures:
            _log.error("Creating target failed", extra={"scrape_pool": job.job_name, "err": failure})
        self.dropped_count = len(found.dropped)
        self.dropped = list(found.dropped[: job.keep_dropped_targets or None])
        wanted: dict[int, Target] = {}
        for target in found.active:
            wanted.setdefault(target.identity, target)
        stopped = [self.loops.pop(identity) for identity in self.loops.keys() - wanted.keys()]
        for identity, loop in self.loops.items():
            loop.target = wanted[identity]  # equal but for what was discovered, which the API shows
        started = [
            self._new_loop(target, job, self._fetcher)
            for identity, target in wanted.items()
            if identity not in self.loops
        ]
        self.loops.update((loop.target.identity, loop) for loop in started)
        self._hold_target_limit()
        for loop in started:
            loop.start()
        await asyncio.gather(*(loop.stop() for loop in stopped))
        self._metrics.sync_length.observe(job.job_name, time.perf_counter() - start)
        self._metrics.syncs.labels(job.job_name).inc()
        self._metrics.sync_failed.labels(job.job_name).inc(len(found.failures))
        self._metrics.targets.labels(job.job_name).set(len(self.loops))
        self._metrics.target_limit.labels(job.job_name).set(job.target_limit)
        return stopped

    async def _resolve(self, groups: Sequence[TargetGroup]) -> Resolved:
        """The targets of all groups; one that is the same object as at the last sync is not relabelled.

        Thousands of new ones take seconds, in which scrapes go on.
        """
        before, self._resolved = self._resolved, {}
        new = 0
        for group in groups:
            known = before.get(id(group))
            if known is None:
                new += 1
                if new % _GROUPS_AT_ONCE == 0:
                    await asyncio.sleep(0)
            self._resolved[id(group)] = known or (group, resolve(self.job, (group,)))
        parts = [resolved for _, resolved in self._resolved.values()]
        return Resolved(
            tuple(target for part in parts for target in part.active),
            tuple(labels for part in parts for labels in part.dropped),
            tuple(failure for part in parts for failure in part.failures),
        )

    def _hold_target_limit(self) -> None:
        limit, count = self.job.target_limit, len(self.loops)
        error = None
        if limit and count > limit:
            self._metrics.exceeded_target_limit.inc()
            error = ScrapeError(f"target_limit exceeded (number of targets: {count}, limit: {limit})")
        for loop in self.loops.values():
            loop.forced_error = error
