"""Getting a body from a target: the seam between scraping and the network, and HTTP behind it."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Protocol

import aiohttp

from collector.errors import HttpError, ScrapeError
from collector.http1.body import Body
from collector.http1.client import Destination, PlainClient, request_head
from collector.http_client import HttpClient
from collector.http_config import HttpClientConfig

_OK: Final = 200
_REDIRECTS: Final = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Request:
    """What to get. `body_size_limit_bytes` holds for the uncompressed body; 0 is no limit."""

    url: str
    headers: Mapping[str, str]
    timeout_ms: int
    body_size_limit_bytes: int = 0

    @cached_property
    def destination(self) -> Destination | None:
        """Where it goes over plain HTTP, if it does."""
        return Destination.of(self.url)

    @cached_property
    def plain_head(self) -> bytes:
        """The request as it is sent there when nothing is added to it. Raises `HttpError`."""
        assert self.destination
        return request_head(self.destination, self.headers)


class Response(NamedTuple):
    """A body, uncompressed; `content_type` is "" where the target sent none."""

    content_type: str
    body: bytes


class Fetcher(Protocol):
    """Fetches for one job."""

    async def fetch(self, request: Request) -> Response:
        """The answer of status 200. Raises `ScrapeError` for everything else."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class HttpFetcher:
    """Fetches over HTTP. What is plain goes through a client of our own, in a third of aiohttp's time."""

    def __init__(self, config: HttpClientConfig) -> None:
        self._client = HttpClient(config)
        self._plain_client = PlainClient()
        self._follow_redirects = config.follow_redirects

    async def fetch(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(request.timeout_ms / 1000):
                if request.destination and self._client.is_direct:
                    response = await self._fetch_plain(request, request.destination)
                    if response:
                        return response
                return await self._fetch(request)
        except TimeoutError as error:
            raise ScrapeError(f'Get "{request.url}": context deadline exceeded') from error
        except aiohttp.ClientSSLError as error:
            raise ScrapeError(f'Get "{request.url}": tls: {error.__cause__ or error}') from error
        except aiohttp.ClientConnectorError as error:
            raise ScrapeError(f'Get "{request.url}": dial tcp{_dial_failure(error)}') from error
        except aiohttp.TooManyRedirects as error:
            raise ScrapeError(f'Get "{request.url}": stopped after {len(error.history)} redirects') from error
        except (HttpError, aiohttp.ClientError, ValueError, OSError) as error:
            raise ScrapeError(f'Get "{request.url}": {error or type(error).__name__}') from error

    async def close(self) -> None:
        self._plain_client.close()
        await self._client.close()

    async def _fetch_plain(self, request: Request, destination: Destination) -> Response | None:
        """The answer; None for a redirect that is to be followed."""
        fields = await self._client.fields(request.headers)
        sent = request.plain_head if fields is request.headers else request_head(destination, fields)
        reader = await self._plain_client.get(destination, sent, request.body_size_limit_bytes)
        head = reader.head
        assert head
        if head.status in _REDIRECTS and self._follow_redirects and b"location" in head.fields:
            return None
        _check(head.status, head.reason)
        return Response(head.first(b"content-type").decode("latin-1"), reader.body.end())

    async def _fetch(self, request: Request) -> Response:
        async with self._client.request("GET", request.url, request.headers) as response:
            _check(response.status, response.reason or "")
            is_gzip = response.headers.get("Content-Encoding", "") == "gzip"
            body = Body(request.body_size_limit_bytes, is_gzip=is_gzip)
            async for chunk in response.content.iter_any():
                body.add(chunk)
            return Response(response.headers.get("Content-Type", ""), body.end())


def _check(status: int, reason: str) -> None:
    if status != _OK:
        raise ScrapeError(f"server returned HTTP status {status} {reason}".rstrip())


def _dial_failure(error: aiohttp.ClientConnectorError) -> str:
    """In Go's words: dashboards and people know them."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f": lookup {error.host}: no such host"
    number = error.os_error.errno
    reason = os.strerror(number).lower() if number else str(error.os_error)
    return f" {error.host}:{error.port}: connect: {reason}"
