"""The control API under `/-/fake/`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

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
from miniprom.fake.targets import SCRAPE_FIELDS
from miniprom.fake.world import World
from query import ParseError, parse

if TYPE_CHECKING:
    from miniprom.fake.server import FakeServer

PREFIX: Final = "/-/fake/"


@dataclass(frozen=True)
class Call:
    """A request to one of the actions."""

    server: "FakeServer"
    world: World
    body: Any
    """JSON; an empty object if there was none."""
    request: web.Request

    def fields(self, where: str, *known: str) -> Fields:
        """The body as an object with some of the known fields. Raises `FakeError`."""
        return Fields(self.body, where, self.world.now_ms, known)


Action: TypeAlias = Callable[[Call], Awaitable[Any]]


async def _summary(call: Call) -> Any:
    return {**call.world.summary(), "tenants": call.server.tenants()}


async def _reset(call: Call) -> Any:
    fields = call.fields("reset", "now")
    await call.world.reset(fields.time_ms("now") if "now" in fields else None)
    return call.world.summary()


async def _load(call: Call) -> Any:
    return call.world.load(read_load(call.body, call.world.now_ms))


async def _clock(call: Call) -> Any:
    return {"now": call.world.now_ms / 1000}


async def _set_clock(call: Call) -> Any:
    fields = call.fields("clock", "set", "advance", "force")
    if ("set" in fields) == ("advance" in fields):
        raise FakeError('clock: expected one of "set" and "advance"')
    if "set" in fields:
        await call.world.set_clock(fields.time_ms("set"), force=fields.flag("force"))
    else:
        await call.world.advance(fields.duration_ms("advance", least_ms=0))
    return await _clock(call)


async def _configure(call: Call) -> Any:
    fields = call.fields("config", "config", "rules")
    text = fields.text("config") if "config" in fields else None
    await call.world.configure(text, fields.text_by_name("rules"))
    return call.world.summary()


async def _scrape(call: Call) -> Any:
    return call.world.scrape(call.fields("scrape", *SCRAPE_FIELDS))


async def _faults(call: Call) -> Any:
    return [fault.as_json() for fault in call.world.faults]


async def _add_fault(call: Call) -> Any:
    world = call.world
    return world.faults.add(call.body, world.now_ms, world.services.engine_options.parser).as_json()


async def _remove_faults(call: Call) -> Any:
    call.world.faults.clear()
    return []


async def _remove_fault(call: Call) -> Any:
    """One that was there: it may have ended of itself meanwhile."""
    number = call.request.match_info["number"]
    if not number.isdigit() or not call.world.faults.had(int(number)):
        raise FakeError(f"there was no fault {number}")
    call.world.faults.remove(int(number))
    return await _faults(call)


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
    """How often a query was asked, and whether that is as it should be."""
    fields = call.fields("assert", "query", "kind", "times", "except_user_agent")
    kind = fields.one_of("kind", ("instant", "range")) if "kind" in fields else None
    try:
        wanted = parse(fields.text("query"), call.world.services.engine_options.parser)
    except ParseError as error:
        raise FakeError(f"assert.query: {error}") from error
    own = fields.text("except_user_agent", "")
    entries = [entry for entry in call.world.journal.since(0) if not own or entry.user_agent != own]
    answer = matching(wanted, [one.asked for one in entries if one.asked and kind in (None, one.asked.kind)])
    found = answer["found"]
    return {**answer, "ok": found == fields.whole("times") if "times" in fields else found > 0}


async def _save(call: Call) -> Any:
    return {"id": call.world.save()}


async def _restore(call: Call) -> Any:
    await call.world.restore(call.fields("restore", "id").whole("id"))
    return call.world.summary()


async def _tenants(call: Call) -> Any:
    return call.server.tenants()


async def _add_tenant(call: Call) -> Any:
    return await call.server.add_tenant(call.fields("tenants", "name").text("name"))


async def _remove_tenant(call: Call) -> Any:
    await call.server.remove_tenant(call.fields("tenants", "name").text("name"))
    return call.server.tenants()


_ACTIONS: Final[tuple[tuple[str, str, Action], ...]] = (
    ("GET", "", _summary),
    ("POST", "reset", _reset),
    ("POST", "load", _load),
    ("GET", "clock", _clock),
    ("POST", "clock", _set_clock),
    ("POST", "config", _configure),
    ("POST", "scrape", _scrape),
    ("GET", "faults", _faults),
    ("POST", "faults", _add_fault),
    ("DELETE", "faults", _remove_faults),
    ("DELETE", "faults/{number}", _remove_fault),
    ("GET", "journal", _journal),
    ("DELETE", "journal", _clear_journal),
    ("POST", "assert", _assert),
    ("POST", "snapshot", _save),
    ("POST", "restore", _restore),
    ("GET", "tenants", _tenants),
    ("POST", "tenants", _add_tenant),
    ("DELETE", "tenants", _remove_tenant),
)


def routes(server: "FakeServer") -> list[Route]:
    """The routes of a server's control API."""
    return [((method,), PREFIX + path, _handler(action, server)) for method, path, action in _ACTIONS]


def _handler(action: Action, server: "FakeServer") -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            call = Call(server, server.world_of(request), _decoded(await request.read()), request)
            async with call.world.busy:
                response = success(await action(call))
        except MinipromError as error:
            return failure(ErrorType.BAD_DATA, str(error))
        if request.method != "GET" and not await server.settle_port(call.world, request):
            response.force_close()
        return response

    return handle


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FakeError(f"the body is not JSON: {error}") from error
