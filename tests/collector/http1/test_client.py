"""Connections to servers on loopback that answer as they are told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from collector.errors import BodySizeError, HttpError
from collector.http1 import client as client_module
from collector.http1.client import Destination, PlainClient, request_head
from collector.http1.response import ResponseReader

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nm 1\n"


class Target:
    """Answers each request of a connection with the next answer, and closes it after the last of them."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = answers
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            for answer in self._answers:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(answer)
            if self._answers[-1] == OK:
                await reader.read()
        except asyncio.IncompleteReadError:
            pass
        finally:
            self.closed += 1
            writer.close()


Get = Callable[..., Awaitable[ResponseReader]]


@asynccontextmanager
async def serving(target: Target, host: str = "127.0.0.1") -> AsyncIterator[Get]:
    server = await asyncio.start_server(target.serve, host, 0)
    target.port = server.sockets[0].getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    destination = Destination.of(f"http://{shown}:{target.port}/metrics?a=b")
    assert destination
    client = PlainClient()

    async def get(limit_bytes: int = 0) -> ResponseReader:
        async with asyncio.timeout(5):
            return await client.get(destination, request_head(destination, {"A": "1"}), limit_bytes)

    try:
        yield get
    finally:
        client.close()
        server.close()
        await server.wait_closed()


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 10))


def test_request_is_sent_as_it_is_written() -> None:
    async def story() -> None:
        target = Target(OK)
        async with serving(target) as get:
            reader = await get()
            assert reader.body.end() == b"m 1\n"
            expected = f"GET /metrics?a=b HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\nA: 1\r\n\r\n"
            assert target.requests == [expected.encode()]

    run(story)


def test_connection_is_used_again() -> None:
    async def story() -> None:
        target = Target(OK, OK, OK)
        async with serving(target) as get:
            for _ in range(3):
                await get()
            assert (target.connections, len(target.requests)) == (1, 3)

    run(story)


def test_requests_at_once_have_a_connection_each() -> None:
    async def story() -> None:
        target = Target(OK)
        async with serving(target) as get:
            await asyncio.gather(get(), get())
            assert target.connections == 2

    run(story)


def test_connection_that_the_target_closed_meanwhile_is_replaced() -> None:
    async def story() -> None:
        target = Target(OK, b"")  # closes on the second request, as one does whose patience has run out
        async with serving(target) as get:
            await get()
            assert (await get()).body.end() == b"m 1\n"
            assert target.connections == 2

    run(story)


def test_new_connection_that_ends_without_an_answer_is_an_error() -> None:
    async def story() -> None:
        async with serving(Target(b"")) as get:
            with pytest.raises(HttpError, match=r"^EOF$"):
                await get()

    run(story)


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"200 OK", b"500 Internal Server Error"),
        OK.replace(b"Content-Length: 4", b"Connection: close\r\nContent-Length: 4"),
        OK + b"more",
    ],
)
def test_connection_that_can_not_go_on_is_closed(answer: bytes) -> None:
    async def story() -> None:
        target = Target(answer, OK)
        async with serving(target) as get:
            await get()
            await get()
            assert target.connections == 2

    run(story)


def test_connection_is_closed_when_the_body_is_too_large() -> None:
    async def story() -> None:
        target = Target(OK, OK)
        async with serving(target) as get:
            with pytest.raises(BodySizeError):
                await get(limit_bytes=4)
            while not target.closed:
                await asyncio.sleep(0.01)

    run(story)


def test_connection_is_closed_when_nobody_waits_for_the_answer_any_more() -> None:
    async def story() -> None:
        target = Target(OK[:-1], OK)
        async with serving(target) as get:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(get(), 0.05)
            while not target.closed:
                await asyncio.sleep(0.01)

    run(story)


def test_idle_connections_are_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_IDLE_SECONDS", 0.02)
    monkeypatch.setattr(client_module, "_SWEEP_SECONDS", 0.02)

    async def story() -> None:
        target = Target(OK, OK)
        async with serving(target) as get:
            await get()
            while not target.closed:
                await asyncio.sleep(0.01)

    run(story)


def test_ipv6_addresses_are_reached() -> None:
    async def story() -> None:
        target = Target(OK)
        async with serving(target, "::1") as get:
            await get()
            assert b"\r\nHost: [::1]:" in target.requests[0]

    run(story)


def test_unknown_host_is_told_in_upstreams_words() -> None:
    async def story() -> None:
        destination = Destination.of("http://nowhere.invalid/metrics")
        assert destination
        with pytest.raises(HttpError, match=r"^dial tcp: lookup nowhere.invalid: no such host$"):
            await PlainClient().get(destination, b"", 0)

    run(story)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://host/metrics", Destination("host", 80, "host", "/metrics")),
        ("http://host:9100", Destination("host", 9100, "host:9100", "/")),
        ("http://host?a=%20", Destination("host", 80, "host", "/?a=%20")),
        ("http://[::1]:80/a", Destination("::1", 80, "[::1]:80", "/a")),
        ("https://host/metrics", None),
        ("http://user:password@host/metrics", None),
        ("http://hôst/metrics", None),
        ("http://host/a b", None),
        ("http://host/a\r\nX: y", None),
        ("http://host:port/", None),
        ("http:///metrics", None),
    ],
)
def test_only_urls_of_plain_http_have_a_destination(url: str, expected: Destination | None) -> None:
    assert Destination.of(url) == expected


def test_line_feed_in_a_field_starts_no_other_field() -> None:
    destination = Destination.of("http://host/")
    assert destination
    with pytest.raises(HttpError, match="invalid header field value"):
        request_head(destination, {"A": "1\r\nB: 2"})
