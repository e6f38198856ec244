"""Around every request that is no control request: faults happen, and the journal is written."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, TypeAlias

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from miniprom.api.errors import ApiError
from miniprom.api.params import Params, read_params
from miniprom.api.watch import WATCH, Watch
from miniprom.fake.asked import Asked, asked_in
from miniprom.fake.breaking import before_answer, body_of, on_answer
from miniprom.fake.control import PREFIX
from miniprom.fake.faults import Fault
from miniprom.fake.journal import SHOWN_RESPONSE, Entry, Failure
from miniprom.fake.world import World

FindWorld: TypeAlias = Callable[[web.Request], World]

CLIENT_GAVE_UP: Final = 499

_SECRETS: Final = ("authorization", "proxy-authorization", "cookie")


def watching(find: FindWorld) -> Middleware:
    """The middleware, for the worlds that `find` finds."""

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(PREFIX):
            return await handler(request)
        return await _Visit(request, find(request)).answer(handler)

    return watch


class _Visit:
    """One request, from its arrival to its entry in the journal."""

    def __init__(self, request: web.Request, world: World) -> None:
        self._request = request
        self._world = world
        self._begin = time.perf_counter()
        self._time_ms = world.clock.now_ms()
        self._watch = Watch()
        self._params = Params({})
        self._asked: Asked | None = None
        self._faults: list[Fault] = []

    async def answer(self, handler: Handler) -> web.StreamResponse:
        """The answer, or what faults make of it."""
        token = WATCH.set(self._watch)
        status, body = CLIENT_GAVE_UP, b""
        try:
            await self._read()
            response = await before_answer(self._request, self._faults) or await handler(self._request)
            if isinstance(response, web.Response):
                response = await on_answer(self._request, response, self._faults, self._watch.evaluation)
            status, body = response.status, _shown(response)
        except web.HTTPException as error:
            status, body = error.status, _shown(error)
            raise
        finally:
            WATCH.reset(token)
            self._note(status, body)
        return response

    async def _read(self) -> None:
        """The parameters, and the faults that they meet."""
        path = self._request.path
        with suppress(ApiError):  # the handler meets it, too, and answers with it
            self._params = await read_params(self._request)
        options = self._world.services.engine_options.parser
        self._asked = asked_in(path, self._params, options)
        self._faults = self._world.faults.of_request(path, self._asked)

    def _note(self, status: int, body: bytes) -> None:
        world, request = self._world, self._request
        world.journal.add(
            Entry(
                id=world.journal.next_id(),
                time_ms=self._time_ms,
                wall_ms=(time.perf_counter() - self._begin) * 1000,
                method=request.method,
                path=request.path,
                params=self._params.all(),
                headers=_headers(request.headers),
                tenant=world.name,
                status=status,
                body=body[:SHOWN_RESPONSE],
                failure=_failure(status, body),
                fault=self._faults[0].id if self._faults else None,
                asked=self._asked,
                evaluation=self._watch.evaluation,
            )
        )


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: "***" if name.lower() in _SECRETS else value for name, value in headers.items()}


def _shown(response: web.StreamResponse) -> bytes:
    return body_of(response) if isinstance(response, web.Response) else b""


def _failure(status: int, body: bytes) -> Failure | None:
    if status < 400:
        return None
    try:
        answer = msgspec.json.decode(body)
        return Failure(answer["errorType"], answer["error"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return Failure(None, body[:200].decode(errors="replace").strip())
