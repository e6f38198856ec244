"""A simulated cluster with Flux in it, and the collector that is to find it: real sockets, virtual time."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from prometheus_client.registry import CollectorRegistry

from benchmarks.programs import free_port
from collector.clock import VirtualClock
from collector.discovery.kubernetes.access import SERVICE_ACCOUNT, Surroundings
from collector.fetch import Fetcher, HttpFetcher, Request, Response
from collector.http_config import HttpClientConfig
from collector.manager import ActiveTarget, ScrapeManager
from miniprom.simulator.catalog import Era
from miniprom.simulator.cluster import Cluster
from miniprom.simulator.targets import SimulatedTargets
from tests.kubernetes_api.objects import (
    FLUX,
    flux_pod,
    kubernetes_endpoints,
    kubernetes_service,
    node,
)
from tests.kubernetes_api.server import KubernetesApi
from tsdb import Store

BESIDE_REPOSITORY = Path(__file__).parents[3] / "shared" / "flux"
START_MS = 1_700_000_000_000
CONTROLLERS = (
    "source-controller",
    "kustomize-controller",
    "helm-controller",
    "notification-controller",
)
PODS = "api/v1/pods"
NODES = "api/v1/nodes"
_PATIENCE_MS = 120_000
_API_SERVICE = "https://kubernetes.default.svc:443"


def flux_file(name: str) -> Path:
    """A configuration that Flux or Flagger ship: in `MINIPROM_FLUX`, or beside the repository."""
    folder = Path(os.environ.get("MINIPROM_FLUX", BESIDE_REPOSITORY))
    if not (folder / name).is_file():
        pytest.skip(f"{name} is not in {folder}; set MINIPROM_FLUX")
    return folder / name


class World:
    """The cluster (an API server, and its pods' /metrics pages), and a manager that looks for targets."""

    def __init__(self, folder: Path, fetcher: Fetcher | None = None) -> None:
        """With a fetcher, that one scrapes all targets instead of the network."""
        self._shared_fetcher = fetcher
        self.clock = VirtualClock(START_MS)
        self.store = Store(retention_ms=None)
        self.registry = CollectorRegistry()
        self.api = KubernetesApi(folder)
        self.pod_port = free_port()
        self._simulated = SimulatedTargets(Cluster(objects=12, seed=1, start_ms=START_MS), Era.V0)
        self._pages = AsyncExitStack()
        self._serving = AsyncExitStack()
        self.api.put("api/v1/services", kubernetes_service())
        self.api.put(NODES, node())

    async def start(self) -> None:
        """Serve the API, and make the manager."""
        await self.bring_api_back()
        self.api.put("api/v1/endpoints", kubernetes_endpoints("127.0.0.1", self.api.port))
        self.api.pages = {
            "/metrics": "apiserver_request_total 7\n",
            "/api/v1/nodes/node-1/proxy/metrics/cadvisor": "container_cpu_usage_seconds_total 5\nother 1\n",
        }
        self.manager = ScrapeManager(
            self.store,
            self.clock,
            self.registry,
            new_fetcher=self._fetcher,
            surroundings=Surroundings(self.api.environ, str(self.api.folder)),
        )

    async def stop(self) -> None:
        await self.manager.stop()
        await self._pages.aclose()
        await self.take_api_away()

    async def take_api_away(self) -> None:
        """From now on nothing listens where the API server was."""
        await self._serving.aclose()

    async def bring_api_back(self) -> None:
        await self._serving.enter_async_context(self.api.running())

    async def run_pod(self, controller: str, ip: str, *, suffix: str = "7d9f-x2k4q") -> str:
        """Start a controller's pod at an address on loopback; its name."""
        await self._serve(controller, ip)
        pod = self.api.put(PODS, flux_pod(controller, ip, self.pod_port, suffix=suffix))
        return str(pod["metadata"]["name"])

    async def run_flux(self) -> None:
        """Start a pod for each controller, at 127.0.7.1, .2 and so on."""
        for number, controller in enumerate(CONTROLLERS, start=1):
            await self.run_pod(controller, f"127.0.7.{number}")

    def delete_pod(self, name: str) -> None:
        self.api.delete(PODS, name, FLUX)

    async def until(self, holds: Callable[[], object], *, step_ms: int = 50) -> None:
        """Let time pass until it is so, in steps that each give the network its turn."""
        end_ms = self.clock.now_ms() + _PATIENCE_MS
        while not holds():
            assert self.clock.now_ms() < end_ms, "still not so"
            await asyncio.sleep(0.005)
            await self.clock.advance(step_ms)

    async def pass_time(self, by_ms: int) -> None:
        """Let time pass in small steps, and give the network its turn at each."""
        for _ in range(by_ms // 100):
            await asyncio.sleep(0.002)
            await self.clock.advance(100)

    def up(self, pool: str) -> dict[str, ActiveTarget]:
        """The targets of a pool by pod name, or else by instance."""
        found = {}
        for target in self.manager.active():
            labels = dict(target.labels)
            if target.pool == pool:
                name = labels.get("pod") or labels.get("kubernetes_pod_name") or labels["instance"]
                assert name not in found, f"{name} is scraped twice"
                found[name] = target
        return found

    async def _serve(self, controller: str, ip: str) -> None:
        async def metrics(_request: web.Request) -> web.Response:
            body = self._simulated.body(controller, self.clock.now_ms())
            return web.Response(body=body, content_type="text/plain")

        app = web.Application()
        app.router.add_get("/metrics", metrics)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, ip, self.pod_port).start()
        self._pages.push_async_callback(runner.cleanup)

    def _fetcher(self, config: HttpClientConfig) -> Fetcher:
        return self._shared_fetcher or _InCluster(self.api, config)


class _InCluster(HttpFetcher):
    """Fetches as from a pod: with the service account's files, and with the cluster's DNS name of the API."""

    def __init__(self, api: KubernetesApi, config: HttpClientConfig) -> None:
        super().__init__(_redirected(config, str(api.folder)))
        self._api = api

    async def fetch(self, request: Request) -> Response:
        if request.url.startswith(_API_SERVICE):
            url = self._api.url + request.url.removeprefix(_API_SERVICE)
            request = Request(url, request.headers, request.timeout_ms, request.body_size_limit_bytes)
        return await super().fetch(request)


def _redirected(config: HttpClientConfig, folder: str) -> HttpClientConfig:
    text = msgspec.json.encode(config).decode().replace(SERVICE_ACCOUNT, folder)
    return msgspec.json.decode(text, type=HttpClientConfig)


def run(folder: Path, story: Callable[[World], Awaitable[Any]], fetcher: Fetcher | None = None) -> World:
    """Play a story in a new world."""

    async def whole() -> World:
        world = World(folder, fetcher)
        await world.start()
        try:
            await story(world)
        finally:
            await world.stop()
        return world

    return asyncio.run(whole())
