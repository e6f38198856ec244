"""Watches PodMonitor and ServiceMonitor objects."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from collector.clock import Clock
from collector.config import ScrapeConfig
from collector.discovery.kubernetes.access import Surroundings, kubeconfig_access
from collector.discovery.kubernetes.client import ApiClient
from collector.discovery.kubernetes.monitors import KINDS, MonitorKind, jobs_of
from collector.discovery.kubernetes.objects import CustomObject
from collector.discovery.kubernetes.reflector import Change, Event, Reflector
from collector.discovery.metrics import KubernetesMetrics
from collector.errors import DiscoveryError

_log: Final = logging.getLogger(__name__)


class MonitorWatch:
    """The jobs that the cluster's monitors ask for, in all namespaces.

    The cluster is that of a kubeconfig, or, where its name is "", that of the pod. Creating it raises
    `DiscoveryError` where there is no access to it.
    """

    def __init__(
        self, kubeconfig_file: str, surroundings: Surroundings, clock: Clock, metrics: KubernetesMetrics
    ) -> None:
        self._kubeconfig_file = kubeconfig_file
        self._access = kubeconfig_access(kubeconfig_file) if kubeconfig_file else surroundings.access()
        self._clock = clock
        self._metrics = metrics
        self._jobs: dict[tuple[MonitorKind, str], tuple[ScrapeConfig, ...]] = {}

    async def run(self, changed: Callable[[], None]) -> None:
        """Watch until cancelled; `changed` is called when `jobs` has something new."""
        client = ApiClient(self._access, self._clock, self._metrics)
        try:
            async with asyncio.TaskGroup() as tasks:
                for kind in KINDS:
                    take = partial(self._take, kind, changed)
                    tasks.create_task(client.follow(Reflector(kind.resource), take))
        finally:
            await client.close()

    def jobs(self) -> list[ScrapeConfig]:
        """All jobs, by name; defaults are not filled in."""
        return sorted((job for jobs in self._jobs.values() for job in jobs), key=lambda job: job.job_name)

    def _take(
        self, kind: MonitorKind, changed: Callable[[], None], changes: list[Change[CustomObject]]
    ) -> None:
        for change in changes:
            key = (kind, change.object.metadata.key)
            self._jobs.pop(key, None)
            if change.event is not Event.DELETE:
                try:
                    self._jobs[key] = jobs_of(kind, change.object, self._kubeconfig_file)
                except DiscoveryError as error:
                    _log.warning("Skipping a monitor", extra={"err": str(error)})
        if changes:
            changed()
