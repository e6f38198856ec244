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
from miniprom.fake.asked import matching
from miniprom.fake.errors import FakeError
from miniprom.fake.fields import Fields
from miniprom.fake.loading import read_load
from miniprom.fake.world import World
from query import ParseError, parse

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


async def _faults(call: Call) -> Any:
    return [fault.as_json() for fault in call.world.faults]


async def _add_fault(call: Call) -> Any:
    world = call.world
    fault = world.faults.add(call.body, world.clock.now_ms(), world.services.engine_options.parser)
    return fault.as_json()


async def _remove_faults(call: Call) -> Any:
    call.world.faults.clear()
    return []


async def _remove_fault(call: Call) -> Any:
    number = call.request.match_info["number"]
    if not number.isdigit() or call.world.faults.remove(int(number)) is None:
        raise FakeError(f"there is no fault {number}")
    return [fault.as_json() for fault in call.world.faults]


async def _journal(call: Call) -> Any:
    since = call.request.query.get("since", "0")
    if not since.isdigit():
        raise FakeError(f"since: expected the number of an entry, got {since!r}")
    entries = call.world.journal.since(int(since))
    return await call.world.services.workers.run(lambda: [entry.as_json() for entry in entries])


async def _clear_journal(call: Call) -> Any:
    call.world.journal.clear()
    return []


async def _assert(call: Call) -> Any:
    fields = call.fields("assert", "query", "kind", "times", "except_user_agent")
    kind = fields.one_of("kind", ("instant", "range")) if "kind" in fields else None
    try:
        wanted = parse(fields.text("query"), call.world.services.engine_options.parser)
    except ParseError as error:
        raise FakeError(f"assert.query: {error}") from error
    own = fields.text("except_user_agent", "")
    entries = [entry for entry in call.world.journal.since(0) if not own or entry.user_agent != own]
    asked = [entry.asked for entry in entries if entry.asked and kind in (None, entry.asked.kind)]
    answer = matching(wanted, asked)
    if "times" in fields:
        answer["ok"] = answer["found"] == fields.whole("times")
    else:
        answer["ok"] = answer["found"] > 0
    return answer


_ACTIONS: Final[tuple[tuple[str, str, Action], ...]] = (
    ("GET", "", _summary),
    ("POST", "reset", _reset),
    ("POST", "load", _load),
    ("GET", "clock", _clock),
    ("POST", "clock", _set_clock),
    ("GET", "faults", _faults),
    ("POST", "faults", _add_fault),
    ("DELETE", "faults", _remove_faults),
    ("DELETE", "faults/{number}", _remove_fault),
    ("GET", "journal", _journal),
    ("DELETE", "journal", _clear_journal),
    ("POST", "assert", _assert),
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
