"""Watches the objects of the Prometheus Operator: PodMonitor, ServiceMonitor and PrometheusRule."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from collector.clock import Clock
from collector.config import ScrapeConfig
from collector.discovery.kubernetes.access import Surroundings, kubeconfig_access
from collector.discovery.kubernetes.client import ApiClient
from collector.discovery.kubernetes.monitors import KINDS, RULES, MonitorKind, jobs_of
from collector.discovery.kubernetes.objects import CustomObject
from collector.discovery.kubernetes.reflector import Change, Event, Reflector
from collector.discovery.metrics import KubernetesMetrics
from collector.errors import DiscoveryError

_log: Final = logging.getLogger(__name__)


class MonitorWatch:
    """What the cluster's objects ask for, in all namespaces: jobs, and rules, which are left as they are.

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
        self._monitors: dict[MonitorKind, dict[str, tuple[ScrapeConfig, ...] | None]] = {
            kind: {} for kind in KINDS
        }
        self._rules = Reflector(RULES)

    async def run(self, jobs_changed: Callable[[], None], rules_changed: Callable[[], None]) -> None:
        """Watch until cancelled; a function is called when `jobs` or `rules` has something new."""
        client = ApiClient(self._access, self._clock, self._metrics)
        try:
            async with asyncio.TaskGroup() as tasks:
                for kind in KINDS:
                    take = partial(self._take, kind, jobs_changed)
                    tasks.create_task(client.follow(Reflector(kind.resource), take))
                tasks.create_task(client.follow(self._rules, lambda _: rules_changed()))
        finally:
            await client.close()

    def jobs(self) -> list[ScrapeConfig]:
        """All jobs, by name; defaults are not filled in."""
        monitors = (jobs or () for of_kind in self._monitors.values() for jobs in of_kind.values())
        return sorted((job for jobs in monitors for job in jobs), key=lambda job: job.job_name)

    def rules(self) -> dict[str, Mapping[str, Any]]:
        """The specs of PrometheusRule objects by `namespace/name`."""
        return {key: item.spec or {} for key, item in sorted(self._rules.objects.items())}

    def count(self, kind: MonitorKind, *, is_rejected: bool) -> int:
        """How many monitors of a kind have been skipped, or have not."""
        return sum((jobs is None) == is_rejected for jobs in self._monitors[kind].values())

    def _take(
        self, kind: MonitorKind, changed: Callable[[], None], changes: list[Change[CustomObject]]
    ) -> None:
        monitors = self._monitors[kind]
        for change in changes:
            key = change.object.metadata.key
            monitors.pop(key, None)
            if change.event is not Event.DELETE:
                monitors[key] = self._jobs_of(kind, change.object)
        if changes:
            changed()

    def _jobs_of(self, kind: MonitorKind, monitor: CustomObject) -> tuple[ScrapeConfig, ...] | None:
        """None for a monitor that is skipped."""
        try:
            return jobs_of(kind, monitor, self._kubeconfig_file)
        except DiscoveryError as error:
            _log.warning("Skipping a monitor", extra={"err": str(error)})
            return None
