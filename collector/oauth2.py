"""Tokens for OAuth 2 client credentials (RFC 6749, 4.4). No I/O of its own; time is a parameter."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import quote_plus

from collector.errors import ScrapeError
from collector.http_config import OAuth2Config

_EARLY_SECONDS: Final = 10.0
"""A token is renewed that long before it expires, as Go's oauth2 does."""

Form = Mapping[str, str | list[str]]
Post = Callable[[str, Form, Mapping[str, str]], Awaitable[tuple[int, bytes]]]
"""Sends a form with headers to a URL: the status and the body of the answer."""


class TokenSource:
    """Keeps a token until it expires or the secret changes.

    How a server wants the client's credentials is not known: first they go into the Authorization header, and
    if that is refused into the form. What worked is remembered. Upstream: Go's oauth2, AuthStyleAutoDetect.
    """

    def __init__(self, config: OAuth2Config, post: Post) -> None:
        self._config = config
        self._post = post
        self._secret = ""
        self._header = ""
        self._expires_seconds = 0.0
        self._secret_in_form = False

    async def header(self, secret: str, now_seconds: float) -> str:
        """The value of the Authorization header. Raises `ScrapeError` where no token is to be had."""
        if not self._header or now_seconds >= self._expires_seconds or secret != self._secret:
            token = await self._new_token(secret)
            lasts_seconds = _seconds(token.get("expires_in"))
            self._header = f"{_type_of(token)} {token['access_token']}"
            self._expires_seconds = (
                now_seconds + lasts_seconds - _EARLY_SECONDS if lasts_seconds else float("inf")
            )
            self._secret = secret
        return self._header

    async def _new_token(self, secret: str) -> dict[str, Any]:
        status, body = await self._ask(secret)
        if not 200 <= status < 300 and not self._header:
            self._secret_in_form = not self._secret_in_form
            status, body = await self._ask(secret)
        if not 200 <= status < 300:
            raise ScrapeError(f"oauth2: cannot fetch token: {status}: {body[:200].decode(errors='replace')}")
        try:
            token = json.loads(body)
        except ValueError as error:
            raise ScrapeError(f"oauth2: cannot parse json: {error}") from error
        if not isinstance(token, dict) or not token.get("access_token"):
            raise ScrapeError("oauth2: server response missing access_token")
        return token

    async def _ask(self, secret: str) -> tuple[int, bytes]:
        config = self._config
        form: dict[str, str | list[str]] = {"grant_type": "client_credentials", **config.endpoint_params}
        if config.scopes:
            form["scope"] = " ".join(config.scopes)
        if self._secret_in_form:
            form |= {"client_id": config.client_id, "client_secret": secret}
            return await self._post(config.token_url, form, {})
        credentials = f"{quote_plus(config.client_id)}:{quote_plus(secret)}".encode()
        header = "Basic " + base64.b64encode(credentials).decode()
        return await self._post(config.token_url, form, {"Authorization": header})


def _type_of(token: Mapping[str, Any]) -> str:
    kind = str(token.get("token_type") or "Bearer")
    return "Bearer" if kind.lower() == "bearer" else kind


def _seconds(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0
