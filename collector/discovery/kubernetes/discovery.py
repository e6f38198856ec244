"""`kubernetes_sd_configs`: reflectors that run, and the groups that follow from their objects."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from collector.clock import Clock
from collector.discovery.kubernetes.access import Surroundings, access_of
from collector.discovery.kubernetes.client import ApiClient
from collector.discovery.kubernetes.groups import KubernetesGroups
from collector.discovery.kubernetes.reflector import Change, Reflector
from collector.discovery.kubernetes.roles import ROLE_OF_PLURAL
from collector.discovery.metrics import KubernetesMetrics
from collector.discovery_config import KubernetesConfig
from collector.target import TargetGroup


class KubernetesDiscovery:
    """One section. Creating it raises `DiscoveryError` where there is no access to an API server."""

    def __init__(
        self, config: KubernetesConfig, surroundings: Surroundings, clock: Clock, metrics: KubernetesMetrics
    ) -> None:
        self._access = access_of(config, surroundings)
        self._groups = KubernetesGroups(config, _namespaces(config, surroundings))
        self._clock = clock
        self._metrics = metrics

    async def run(self, changed: Callable[[], None]) -> None:
        client = ApiClient(self._access, self._clock, self._metrics)
        try:
            async with asyncio.TaskGroup() as tasks:
                for reflector in self._groups.reflectors:
                    tasks.create_task(client.follow(reflector, partial(self._take, reflector, changed)))
        finally:
            await client.close()

    def groups(self) -> Sequence[TargetGroup]:
        return self._groups.groups()

    def _take(
        self, reflector: Reflector[Any], changed: Callable[[], None], changes: list[Change[Any]]
    ) -> None:
        role = ROLE_OF_PLURAL.get(reflector.resource.plural)
        for change in changes if role else ():
            self._metrics.events.labels(role, change.event.value).inc()
        if self._groups.changed(reflector.resource, changes):
            changed()


def _namespaces(config: KubernetesConfig, surroundings: Surroundings) -> list[str]:
    """Those to watch; "" is all of them."""
    names = list(config.namespaces.names)
    if config.namespaces.own_namespace:
        names.append(surroundings.namespace())
    return names or [""]
