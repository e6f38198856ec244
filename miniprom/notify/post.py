"""Posting JSON: the seam between delivery and the network."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final, Protocol

import aiohttp

from collector.errors import ScrapeError
from collector.http_client import HttpClient
from collector.http_config import HttpClientConfig
from miniprom.notify.errors import DeliveryError
from miniprom.version import VERSION

_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": f"miniprom/{VERSION}"}


class Poster(Protocol):
    """Posts with the credentials of one receiver."""

    async def post(self, url: str, message: Any, timeout_ms: int) -> None:
        """Post a value as JSON. Raises `DeliveryError` unless it is taken."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


NewPoster = Callable[[HttpClientConfig], Poster]


class HttpPoster:
    """Posts over HTTP."""

    def __init__(self, config: HttpClientConfig) -> None:
        self._client = HttpClient(config)

    async def post(self, url: str, message: Any, timeout_ms: int) -> None:
        body = json.dumps(message, ensure_ascii=False).encode(errors="replace")
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                async with self._client.request("POST", url, _HEADERS, body) as response:
                    _check(url, response)
        except TimeoutError as error:
            raise DeliveryError(f'Post "{url}": context deadline exceeded', is_temporary=True) from error
        except (aiohttp.ClientError, ScrapeError, ValueError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise DeliveryError(f'Post "{url}": {reason}', is_temporary=True) from error

    async def close(self) -> None:
        await self._client.close()


def _check(url: str, response: aiohttp.ClientResponse) -> None:
    if response.status // 100 != 2:
        is_temporary = response.status == 429 or response.status >= 500
        reason = f'Post "{url}": bad response status {response.status} {response.reason}'.rstrip()
        raise DeliveryError(reason, is_temporary=is_temporary)
