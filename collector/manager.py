"""All jobs: what is scraped, how it went, and how to change it while it runs. Upstream: scrape.Manager."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client.registry import CollectorRegistry

from collector.clock import Clock
from collector.config import ScrapeConfig
from collector.exposition import Metadata
from collector.fetch import Fetcher, HttpFetcher
from collector.http_config import HttpClientConfig
from collector.metrics import ScrapeMetrics
from collector.pool import ScrapePool
from collector.scrape import Health, ScrapeLoop
from collector.target import Target, TargetGroup
from tsdb import Labels, Store

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class ActiveTarget:
    """A target and its latest scrape; `last_scrape_ms` is 0 before the first."""

    pool: str
    discovered_labels: Labels
    labels: Labels
    url: str
    interval_ms: int
    timeout_ms: int
    health: Health
    last_error: str
    last_scrape_ms: int
    last_duration_seconds: float
    metadata: Mapping[str, Metadata]


@dataclass(frozen=True)
class DroppedTarget:
    """What relabelling dropped."""

    pool: str
    discovered_labels: Labels


class ScrapeManager:
    """Runs a pool for each job. To be used from one event loop."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        registry: CollectorRegistry | None = None,
        *,
        new_fetcher: Callable[[HttpClientConfig], Fetcher] = HttpFetcher,
        offset_seed: int = 0,
        user_agent: str = "miniprom",
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = ScrapeMetrics(registry or CollectorRegistry())
        self._new_fetcher = new_fetcher
        self._offset_seed = offset_seed
        self._user_agent = user_agent
        self._pools: dict[str, ScrapePool] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def apply(self, jobs: Iterable[ScrapeConfig]) -> None:
        """Scrape these jobs from now on. A job that did not change is left alone, loops and all.

        Requires: job names differ, and defaults are filled in.
        """
        wanted = {job.job_name: job for job in jobs}
        for name, pool in list(self._pools.items()):
            job = wanted.get(name)
            if job == pool.job:
                del wanted[name]
                continue
            self._end_series(await pool.stop())
            del self._pools[name]
            if job is None:
                self._metrics.forget_job(name)
            else:
                self._metrics.reloads.inc()
        for job in wanted.values():
            await self._start(job)

    async def stop(self) -> None:
        """Stop scraping. No stale markers are written: the series have not ended, the program has."""
        await asyncio.gather(*(pool.stop() for pool in self._pools.values()))
        self._pools = {}
        for task in self._ending:
            task.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)

    def pools(self) -> list[str]:
        """The job names, ascending."""
        return sorted(self._pools)

    def active(self) -> list[ActiveTarget]:
        """The targets being scraped, by pool and URL."""
        return [
            _shown(name, loop)
            for name in self.pools()
            for loop in sorted(self._pools[name].loops.values(), key=lambda loop: loop.target.url)
        ]

    def dropped(self) -> list[DroppedTarget]:
        """What relabelling dropped, up to `keep_dropped_targets` a job."""
        return [DroppedTarget(name, labels) for name in self.pools() for labels in self._pools[name].dropped]

    def dropped_counts(self) -> dict[str, int]:
        """How many targets relabelling dropped, by job."""
        return {name: self._pools[name].dropped_count for name in self.pools()}

    async def _start(self, job: ScrapeConfig) -> None:
        self._metrics.pools.inc()
        if job.kubernetes_sd_configs:
            _log.warning(
                "kubernetes_sd_configs: Kubernetes discovery is not supported yet and finds no targets",
                extra={"scrape_pool": job.job_name},
            )
        pool = ScrapePool(job, self._new_fetcher(job.http), self._metrics, self._new_loop)
        self._pools[job.job_name] = pool
        await pool.sync(
            [
                TargetGroup.of_addresses(group.targets, group.labels, source=str(position))
                for position, group in enumerate(job.static_configs)
            ]
        )

    def _new_loop(self, target: Target, job: ScrapeConfig, fetcher: Fetcher) -> ScrapeLoop:
        return ScrapeLoop(
            target,
            job,
            store=self._store,
            clock=self._clock,
            fetcher=fetcher,
            metrics=self._metrics,
            offset_seed=self._offset_seed,
            user_agent=self._user_agent,
        )

    def _end_series(self, loops: Iterable[ScrapeLoop]) -> None:
        for loop in loops:
            task = asyncio.create_task(loop.end_series(), name=f"end series of {loop.target.url}")
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


def _shown(pool: str, loop: ScrapeLoop) -> ActiveTarget:
    target, status = loop.target, loop.status
    return ActiveTarget(
        pool=pool,
        discovered_labels=target.discovered_labels,
        labels=target.labels,
        url=target.url,
        interval_ms=target.interval_ms,
        timeout_ms=target.timeout_ms,
        health=status.health,
        last_error=status.error,
        last_scrape_ms=status.started_ms,
        last_duration_seconds=status.duration_seconds,
        metadata=loop.metadata,
    )
