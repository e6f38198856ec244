"""PodMonitor and ServiceMonitor objects as scrape jobs beside those of the configuration file."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable

from collector.clock import Clock
from collector.config import GlobalConfig, ScrapeConfig
from collector.discovery.courier import Courier, say_if_failed, stop_tasks
from collector.discovery.kubernetes.access import Surroundings
from collector.discovery.kubernetes.monitor_watch import MonitorWatch
from collector.discovery.metrics import KubernetesMetrics
from collector.errors import ConfigError, DiscoveryError
from miniprom.settings import BadFlagError, Settings

_log = logging.getLogger(__name__)


class Monitors:
    """Watches monitors while it runs; `apply` is called, now and then, when they changed."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        metrics: KubernetesMetrics,
        apply: Callable[[], Awaitable[None]],
    ) -> None:
        """Raises `BadFlagError` where there is no access to an API server."""
        try:
            self._watch = MonitorWatch(settings.kubeconfig, Surroundings(os.environ), clock, metrics)
        except DiscoveryError as error:
            raise BadFlagError(f"--kubernetes.monitors: {error}; see --kubernetes.kubeconfig") from error
        self._apply = apply
        self._courier = Courier(clock, self._deliver)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        run = self._watch.run(lambda: self._courier.tell(["monitors"]))
        self._task = asyncio.create_task(run, name="watch monitors")
        self._task.add_done_callback(say_if_failed)

    async def stop(self) -> None:
        """End watching."""
        await self._courier.stop()
        await stop_tasks([self._task])

    def jobs(self, global_: GlobalConfig) -> list[ScrapeConfig]:
        """The jobs with their defaults; one that contradicts `global_` is left out with a warning."""
        jobs = []
        for job in self._watch.jobs():
            try:
                jobs.append(job.with_defaults(global_))
            except ConfigError as error:
                _log.warning("Skipping a monitor", extra={"scrape_pool": job.job_name, "err": str(error)})
        return jobs

    async def _deliver(self, _names: Iterable[str]) -> None:
        await self._apply()
