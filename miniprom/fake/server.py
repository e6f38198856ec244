"""The fake's process: worlds, their ports, and the application that serves them."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from miniprom.api.app import make_shared_app
from miniprom.api.services import Services
from miniprom.api.workers import Workers
from miniprom.fake.control import routes
from miniprom.fake.errors import FakeError
from miniprom.fake.faults import Fault
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
    """Serves one world, and further ones for tenants: `start`, then `stop`, in one event loop.

    A request is for the world whose port it came in on; on the first port and on the control port a header
    names a tenant, and without one that is known it is for the first world.
    """

    def __init__(self, start_ms: int, address: Address = Address()) -> None:
        self.stopped = asyncio.Event()
        self._start_ms = start_ms
        self._address = address
        self._settings = _settings()
        self._workers = Workers(self._settings.query_max_concurrency)
        self.world = World("", start_ms, self._settings, self._workers)
        self._tenants: dict[str, tuple[World, Port]] = {}
        self._world_at: dict[int, World] = {}
        self._ending: dict[Fault, asyncio.Task[None]] = {}
        app = make_shared_app(
            self._settings,
            self._services_of,
            routes=routes(self),
            middlewares=[watching(self.world_of)],
        )
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=_PATIENCE_SECONDS
        )

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
        await self.world.start()
        await self._port.open()
        await self._control_port.open()
        self._warming = asyncio.create_task(self._workers.run(self._warm_up))

    async def stop(self) -> None:
        """Close all ports, and end what was going on."""
        for task in self._ending.values():
            task.cancel()
        for port in self._ports():
            port.release()
        for world in self._worlds():
            await world.stop()
        await self._runner.cleanup()
        self._workers.close(_PATIENCE_SECONDS)

    def world_of(self, request: web.Request) -> World:
        """The world that a request is for."""
        transport = request.transport
        number: int = transport.get_extra_info("sockname")[1] if transport else 0
        world = self._world_at.get(number)
        if world is not None:
            return world
        tenant = self._tenants.get(request.headers.get(TENANT_HEADER, ""))
        return tenant[0] if tenant else self.world

    async def add_tenant(self, name: str) -> dict[str, str]:
        """The name and URL of a tenant, a new one if there is none. Raises `FakeError`."""
        if not name:
            raise FakeError("tenants.name: expected a name")
        if name not in self._tenants:
            world = World(name, self._start_ms, self._settings, self._workers)
            port = self._new_port(Address(self._address.host))
            self._world_at[port.number] = world
            self._tenants[name] = world, port
            await world.start()
            await port.open()
        return {"name": name, "url": self._tenants[name][1].url}

    async def remove_tenant(self, name: str) -> None:
        """End a tenant, and give its port up. Raises `FakeError`."""
        if name not in self._tenants:
            raise FakeError(f"there is no tenant {name!r}; there are {', '.join(self._tenants) or 'none'}")
        world, port = self._tenants.pop(name)
        del self._world_at[port.number]
        port.release()
        self._drop_connections(port, None)
        await world.stop()

    def tenants(self) -> list[dict[str, str]]:
        """All of them."""
        return [{"name": name, "url": port.url} for name, (_, port) in self._tenants.items()]

    async def settle_port(self, world: World, request: web.Request) -> bool:
        """Open or close a world's port, as its faults want it; whether it is open.

        Of the connections, that of `request` alone stays.
        """
        port = self._port_of(world)
        refusals = [fault for fault in world.faults if fault.kind == "refuse"]
        if not refusals:
            await port.open()
        elif port.is_open:
            port.close()
            self._drop_connections(port, request)
        for fault in refusals:
            if fault.settings["seconds"] is not None and fault not in self._ending:
                self._ending[fault] = asyncio.create_task(self._end_refusal(world, fault))
        return port.is_open

    def _warm_up(self) -> None:
        """Answer a query that nobody asked: what evaluates is imported at the first one."""
        services = self.world.services
        services.engine.instant(services.snapshot(), "sum(rate(up[5m])) > 0", 0)

    async def _end_refusal(self, world: World, fault: Fault) -> None:
        """Once its time is over, by the real clock."""
        await asyncio.sleep(fault.settings["seconds"])
        del self._ending[fault]
        if fault in world.faults:
            world.faults.remove(fault.id)
            if not any(other.kind == "refuse" for other in world.faults):
                await self._port_of(world).open()

    def _drop_connections(self, port: Port, kept: web.Request | None) -> None:
        server = self._runner.server
        for connection in server.connections if server else ():
            transport = connection.transport
            if transport is None or (kept is not None and transport is kept.transport):
                continue
            if transport.get_extra_info("sockname")[1] == port.number:
                transport.abort()

    def _port_of(self, world: World) -> Port:
        return self._tenants[world.name][1] if world.name in self._tenants else self._port

    def _worlds(self) -> Iterator[World]:
        yield self.world
        yield from (world for world, _ in self._tenants.values())

    def _ports(self) -> Iterator[Port]:
        yield self._port
        yield self._control_port
        yield from (port for _, port in self._tenants.values())

    def _new_port(self, address: Address) -> Port:
        server = self._runner.server
        assert server is not None
        return Port(address.host, address.port, server)

    def _services_of(self, request: web.Request) -> Services:
        return self.world_of(request).services


def _settings() -> Settings:
    return settings_of(
        {
            "storage.tsdb.path": "",
            "storage.tsdb.retention.time": _FOREVER,
            "web.enable-remote-write-receiver": "true",
            "web.enable-admin-api": "true",
        }
    )
