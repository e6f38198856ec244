"""HTTP/1.1 to one server, over connections that are kept: thread-safe, and safe across `fork`.

Nothing reads a clock, so that a frozen one can't make a request wait; timeouts are the socket's own.
"""

import os
import select
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

from miniprom.testing.errors import TestingError, UnreachableError

__tracebackhide__ = True  # pytest shows a failure where the test asked, not here

USER_AGENT: Final = "miniprom-testing"
"""Tells a test's own queries from those of the code under test."""


@dataclass(frozen=True)
class Response:
    """Status, content type and body."""

    status: int
    content_type: str
    body: bytes


class Transport:
    """The connections to one server. Close it at the end."""

    def __init__(self, url: str, *, timeout: float = 30.0, headers: Mapping[str, str] | None = None) -> None:
        """Raises `TestingError` for what is no http URL."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise TestingError(f'"{url}" is no URL of a server; expected one such as http://127.0.0.1:9090')
        self._host, self._port = parts.hostname, parts.port or 80
        self._prefix = parts.path.rstrip("/")
        self._timeout = timeout
        self._headers = {"User-Agent": USER_AGENT, **(headers or {})}
        self._idle: list[HTTPConnection] = []
        self._is_closed = False
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """One exchange. Raises `UnreachableError` where no whole answer comes."""
        connection = self._take()
        try:
            connection.request(method, self._prefix + path, body, {**self._headers, **(headers or {})})
            with connection.getresponse() as answer:
                response = Response(answer.status, answer.headers.get("Content-Type", ""), answer.read())
                is_reusable = not answer.will_close
        except (OSError, HTTPException) as error:
            connection.close()
            where = f"http://{self._host}:{self._port}{self._prefix}{path.partition('?')[0]}"
            raise UnreachableError(f"{method} {where}: {error or type(error).__name__}") from error
        except BaseException:  # such as Ctrl-C: half an exchange must not be gone on with
            connection.close()
            raise
        with self._lock:
            if is_reusable and not self._is_closed:
                self._idle.append(connection)
            else:
                connection.close()
        return response

    def close(self) -> None:
        """Close the connections; those of later requests are not kept."""
        self._is_closed = True
        self._close_idle()

    def _close_idle(self) -> None:
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def _take(self) -> HTTPConnection:
        if self._pid != os.getpid():  # a fork: connections are the parent's, the lock may be held
            self._pid, self._lock = os.getpid(), threading.Lock()
            self._close_idle()
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if _is_open(connection):
                    return connection
                connection.close()
        return HTTPConnection(self._host, self._port, timeout=self._timeout)


def _is_open(connection: HTTPConnection) -> bool:
    """Whether the server has neither closed an idle connection nor sent what nobody asked for."""
    with suppress(OSError, ValueError):
        poll = select.poll()
        poll.register(connection.sock, select.POLLIN)
        return not poll.poll(0)
    return False
