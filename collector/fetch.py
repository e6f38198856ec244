"""Getting a body from a target: the seam between scraping and the network, and its aiohttp implementation."""

import asyncio
import os
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp

from collector.errors import BodySizeError, ScrapeError
from collector.http_client import HttpClient
from collector.http_config import HttpClientConfig

MAX_BODY_BYTES: Final = 1 << 30
"""What a body may grow to where no limit is configured: a target must not take the whole memory."""

_GZIP_WINDOW_BITS: Final = 31


@dataclass(frozen=True)
class Request:
    """What to get. `body_size_limit_bytes` holds for the uncompressed body; 0 is no limit."""

    url: str
    headers: Mapping[str, str]
    timeout_ms: int
    body_size_limit_bytes: int = 0


@dataclass(frozen=True)
class Response:
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
    """Fetches over HTTP."""

    def __init__(self, config: HttpClientConfig) -> None:
        self._client = HttpClient(config)

    async def fetch(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(request.timeout_ms / 1000):
                return await self._fetch(request)
        except TimeoutError as error:
            raise ScrapeError(f'Get "{request.url}": context deadline exceeded') from error
        except aiohttp.ClientSSLError as error:
            raise ScrapeError(f'Get "{request.url}": tls: {error.__cause__ or error}') from error
        except aiohttp.ClientConnectorError as error:
            raise ScrapeError(f'Get "{request.url}": dial tcp{_dial_failure(error)}') from error
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise ScrapeError(f'Get "{request.url}": {error or type(error).__name__}') from error

    async def close(self) -> None:
        await self._client.close()

    async def _fetch(self, request: Request) -> Response:
        async with self._client.request("GET", request.url, request.headers) as response:
            if response.status != 200:
                raise ScrapeError(f"server returned HTTP status {response.status} {response.reason}".rstrip())
            chunks: AsyncIterator[bytes] = response.content.iter_any()
            if response.headers.get("Content-Encoding", "") == "gzip":
                chunks = _gunzip(chunks)
            body = await _read(chunks, request.body_size_limit_bytes)
            return Response(response.headers.get("Content-Type", ""), body)


def _dial_failure(error: aiohttp.ClientConnectorError) -> str:
    """In Go's words: dashboards and people know them."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f": lookup {error.host}: no such host"
    number = error.os_error.errno
    reason = os.strerror(number).lower() if number else str(error.os_error)
    return f" {error.host}:{error.port}: connect: {reason}"


async def _read(chunks: AsyncIterator[bytes], limit_bytes: int) -> bytes:
    """All chunks. A body of just the limit is too large already, as upstream has it."""
    limit_bytes = limit_bytes or MAX_BODY_BYTES
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= limit_bytes:
            raise BodySizeError
    return b"".join(parts)


async def _gunzip(chunks: AsyncIterator[bytes], piece_bytes: int = 1 << 20) -> AsyncIterator[bytes]:
    """Uncompressed pieces, none longer than `piece_bytes`: a small body may hold a very large one."""
    unzip = zlib.decompressobj(_GZIP_WINDOW_BITS)
    async for chunk in chunks:
        rest = chunk
        while rest:
            try:
                yield unzip.decompress(rest, piece_bytes)
            except zlib.error as error:
                raise ScrapeError("gzip: invalid header or body") from error
            rest = unzip.unconsumed_tail
            if unzip.eof and unzip.unused_data:
                rest, unzip = unzip.unused_data, zlib.decompressobj(_GZIP_WINDOW_BITS)
    if not unzip.eof:
        raise ScrapeError("unexpected EOF")
