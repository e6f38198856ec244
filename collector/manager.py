"""All jobs: what is scraped, how it went, and how to change it while it runs. Upstream: scrape.Manager."""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client.registry import CollectorRegistry

from collector.clock import Clock
from collector.config import ScrapeConfig
from collector.discovery.factory import DiscoveryFactory
from collector.discovery.kubernetes.access import Surroundings
from collector.discovery.manager import DiscoveryManager
from collector.discovery.metrics import DiscoveryMetrics
from collector.exposition import Metadata
from collector.failure_log import FailureLog
from collector.fetch import Fetcher, HttpFetcher
from collector.http_config import HttpClientConfig
from collector.metrics import ScrapeMetrics
from collector.pool import ScrapePool
from collector.scrape import Health, ScrapeLoop
from collector.target import Target
from tsdb import Labels, Store


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
    """Runs a pool for each job. To be used from one event loop.

    `kubernetes_metrics` are for whoever else watches a cluster.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        registry: CollectorRegistry | None = None,
        *,
        new_fetcher: Callable[[HttpClientConfig], Fetcher] = HttpFetcher,
        offset_seed: int = 0,
        user_agent: str = "miniprom",
        surroundings: Surroundings | None = None,
    ) -> None:
        registry = registry or CollectorRegistry()
        self._store = store
        self._clock = clock
        self._metrics = ScrapeMetrics(registry)
        self._new_fetcher = new_fetcher
        self._offset_seed = offset_seed
        self._user_agent = user_agent
        self._failure_log = FailureLog()
        self._pools: dict[str, ScrapePool] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._discovery_metrics = metrics = DiscoveryMetrics(registry)
        self.kubernetes_metrics = metrics.kubernetes
        factory = DiscoveryFactory(clock, metrics, surroundings or Surroundings(os.environ))
        self._discovery = DiscoveryManager(clock, metrics.manager, factory.create, self._sync)

    async def apply(self, jobs: Iterable[ScrapeConfig]) -> None:
        """Scrape these jobs from now on. A job that did not change is left alone, loops and all.

        Requires: job names differ, and defaults are filled in.
        """
        wanted = {job.job_name: job for job in jobs}
        self._failure_log.use(job.scrape_failure_log_file for job in wanted.values())
        new = [job for job in wanted.values() if not self._has(job)]
        for name, pool in list(self._pools.items()):
            job = wanted.get(name)
            if job == pool.job:
                continue
            del self._pools[name]
            self._end_series(await pool.stop())
            if job is None:
                self._metrics.forget_job(name)
                self._discovery_metrics.forget_job(name)
            else:
                self._metrics.reloads.inc()
        for job in new:
            self._metrics.pools.inc()
            fetcher = self._new_fetcher(job.http)
            self._pools[job.job_name] = ScrapePool(job, fetcher, self._metrics, self._new_loop)
        await self._discovery.apply({name: job.discoveries for name, job in wanted.items()})
        await self._sync(job.job_name for job in new)

    async def stop(self) -> None:
        """Stop scraping. No stale markers are written: the series have not ended, the program has."""
        await self._discovery.stop()
        await asyncio.gather(*(pool.stop() for pool in self._pools.values()))
        self._pools = {}
        for task in self._ending:
            task.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)
        self._failure_log.use(())

    def pools(self) -> list[str]:
        """The job names, ascending."""
        return sorted(self._pools)

    def job(self, name: str) -> ScrapeConfig | None:
        """The job of that name, if it is scraped."""
        pool = self._pools.get(name)
        return pool.job if pool else None

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

    def _has(self, job: ScrapeConfig) -> bool:
        pool = self._pools.get(job.job_name)
        return pool is not None and pool.job == job

    async def _sync(self, job_names: Iterable[str]) -> None:
        """Scrape what is discovered now, and end what is not discovered any more."""
        for pool in [self._pools[name] for name in job_names if name in self._pools]:
            name = pool.job.job_name
            groups = (*pool.static_groups, *self._discovery.groups(name))
            targets = sum(len(group.targets) for group in groups)
            self._discovery_metrics.manager.updated(name, targets, self._clock.now_ms())
            stopped = await pool.sync(groups)
            successors = {loop.target.labels for loop in pool.loops.values()}
            self._end_series(loop for loop in stopped if loop.target.labels in successors)
            for loop in stopped:
                if loop.target.labels not in successors:
                    loop.end_series_now()

    def _new_loop(self, target: Target, job: ScrapeConfig, fetcher: Fetcher) -> ScrapeLoop:
        return ScrapeLoop(
            target,
            job,
            store=self._store,
            clock=self._clock,
            fetcher=fetcher,
            metrics=self._metrics,
            failure_log=self._failure_log,
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
