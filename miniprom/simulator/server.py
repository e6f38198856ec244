"""Simulated targets on loopback, one port each, as pods have one address each."""

from dataclasses import dataclass

from aiohttp import web

from collector.clock import Clock
from miniprom.simulator.targets import CONTENT_TYPE, SimulatedTargets


@dataclass(frozen=True)
class ServedTargets:
    """Running servers: address ("host:port") by target name."""

    addresses: dict[str, str]
    _runners: list[web.AppRunner]

    async def stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()


async def serve(
    targets: SimulatedTargets, clock: Clock, *, host: str = "127.0.0.1", first_port: int = 0
) -> ServedTargets:
    """Serve each target's `/metrics` on a port of its own: `first_port` and up, or free ones for 0."""
    addresses, runners = {}, []
    for number, name in enumerate(targets.names):
        runner = web.AppRunner(_app(targets, name, clock), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, host, first_port + number if first_port else 0)
        await site.start()
        addresses[name] = f"{host}:{runner.addresses[0][1]}"
        runners.append(runner)
    return ServedTargets(addresses, runners)


def _app(targets: SimulatedTargets, name: str, clock: Clock) -> web.Application:
    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=targets.body(name, clock.now_ms()), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    return app
