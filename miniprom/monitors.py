"""The objects of the Prometheus Operator: jobs and rules beside those of the configuration file."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from collector.clock import Clock
from collector.config import GlobalConfig, ScrapeConfig
from collector.discovery.courier import Courier, say_if_failed, stop_tasks
from collector.discovery.kubernetes.access import Surroundings
from collector.discovery.kubernetes.monitor_watch import MonitorWatch
from collector.discovery.kubernetes.monitors import KINDS
from collector.discovery.metrics import KubernetesMetrics
from collector.errors import ConfigError, DiscoveryError
from miniprom.rules.files import RuleFileOptions
from miniprom.rules.model import RuleGroup
from miniprom.rules.objects import RuleObjects
from miniprom.settings import BadFlagError, Settings

_log = logging.getLogger(__name__)

_JOBS: Final = "jobs"
_RULES: Final = "rules"


class Monitors:
    """Watches while it runs; the two functions are called, now and then, when there are new jobs or rules."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        metrics: KubernetesMetrics,
        registry: CollectorRegistry,
        *,
        apply_jobs: Callable[[], Awaitable[None]],
        apply_rules: Callable[[], Awaitable[None]],
    ) -> None:
        """Raises `BadFlagError` where there is no access to an API server."""
        try:
            self._watch = MonitorWatch(settings.kubeconfig, Surroundings(os.environ), clock, metrics)
        except DiscoveryError as error:
            raise BadFlagError(f"--kubernetes.monitors: {error}; see --kubernetes.kubeconfig") from error
        self._rules = RuleObjects()
        self._apply = {_JOBS: apply_jobs, _RULES: apply_rules}
        self._courier = Courier(clock, self._deliver)
        self._task: asyncio.Task[None] | None = None
        self._show_counts(registry)

    def start(self) -> None:
        """Begin to watch."""
        tell = self._courier.tell
        run = self._watch.run(lambda: tell([_JOBS]), lambda: tell([_RULES]))
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

    async def rule_groups(self, options: RuleFileOptions) -> list[RuleGroup]:
        """The groups of PrometheusRule objects. One call at a time."""
        # In a thread: there may be hundreds of rules, and scrapes must not wait until they are parsed.
        return await asyncio.to_thread(self._rules.groups, self._watch.rules(), options)

    async def _deliver(self, names: Iterable[str]) -> None:
        for name in names:
            await self._apply[name]()

    def _show_counts(self, registry: CollectorRegistry) -> None:
        """Under the operator's name, which its alert PrometheusOperatorRejectedResources asks for."""
        gauge = Gauge(
            "prometheus_operator_managed_resources",
            "The number of the Prometheus Operator's objects in use (selected), or faulty (rejected).",
            ["resource", "state"],
            registry=registry,
        )
        counts: dict[str, Callable[..., int]] = {
            kind.name: partial(self._watch.count, kind) for kind in KINDS
        }
        for resource, count in {**counts, "PrometheusRule": self._rules.count}.items():
            for state in ("selected", "rejected"):
                count_now = partial(count, is_rejected=state == "rejected")
                gauge.labels(resource, state).set_function(count_now)
