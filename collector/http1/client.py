"""Connections to targets, kept for the next request. Upstream: Go's net/http Transport."""

import asyncio
import os
import re
import socket
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from collector.errors import HttpError
from collector.http1.response import ResponseReader

_IDLE_SECONDS: Final = 300.0
"""A connection outlives the usual intervals, as upstream's do."""
_SWEEP_SECONDS: Final = 60.0
_HAPPY_EYEBALLS_SECONDS: Final = 0.3
_DEFAULT_PORT: Final = 80

# Nothing but what goes into a request as it is written: other URLs need encoding first.
_URL: Final = re.compile(
    r"http://(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::([0-9]{1,5}))?(?=[/?]|\Z)([!-\"$-~]*)"
)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to connect to, and what to ask for there."""

    host: str
    port: int
    host_field: str
    path: str

    @staticmethod
    def of(url: str) -> "Destination | None":
        """What a URL says; None if it is none of plain HTTP, or not encoded."""
        match = _URL.fullmatch(url)
        if match is None:
            return None
        host, port, path = match.groups("")
        return Destination(
            host.strip("[]"),
            int(port or _DEFAULT_PORT),
            host + (f":{port}" if port else ""),
            path if path.startswith("/") else "/" + path,
        )


def request_head(destination: Destination, fields: Mapping[str, str]) -> bytes:
    """The bytes of a GET. Raises `HttpError` for a line feed in a field: it would start another one."""
    lines = [f"GET {destination.path} HTTP/1.1", f"Host: {destination.host_field}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    head = "\r\n".join(lines)
    if head.count("\n") + 1 > len(lines) or head.count("\r") + 1 > len(lines):
        raise HttpError("invalid header field value")
    return f"{head}\r\n\r\n".encode()


class PlainClient:
    """GETs for one job. `_idle` holds the connections of each destination that wait, the latest used last."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int], deque[_Connection]] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    async def get(self, destination: Destination, head: bytes, limit_bytes: int) -> ResponseReader:
        """The response to a request, complete if its status is 200.

        Raises `HttpError`, what `Body` raises, and OSError where the connection breaks.
        """
        while connection := self._idle_one(destination):
            try:
                return await self._ask(connection, destination, head, limit_bytes)
            except _StaleConnectionError:
                continue  # the target closed it while it waited: that says nothing about the target
        return await self._ask(await _connect(destination), destination, head, limit_bytes)

    def close(self) -> None:
        """Let go of all connections that wait."""
        if self._sweeping:
            self._sweeping.cancel()
        for waiting in self._idle.values():
            for connection in waiting:
                connection.close()
        self._idle = {}

    async def _ask(
        self, connection: "_Connection", destination: Destination, head: bytes, limit_bytes: int
    ) -> ResponseReader:
        reader = ResponseReader(limit_bytes)
        try:
            await connection.ask(head, reader)
        finally:
            if reader.can_reuse and connection.is_at_rest:
                self._keep(connection, destination)
            else:
                connection.close()
        return reader

    def _idle_one(self, destination: Destination) -> "_Connection | None":
        waiting = self._idle.get((destination.host, destination.port))
        while waiting:
            connection = waiting.pop()
            if connection.is_at_rest:
                return connection
            connection.close()
        return None

    def _keep(self, connection: "_Connection", destination: Destination) -> None:
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.setdefault((destination.host, destination.port), deque()).append(connection)
        self._sweeping = self._sweeping or loop.call_later(_SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close what has waited too long, or was closed by the target."""
        loop = asyncio.get_running_loop()
        limit = loop.time() - _IDLE_SECONDS
        for key, waiting in list(self._idle.items()):
            kept: deque[_Connection] = deque()
            for connection in waiting:
                if connection.is_at_rest and connection.idle_since > limit:
                    kept.append(connection)
                else:
                    connection.close()
            if kept:
                self._idle[key] = kept
            else:
                del self._idle[key]
        self._sweeping = loop.call_later(_SWEEP_SECONDS, self._sweep) if self._idle else None


class _StaleConnectionError(Exception):
    """A connection used before ended without an answer."""


class _Connection(asyncio.Protocol):
    """One connection, and the request that is on its way, if one is."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._reader: ResponseReader | None = None
        self._done: asyncio.Future[None] | None = None
        self._is_used = False

    @property
    def is_at_rest(self) -> bool:
        """Whether it is open and nothing is on its way."""
        return self._transport is not None and not self._transport.is_closing() and self._reader is None

    async def ask(self, head: bytes, reader: ResponseReader) -> None:
        """Send a request, and return once the reader has the response. Requires: at rest."""
        assert self._transport is not None
        self._done = asyncio.get_running_loop().create_future()
        self._reader = reader
        self._transport.write(head)
        try:
            await self._done
        finally:
            self._is_used = True

    def close(self) -> None:
        """Close at once, whatever is on its way."""
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            self.close()  # nothing was asked for
            return
        try:
            if self._reader.feed(data):
                self._finish(None)
        except Exception as error:  # whoever asked is told, whatever it is
            self._finish(error)

    def eof_received(self) -> None:
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)

    def _end(self, error: Exception | None) -> None:
        if self._reader is None:
            return
        if self._is_used and not self._reader.has_begun:
            self._finish(_StaleConnectionError())
            return
        try:
            self._reader.end()
        except HttpError as cut:
            self._finish(error or cut)
        else:
            self._finish(error)

    def _finish(self, error: Exception | None) -> None:
        self._reader = None
        if self._done and not self._done.done():
            if error:
                self._done.set_exception(error)
            else:
                self._done.set_result(None)


async def _connect(destination: Destination) -> _Connection:
    """Raises `HttpError` in the words of Go: dashboards and people know them."""
    try:
        _, connection = await asyncio.get_running_loop().create_connection(
            _Connection,
            destination.host,
            destination.port,
            happy_eyeballs_delay=_HAPPY_EYEBALLS_SECONDS,
        )
    except socket.gaierror as error:
        raise HttpError(f"dial tcp: lookup {destination.host}: no such host") from error
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise HttpError(f"dial tcp {destination.host_field}: connect: {reason}") from error
    return connection
