"""Light queries on a real connection: answered as they arrive, and the same as aiohttp would."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any
from unittest import mock

import numpy as np
import pytest

from collector.clock import VirtualClock
from miniprom.api import light
from miniprom.api.query import answer_if_light
from miniprom.config import Config
from miniprom.server import Server
from miniprom.settings import settings_of
from tests.miniprom.api.harness import NOW, NOW_MS
from tsdb import labels_from

HEAD = "Host: a\r\n"
FORM = HEAD + "Content-Type: application/x-www-form-urlencoded\r\n"
QUERY = f"/api/v1/query?query=up&time={NOW}"
MANY = f"/api/v1/query_range?query=up&start={NOW - 3000}&end={NOW}&step=15"


class Talk:
    """One connection to a server."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self._reader = reader
        self._writer = writer

    async def ask(self, target: str, fields: str = HEAD, *, method: str = "GET", body: str = "") -> bytes:
        """The answer, without its date."""
        self.send(f"{method} {target} HTTP/1.1\r\n{fields}\r\n{body}")
        return await self.receive()

    def send(self, text: str) -> None:
        self._writer.write(text.encode())

    async def receive(self) -> bytes:
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length is not None
        body = await self._reader.readexactly(int(length[1]))
        return re.sub(rb"Date: [^\r]*", b"Date:", head) + body


def talk(script: Callable[[Talk], Coroutine[Any, Any, None]], **flags: str) -> None:
    async def run() -> None:
        given = {"web.listen-address": "127.0.0.1:0", "storage.tsdb.path": "", **flags}
        server = Server(settings_of(given), Config(), VirtualClock(NOW_MS))
        ids = server.services.store.series_ids([labels_from({"__name__": "up", "job": "a"})])
        server.services.store.append(ids, NOW_MS - 1000, np.array([1.0]))
        await server.start()
        port = int(server.urls[0].rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await script(Talk(server, reader, writer))
        finally:
            writer.close()
            await server.stop()

    asyncio.run(run())


ANSWER = "miniprom.api.connection.answer_if_light"


def without_aiohttp() -> Any:
    return mock.patch("miniprom.api.connection.RequestHandler.data_received", side_effect=AssertionError)


@pytest.fixture(autouse=True)
def everything_is_light(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is."""
    for name in ("LIGHT_SECONDS", "_PATIENCE_SECONDS"):
        monkeypatch.setattr(light, name, 60.0)


@pytest.mark.parametrize(
    ("target", "fields", "method", "body"),
    [
        (QUERY, HEAD, "GET", ""),
        (MANY, HEAD, "GET", ""),
        (MANY, HEAD + "Accept-Encoding: gzip\r\n", "GET", ""),
        ("/api/v1/query?time=1", FORM + "Content-Length: 16\r\n", "POST", "query=vector(1) "),
    ],
)
def test_answer_is_the_same_when_it_is_given_at_once(
    target: str, fields: str, method: str, body: str
) -> None:
    async def script(talk: Talk) -> None:
        with mock.patch(ANSWER, return_value=None):
            told = await talk.ask(target, fields, method=method, body=body)
        await asyncio.sleep(0.01)  # until aiohttp is done with the request, too
        with without_aiohttp():
            assert await talk.ask(target, fields, method=method, body=body) == told

    talk(script)


def test_query_is_answered_at_once_below_a_route_prefix() -> None:
    async def script(talk: Talk) -> None:
        told = await talk.ask("/metrics" + QUERY)
        await asyncio.sleep(0.01)
        with without_aiohttp():
            assert await talk.ask("/metrics" + QUERY) == told
        assert b"404 Not Found" in await talk.ask(QUERY)

    talk(script, **{"web.route-prefix": "/metrics"})


def test_error_is_told_by_aiohttp() -> None:
    async def script(talk: Talk) -> None:
        assert b"200 OK" in await talk.ask(QUERY)
        with mock.patch(ANSWER, side_effect=answer_if_light) as asked:
            answer = await talk.ask(QUERY + "&limit=-1")
        assert answer.startswith(b"HTTP/1.1 400 Bad Request")
        assert asked.call_count == 1

    talk(script)


def test_script_of_another_origin_gets_its_headers() -> None:
    async def script(talk: Talk) -> None:
        for _ in range(2):
            assert b"Access-Control-Allow-Origin: *" in await talk.ask(QUERY, HEAD + "Origin: http://b\r\n")

    talk(script)


def test_after_a_request_in_pieces_aiohttp_reads_alone() -> None:
    async def script(talk: Talk) -> None:
        told = await talk.ask(QUERY)
        with mock.patch(ANSWER, side_effect=answer_if_light) as asked:
            talk.send("GET ")
            await asyncio.sleep(0.05)
            talk.send(f"{QUERY} HTTP/1.1\r\n{HEAD}\r\n")
            assert await talk.receive() == told
            assert await talk.ask(QUERY) == told
        assert asked.call_count == 0

    talk(script)


def test_pipelined_requests_are_answered_in_order() -> None:
    async def script(talk: Talk) -> None:
        first, second = await talk.ask(QUERY), await talk.ask(MANY)
        talk.send(f"GET {QUERY} HTTP/1.1\r\n{HEAD}\r\nGET {MANY} HTTP/1.1\r\n{HEAD}\r\n")
        assert [await talk.receive(), await talk.receive()] == [first, second]

    talk(script)


def test_request_is_counted() -> None:
    async def script(talk: Talk) -> None:
        for _ in range(3):
            await talk.ask(QUERY)
        labels = {"handler": "/api/v1/query", "code": "200"}
        registry = talk.server.services.metrics.registry
        assert registry.get_sample_value("prometheus_http_requests_total", labels) == 3

    talk(script)


def test_idle_connection_is_closed_after_its_last_answer() -> None:
    async def script(talk: Talk) -> None:
        for _ in range(4):
            await talk.ask(QUERY)
            await asyncio.sleep(0.2)
        assert b"200 OK" in await talk.ask(QUERY)
        with pytest.raises(asyncio.IncompleteReadError):
            await asyncio.wait_for(talk.receive(), 5)

    talk(script, **{"web.read-timeout": "500ms"})
