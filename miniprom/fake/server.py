"""The fake's process: worlds, their ports, and the application that serves them."""

import asyncio
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from miniprom.api.app import make_shared_app
from miniprom.api.services import Services
from miniprom.api.workers import Workers
from miniprom.fake import control
from miniprom.fake.port import Port
from miniprom.fake.watching import watching
from miniprom.fake.world import World
from miniprom.settings import Settings, settings_of

TENANT_HEADER: Final = "X-Scope-OrgID"

_FOREVER: Final = "100y"
_PATIENCE_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Address:
    """Where to listen; port 0 is a free one."""

    host: str = "127.0.0.1"
    port: int = 0


class FakeServer:
    """Serves one world, and further ones for tenants: `start`, then `stop`, in one event loop."""

    def __init__(self, start_ms: int, address: Address = Address()) -> None:
        self.stopped = asyncio.Event()
        self._settings = _settings()
        self._workers = Workers(self._settings.query_max_concurrency)
        self._world = World("", start_ms, self._settings, self._workers)
        self._address = address
        self._runner = web.AppRunner(
            make_shared_app(
                self._settings,
                self._services_of,
                routes=control.routes(self._world_of),
                middlewares=[watching(self._world_of)],
            ),
            handler_cancellation=True,
            access_log=None,
            shutdown_timeout=_PATIENCE_SECONDS,
        )
        self._ports: dict[int, Port] = {}

    @property
    def url(self) -> str:
        """Where clients find the first world."""
        return self._port.url

    @property
    def control_url(self) -> str:
        """Where the control API is, also while the other port refuses connections."""
        return self._control_port.url

    async def start(self) -> None:
        """Listen. Raises `OSError` if the address is taken."""
        await self._runner.setup()
        self._port = self._new_port(self._address)
        self._control_port = self._new_port(Address(self._address.host))
        await self._world.start()
        for port in self._ports.values():
            await port.open()

    async def stop(self) -> None:
        """Close all ports, and end what was going on."""
        for port in self._ports.values():
            port.release()
        await self._world.stop()
        await self._runner.cleanup()
        self._workers.close(_PATIENCE_SECONDS)

    def _new_port(self, address: Address) -> Port:
        server = self._runner.server
        assert server is not None
        port = Port(address.host, address.port, server)
        self._ports[port.number] = port
        return port

    def _world_of(self, _: web.Request) -> World:
        return self._world

    def _services_of(self, request: web.Request) -> Services:
        return self._world_of(request).services


def _settings() -> Settings:
    return settings_of(
        {
            "storage.tsdb.path": "",
            "storage.tsdb.retention.time": _FOREVER,
            "web.enable-remote-write-receiver": "true",
            "web.enable-admin-api": "true",
        }
    )
