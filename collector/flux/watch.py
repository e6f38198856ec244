"""Watches the objects of Flux that the API server serves, whichever those are."""

import asyncio
import logging
from functools import partial
from typing import Final

import msgspec

from collector.clock import Clock, sleep_apart
from collector.discovery.kubernetes.access import ApiAccess
from collector.discovery.kubernetes.client import FAILURES, ApiClient
from collector.discovery.kubernetes.objects import Part
from collector.discovery.kubernetes.reflector import Reflector
from collector.discovery.kubernetes.resources import Resource
from collector.discovery.metrics import KubernetesMetrics
from collector.flux.kinds import KINDS, FluxKind
from collector.flux.objects import FluxObject
from collector.flux.state import FluxState

_log: Final = logging.getLogger(__name__)

LOOK_MS: Final = 60_000
"""How often to look which kinds there are: Flux may be installed or upgraded at any time."""
RETRY_MS: Final = 5_000


class _ApiVersion(Part, frozen=True, kw_only=True):
    version: str


class _ApiGroup(Part, frozen=True, kw_only=True):
    name: str
    versions: tuple[_ApiVersion, ...] = ()
    """The preferred one first."""


class _ApiGroups(Part, frozen=True, kw_only=True):
    groups: tuple[_ApiGroup, ...] = ()


class _ApiResource(Part, frozen=True, kw_only=True):
    name: str


class _ApiResources(Part, frozen=True, kw_only=True):
    resources: tuple[_ApiResource, ...] = ()


class FluxWatch:
    """Keeps a `FluxState` up to date."""

    def __init__(self, state: FluxState, access: ApiAccess, clock: Clock, metrics: KubernetesMetrics) -> None:
        self._state = state
        self._access = access
        self._clock = clock
        self._metrics = metrics
        self._following: dict[FluxKind, tuple[str, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Watch until cancelled."""
        client = ApiClient(self._access, self._clock, self._metrics)
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    try:
                        self._follow(client, tasks, await served_versions(client))
                        wait_ms = LOOK_MS
                    except FAILURES as error:
                        _log.warning("Failed to find the kinds of Flux", extra={"err": str(error)})
                        wait_ms = RETRY_MS
                    await sleep_apart(self._clock, self._clock.now_ms() + wait_ms)
        finally:
            await client.close()

    def _follow(self, client: ApiClient, tasks: asyncio.TaskGroup, versions: dict[FluxKind, str]) -> None:
        """Watch these kinds in these versions from now on, and no others."""
        for kind, (version, task) in list(self._following.items()):
            if versions.get(kind) != version:
                task.cancel()
                del self._following[kind]
                self._state.forget(kind)
        for kind, version in versions.items():
            if kind not in self._following:
                resource = Resource(f"apis/{kind.group}/{version}", kind.plural, FluxObject)
                take = partial(self._state.take, kind, version)
                task = tasks.create_task(client.follow(Reflector(resource), take))
                self._following[kind] = (version, task)


async def served_versions(client: ApiClient) -> dict[FluxKind, str]:
    """The kinds of Flux that the API server has, and the version of each that it prefers.

    Raises one of `FAILURES`.
    """
    served: dict[FluxKind, str] = {}
    known = {kind.group for kind in KINDS}
    found = msgspec.json.decode(await client.get("/apis"), type=_ApiGroups)
    for group in (group for group in found.groups if group.name in known):
        for version in (each.version for each in group.versions):
            body = await client.get(f"/apis/{group.name}/{version}")
            names = {item.name for item in msgspec.json.decode(body, type=_ApiResources).resources}
            for kind in KINDS:
                if kind.group == group.name and kind.plural in names:
                    served.setdefault(kind, version)
    return served
