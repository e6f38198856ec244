"""The control API under `/-/fake/`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec
from aiohttp import web

from miniprom.api.app import Route
from miniprom.api.envelope import failure, success
from miniprom.api.errors import ErrorType
from miniprom.errors import MinipromError
from miniprom.fake.errors import FakeError
from miniprom.fake.fields import Fields
from miniprom.fake.loading import read_load
from miniprom.fake.world import World

PREFIX: Final = "/-/fake/"

FindWorld: TypeAlias = Callable[[web.Request], World]


@dataclass(frozen=True)
class Call:
    """A request to one of the actions."""

    world: World
    body: Any
    """JSON; an empty object if there was none."""
    request: web.Request

    def fields(self, where: str, *known: str) -> Fields:
        """The body as an object with some of the known fields. Raises `FakeError`."""
        return Fields(self.body, where, self.world.clock.now_ms(), known)


Action: TypeAlias = Callable[[Call], Awaitable[Any]]


async def _summary(call: Call) -> Any:
    return call.world.summary()


async def _reset(call: Call) -> Any:
    fields = call.fields("reset", "now")
    await call.world.reset(fields.time_ms("now") if "now" in fields else None)
    return call.world.summary()


async def _load(call: Call) -> Any:
    return call.world.load(read_load(call.body, call.world.clock.now_ms()))


async def _clock(call: Call) -> Any:
    return {"now": call.world.clock.now_ms() / 1000}


async def _set_clock(call: Call) -> Any:
    fields = call.fields("clock", "set", "advance", "force")
    if ("set" in fields) == ("advance" in fields):
        raise FakeError('clock: expected one of "set" and "advance"')
    if "set" in fields:
        await call.world.set_clock(fields.time_ms("set"), force=fields.flag("force"))
    else:
        await call.world.advance(fields.duration_ms("advance"))
    return {"now": call.world.clock.now_ms() / 1000}


_ACTIONS: Final[tuple[tuple[str, str, Action], ...]] = (
    ("GET", "", _summary),
    ("POST", "reset", _reset),
    ("POST", "load", _load),
    ("GET", "clock", _clock),
    ("POST", "clock", _set_clock),
)


def routes(find: FindWorld) -> list[Route]:
    """The routes, for the world that `find` finds."""
    return [((method,), PREFIX + path, _handler(action, find)) for method, path, action in _ACTIONS]


def _handler(action: Action, find: FindWorld) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            body = _decoded(await request.read())
            world = find(request)
            async with world.busy:
                return success(await action(Call(world, body, request)))
        except MinipromError as error:
            return failure(ErrorType.BAD_DATA, str(error))

    return handle


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else {}
    except msgspec.DecodeError as error:
        raise FakeError(f"the body is not JSON: {error}") from error
