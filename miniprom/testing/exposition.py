"""The metrics page of what lives in the test's own process: a registry, an app, a function, or the page."""

import inspect
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPResponse
from io import BytesIO
from typing import Any, Protocol, runtime_checkable

from miniprom.testing.errors import TestingError

__tracebackhide__ = True  # pytest shows a failure where the test asked, not here


@runtime_checkable
class Registry(Protocol):
    """As `prometheus_client.CollectorRegistry`."""

    def collect(self) -> Iterable[Any]:
        """Its metric families."""


Scrapable = Registry | Callable[..., Any] | str | bytes
"""A registry, an ASGI app, a WSGI app, a handler class of `http.server`, a function without arguments that
gives the page, or the page."""


@dataclass(frozen=True)
class Page:
    """What a scrape gets: HTTP status, content type and body."""

    status: int
    content_type: str
    body: str


def page_of(target: Scrapable, path: str) -> Page:
    """Ask the target for its metrics, at once and without a socket. Its exceptions pass through."""
    if isinstance(target, str | bytes):
        return Page(200, "", _text(target))
    if isinstance(target, Registry):
        return _of_registry(target)
    if not callable(target):
        raise TestingError(
            f"{type(target).__name__} can't be scraped; expected a registry, an app, a function, or the page"
        )
    if hasattr(target, "do_GET"):
        return _of_handler(target, path)
    match len(inspect.signature(target).parameters):
        case 0:
            return Page(200, "", _text(target()))
        case 2:
            return _of_wsgi(target, path)
        case 3:
            return _of_asgi(target, path)
        case number:
            raise TestingError(
                f"a function of {number} arguments can't be scraped; expected 0, or 2 (WSGI) or 3 (ASGI)"
            )


def _of_registry(registry: Any) -> Page:
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415  who has a registry has it

    return Page(200, CONTENT_TYPE_LATEST, generate_latest(registry).decode())


def _of_handler(handler: Callable[..., Any], path: str) -> Page:
    received = _Connection(f"GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n".encode())
    handler(received, ("127.0.0.1", 1), None)
    answer = HTTPResponse(_Connection(received.sent))  # type: ignore[arg-type]  # asks no more of it
    answer.begin()
    with answer:
        return Page(answer.status, answer.headers.get("Content-Type", ""), _text(answer.read()))


class _Connection:
    """What `http` needs of a socket: it reads what is there, and keeps what is sent."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.sent = b""

    def makefile(self, *_arguments: Any) -> BytesIO:
        return BytesIO(self._content)

    def sendall(self, data: bytes) -> None:
        self.sent += bytes(data)


def _of_wsgi(app: Callable[..., Any], path: str) -> Page:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _error: Any = None
    ) -> Callable[..., None]:
        started.append((status, headers))
        return written.append

    environ = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost", "HTTP_ACCEPT": "text/plain",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": BytesIO(), "wsgi.errors": sys.stderr,
        "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip
    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    status, headers = started[-1]
    return Page(int(status.split()[0]), _content_type(headers), _text(b"".join(written) + body))


def _of_asgi(app: Callable[..., Any], path: str) -> Page:
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(),
        "root_path": "", "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"accept", b"text/plain")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    sent: list[dict[str, Any]] = []
    requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        return requests.pop() if requests else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def call() -> None:
        await app(scope, receive, send)

    _run(call)
    start = next(message for message in sent if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", ())]
    return Page(start["status"], _content_type(headers), _text(body))


def _run(call: Callable[[], Any]) -> None:
    """Run a coroutine to its end, in a thread: the test may itself be in an event loop."""
    import asyncio  # noqa: PLC0415  most tests scrape no such app

    failures: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(call())
        except BaseException as error:  # noqa: BLE001,RUF100  passed on to the caller
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _content_type(headers: Iterable[tuple[str, str]]) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def _text(body: Any) -> str:
    if isinstance(body, bytes):
        return body.decode()
    if isinstance(body, str):
        return body
    raise TestingError(f"a metrics page is str or bytes, not {type(body).__name__}")
