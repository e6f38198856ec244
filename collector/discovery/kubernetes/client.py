"""The only place that talks to an API server: it runs reflectors."""

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp

from collector.clock import Clock, sleep_apart
from collector.discovery.backoff import Backoff
from collector.discovery.kubernetes.access import ApiAccess
from collector.discovery.kubernetes.objects import ObjectT
from collector.discovery.kubernetes.reflector import Change, Reflector
from collector.discovery.metrics import KubernetesMetrics
from collector.errors import CollectorError, DiscoveryError
from collector.http_client import HttpClient

_log: Final = logging.getLogger(__name__)

_LIST_SECONDS: Final = 60
_WATCH_SECONDS: Final = (240, 300)
"""A watch ends by itself after a random time in this range, so that lost connections are noticed."""
_GRACE_SECONDS: Final = 30
_SHORTEST_WATCH_MS: Final = 1000
_MAX_BODY_BYTES: Final = 256 << 20
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}
_MAX_ERROR_BYTES: Final = 1 << 16
_NO_PARAMS: Final[Mapping[str, str]] = {}

FAILURES: Final = (CollectorError, aiohttp.ClientError, OSError, ValueError)


class ApiClient:
    """One API server. Credentials in files are read for each request, so that a rotated token is used."""

    def __init__(
        self, access: ApiAccess, clock: Clock, metrics: KubernetesMetrics, *, user_agent: str = "miniprom"
    ) -> None:
        self._access = access
        self._http = HttpClient(access.http)
        self._clock = clock
        self._metrics = metrics
        self._headers = {**_HEADERS, "User-Agent": user_agent}

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    async def get(self, path: str) -> bytes:
        """The body of a page. Raises one of `FAILURES`."""
        async with asyncio.timeout(_LIST_SECONDS), self._answer(path) as response:
            return await _whole(response)

    async def follow(
        self, reflector: Reflector[ObjectT], on_changes: Callable[[list[Change[ObjectT]]], None]
    ) -> None:
        """Keep a reflector up to date for ever; `on_changes` hears of each change, and of the first list."""
        backoff = Backoff(random.random)
        said = ""
        while True:
            began_ms = self._clock.now_ms()
            try:
                is_watch = await self._ask(reflector, on_changes)
            except FAILURES as error:
                self._metrics.failures.inc()
                failure = str(error) or type(error).__name__
                _log.log(
                    logging.DEBUG if failure == said else logging.WARNING,
                    "Failed to list or watch",
                    extra={"resource": reflector.resource.plural, "err": failure},
                )
                said = failure
            else:
                if not is_watch or self._clock.now_ms() - began_ms >= _SHORTEST_WATCH_MS:
                    backoff.reset()
                    said = ""
                    continue
            await sleep_apart(self._clock, self._clock.now_ms() + backoff.next_ms())

    async def _ask(
        self, reflector: Reflector[ObjectT], on_changes: Callable[[list[Change[ObjectT]]], None]
    ) -> bool:
        """One list page, or one watch to its end; whether it was a watch."""
        request = reflector.request(random.randint(*_WATCH_SECONDS))
        seconds = _WATCH_SECONDS[1] + _GRACE_SECONDS if request.is_watch else _LIST_SECONDS
        async with (
            asyncio.timeout(seconds),
            self._answer(request.path, request.params, reflector) as response,
        ):
            if not request.is_watch:
                was_synced = reflector.is_synced
                changes = reflector.page(await _whole(response))
                if changes or reflector.is_synced > was_synced:
                    on_changes(changes)
                return False
            async for line in _lines(response):
                if changes := reflector.line(line):
                    on_changes(changes)
        return True

    @asynccontextmanager
    async def _answer(
        self, path: str, params: Mapping[str, str] = _NO_PARAMS, asking: Reflector[Any] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer of status 200; who asks is told of another status. Raises one of `FAILURES`."""
        url = f"{self._access.url}{path}{'?' if params else ''}{urlencode(params)}"
        start = time.perf_counter()
        async with self._http.request("GET", url, self._headers) as response:
            self._metrics.answered(path, response.status, time.perf_counter() - start)
            if response.status != 200:
                if asking:
                    asking.refused(response.status)
                raise DiscoveryError(f"{path}: {response.status} {await _reason(response)}")
            yield response


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise DiscoveryError(f"answer larger than {_MAX_BODY_BYTES} bytes")
    return bytes(body)


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The complete lines; one that the connection cut off is not complete."""
    rest = b""
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > _MAX_BODY_BYTES:
            raise DiscoveryError(f"line larger than {_MAX_BODY_BYTES} bytes")
        for line in filter(None, lines):
            yield line


async def _reason(response: aiohttp.ClientResponse) -> str:
    """The server's message, where it sent a Status object."""
    body = await response.content.read(_MAX_ERROR_BYTES)
    try:
        status: Any = json.loads(body)
        return str(status["message"])
    except (ValueError, KeyError, TypeError):
        return str(response.reason)
