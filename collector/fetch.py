"""Getting a body from a target: the seam between scraping and the network, and its aiohttp implementation."""

import asyncio
import base64
import os
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp
from yarl import URL

from collector.errors import BodySizeError, ScrapeError
from collector.http_config import HttpClientConfig, TlsConfig, TlsVersion

MAX_BODY_BYTES: Final = 1 << 30
"""What a body may grow to where no limit is configured: a target must not take the whole memory."""

_MAX_REDIRECTS: Final = 10
_IDLE_SECONDS: Final = 300
"""A connection outlives the usual intervals, as upstream's do."""
_GZIP_WINDOW_BITS: Final = 31
_TLS_VERSIONS: Final[Mapping[TlsVersion, ssl.TLSVersion]] = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}


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
    """One aiohttp session; secrets and certificates in files are read when they are needed."""

    def __init__(self, config: HttpClientConfig) -> None:
        self._config = config
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(request.timeout_ms / 1000):
                return await self._fetch(request)
        except TimeoutError as error:
            raise ScrapeError(f'Get "{request.url}": context deadline exceeded') from error
        except aiohttp.ClientConnectorError as error:
            raise ScrapeError(f'Get "{request.url}": dial tcp{_dial_failure(error)}') from error
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise ScrapeError(f'Get "{request.url}": {error or type(error).__name__}') from error

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer of any status, its body unread, without a timeout. Raises as aiohttp does."""
        config = self._config
        session = self._session = self._session or self._open()
        async with session.get(
            URL(request.url, encoded=True),
            headers={**_custom_headers(config), **request.headers, **_authorization(config)},
            allow_redirects=config.follow_redirects,
            max_redirects=_MAX_REDIRECTS,
            proxy=config.proxy_url or None,
            server_hostname=config.tls_config.server_name or None,
        ) as response:
            yield response

    async def _fetch(self, request: Request) -> Response:
        async with self.open(request) as response:
            if response.status != 200:
                raise ScrapeError(f"server returned HTTP status {response.status} {response.reason}".rstrip())
            chunks: AsyncIterator[bytes] = response.content.iter_any()
            if response.headers.get("Content-Encoding", "") == "gzip":
                chunks = _gunzip(chunks)
            body = await _read(chunks, request.body_size_limit_bytes)
            return Response(response.headers.get("Content-Type", ""), body)

    def _open(self) -> aiohttp.ClientSession:
        tls = self._config.tls_config
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                # Each context with the system's certificates takes 20 ms and 0.8 MB; aiohttp has one already.
                ssl=True if tls == TlsConfig() else tls_context(tls),
                keepalive_timeout=_IDLE_SECONDS,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(),  # each request has its own
            trust_env=self._config.proxy_from_environment,
        )


def tls_context(config: TlsConfig) -> ssl.SSLContext:
    """The TLS settings of a client. Raises `ScrapeError` for files that can't be used."""
    try:
        context = ssl.create_default_context(cafile=config.ca_file or None, cadata=config.ca or None)
        if config.cert_file:
            context.load_cert_chain(config.cert_file, config.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ScrapeError(f"unable to use the files of tls_config: {error}") from error
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if config.min_version:
        context.minimum_version = _TLS_VERSIONS[config.min_version]
    if config.max_version:
        context.maximum_version = _TLS_VERSIONS[config.max_version]
    return context


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


def _authorization(config: HttpClientConfig) -> dict[str, str]:
    basic, bearer = config.basic_auth, config.bearer
    if basic:
        username = basic.username or _secret_in(basic.username_file)
        password = basic.password or _secret_in(basic.password_file)
        return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}
    if bearer:
        credentials = bearer.credentials or _secret_in(bearer.credentials_file)
        return {"Authorization": f"{bearer.type} {credentials}"}
    return {}


def _custom_headers(config: HttpClientConfig) -> dict[str, str]:
    return {
        name: ", ".join([*header.values, *header.secrets, *map(_secret_in, header.files)])
        for name, header in config.http_headers.items()
    }


def _secret_in(file_name: str) -> str:
    """Read anew each time, so that a rotated token is used at once."""
    if not file_name:
        return ""
    try:
        with open(file_name, encoding="utf-8") as file:
            return file.read().strip()
    except OSError as error:
        raise ScrapeError(f"unable to read file {file_name}: {error.strerror}") from error
