"""All discoveries, and which jobs they find targets for. Upstream: discovery.Manager."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collector.clock import Clock
from collector.discovery.courier import Courier, say_if_failed, stop_tasks
from collector.discovery.metrics import ManagerMetrics
from collector.discovery.provider import Discovery
from collector.discovery_config import DiscoveryConfig
from collector.errors import DiscoveryError
from collector.target import TargetGroup

_log: Final = logging.getLogger(__name__)


@dataclass
class _Provider:
    config: DiscoveryConfig
    discovery: Discovery
    jobs: frozenset[str]
    task: asyncio.Task[None] | None = None


class DiscoveryManager:
    """Runs a discovery for each distinct section, and tells `deliver` which jobs have news, throttled.

    `create` makes a discovery for a section of a job, or raises `DiscoveryError`.
    """

    def __init__(
        self,
        clock: Clock,
        metrics: ManagerMetrics,
        create: Callable[[DiscoveryConfig, str], Discovery],
        deliver: Callable[[Iterable[str]], Awaitable[None]],
    ) -> None:
        self._metrics = metrics
        self._create = create
        self._deliver = deliver
        self._courier = Courier(clock, self._send)
        self._providers: list[_Provider] = []

    async def apply(self, wanted: Mapping[str, Sequence[DiscoveryConfig]]) -> None:
        """Look for targets of these jobs from now on. A discovery whose section stays goes on undisturbed."""
        before, self._providers = self._providers, []
        failed = 0
        for config, jobs in _by_section(wanted):
            provider = next((known for known in before if known.config == config), None)
            if provider:
                before.remove(provider)
                provider.jobs = jobs
            else:
                try:
                    provider = _Provider(config, self._create(config, min(jobs)), jobs)
                except DiscoveryError as error:
                    failed += 1
                    extra = {"err": str(error), "config": ",".join(sorted(jobs))}
                    _log.error("Cannot create service discovery", extra=extra)
                    continue
            self._providers.append(provider)
        self._metrics.failed_configs.set(failed)
        await stop_tasks(provider.task for provider in before)
        for provider in self._providers:
            if provider.task is None:
                self._start(provider)

    def groups(self, job_name: str) -> list[TargetGroup]:
        """What is known of a job's targets."""
        return [
            group
            for provider in self._providers
            if job_name in provider.jobs
            for group in provider.discovery.groups()
        ]

    async def stop(self) -> None:
        """Stop all discoveries."""
        await self._courier.stop()
        await stop_tasks(provider.task for provider in self._providers)
        self._providers = []

    def _start(self, provider: _Provider) -> None:
        def changed() -> None:
            self._metrics.received.inc()
            self._courier.tell(provider.jobs)

        provider.task = asyncio.create_task(provider.discovery.run(changed), name="discover targets")
        provider.task.add_done_callback(say_if_failed)

    async def _send(self, job_names: Iterable[str]) -> None:
        self._metrics.sent.inc()
        await self._deliver(job_names)


def _by_section(
    wanted: Mapping[str, Sequence[DiscoveryConfig]],
) -> list[tuple[DiscoveryConfig, frozenset[str]]]:
    """The distinct sections, each with the jobs that have it."""
    sections: list[tuple[DiscoveryConfig, set[str]]] = []
    for job_name, configs in wanted.items():
        for config in configs:
            jobs = next((jobs for known, jobs in sections if known == config), None)
            if jobs is None:
                sections.append((config, {job_name}))
            else:
                jobs.add(job_name)
    return [(config, frozenset(jobs)) for config, jobs in sections]
