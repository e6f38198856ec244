"""An HTTP/1.1 client as a configuration asks for, on aiohttp: credentials, certificates, headers, proxies."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from yarl import URL

from collector.errors import ScrapeError
from collector.http_config import HttpClientConfig, OAuth2Config, TlsConfig
from collector.oauth2 import Form, TokenSource
from collector.proxy import ProxyRules, rules_from
from collector.tls import TlsContexts

_MAX_REDIRECTS: Final = 10
_IDLE_SECONDS: Final = 300
"""A connection outlives the usual intervals, as upstream's do."""
_MAX_TOKEN_BYTES: Final = 1 << 20


class HttpClient:
    """One aiohttp session; secrets and certificates in files are read when they are needed."""

    def __init__(self, config: HttpClientConfig) -> None:
        self._config = config
        self._tls = TlsContexts(config.tls_config)
        self._proxies = _proxies(config)
        self.is_direct = not (self._proxies or config.proxy_url or config.tls_config != TlsConfig())
        """Whether plain HTTP goes without a proxy, and without certificates, which may be missing."""
        self._adds_fields = bool(config.http_headers or config.basic_auth or config.bearer or config.oauth2)
        self._session: aiohttp.ClientSession | None = None
        self._tokens = _Tokens(config.oauth2) if config.oauth2 else None

    async def close(self) -> None:
        """Let go of connections."""
        if self._session:
            await self._session.close()
        if self._tokens:
            await self._tokens.close()

    async def fields(self, own: Mapping[str, str]) -> Mapping[str, str]:
        """The header fields of a request: the caller's own before those configured, credentials before both.

        It is `own` itself where nothing is configured. Raises `ScrapeError` for secrets that can't be read.
        """
        if not self._adds_fields:
            return own
        return {**_custom_headers(self._config), **own, **await self._authorization()}

    @asynccontextmanager
    async def request(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | aiohttp.FormData | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer of any status, its body unread, without a timeout.

        Raises as aiohttp does, and `ScrapeError` for secrets that can't be read.
        """
        config = self._config
        session = self._session = self._session or _open_session()
        proxy = self._proxies.proxy_for(url) if self._proxies else config.proxy_url
        async with session.request(
            method,
            URL(url, encoded=True),
            headers=await self.fields(headers),
            data=data,
            allow_redirects=config.follow_redirects,
            max_redirects=_MAX_REDIRECTS,
            proxy=proxy or None,
            proxy_headers=_connect_headers(config) if proxy and url.startswith("https:") else None,
            ssl=self._tls.current(),
            server_hostname=config.tls_config.server_name or None,
        ) as response:
            yield response

    async def _authorization(self) -> dict[str, str]:
        basic, bearer = self._config.basic_auth, self._config.bearer
        if basic:
            username = basic.username or secret_in(basic.username_file)
            password = basic.password or secret_in(basic.password_file)
            encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
            return {"Authorization": f"Basic {encoded}"}
        if bearer:
            credentials = bearer.credentials or secret_in(bearer.credentials_file)
            return {"Authorization": f"{bearer.type} {credentials}"}
        return {"Authorization": await self._tokens.header()} if self._tokens else {}


class _Tokens:
    """The token source of a client, and the client of its own that it asks with."""

    def __init__(self, config: OAuth2Config) -> None:
        self._config = config
        self._client = HttpClient(config.as_client())
        self._source = TokenSource(config, self._post)
        self._asking = asyncio.Lock()

    async def header(self) -> str:
        """The value of the Authorization header."""
        secret = self._config.client_secret or secret_in(self._config.client_secret_file)
        async with self._asking:  # targets of a job share the token
            return await self._source.header(secret, asyncio.get_running_loop().time())

    async def close(self) -> None:
        await self._client.close()

    async def _post(self, url: str, form: Form, headers: Mapping[str, str]) -> tuple[int, bytes]:
        fields = [
            (name, value)
            for name, given in form.items()
            for value in ([given] if isinstance(given, str) else given)
        ]
        async with self._client.request("POST", url, headers, aiohttp.FormData(fields)) as response:
            return response.status, await response.content.read(_MAX_TOKEN_BYTES)


def secret_in(file_name: str) -> str:
    """The text of a file, read anew each time, so that a rotated token is used at once."""
    if not file_name:
        return ""
    try:
        with open(file_name, encoding="utf-8") as file:
            return file.read().strip()
    except OSError as error:
        raise ScrapeError(f"unable to read file {file_name}: {error.strerror}") from error


def _open_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(keepalive_timeout=_IDLE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(),  # each request has its own
    )


def _proxies(config: HttpClientConfig) -> ProxyRules | None:
    """The rules that choose a proxy; None where every request takes the same."""
    if config.proxy_from_environment:
        return rules_from(os.environ)
    return ProxyRules(config.proxy_url, config.proxy_url, config.no_proxy) if config.no_proxy else None


def _connect_headers(config: HttpClientConfig) -> dict[str, str]:
    return {name: ", ".join(values) for name, values in config.proxy_connect_header.items()}


def _custom_headers(config: HttpClientConfig) -> dict[str, str]:
    return {
        name: ", ".join([*header.values, *header.secrets, *map(secret_in, header.files)])
        for name, header in config.http_headers.items()
    }
