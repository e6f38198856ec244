"""Tokens for client credentials (RFC 6749, 4.4)."""

import asyncio
import json
from collections.abc import Mapping

import pytest

from collector.errors import ScrapeError
from collector.http_config import OAuth2Config
from collector.oauth2 import Form, TokenSource

URL = "https://login/token"


class TokenServer:
    """Answers with tokens t1, t2, ...; what it was asked is in `asked`."""

    def __init__(self, expires_in: int | None = 3600, *, takes_header: bool = True) -> None:
        self.asked: list[tuple[str, dict[str, str | list[str]], dict[str, str]]] = []
        self.answer: bytes | None = None
        self._expires_in = expires_in
        self._takes_header = takes_header

    async def __call__(self, url: str, form: Form, headers: Mapping[str, str]) -> tuple[int, bytes]:
        self.asked.append((url, dict(form), dict(headers)))
        if not self._takes_header and headers:
            return 401, b"no"
        if self.answer is not None:
            return 200, self.answer
        token = {
            "access_token": f"t{len(self.asked)}",
            "token_type": "bearer",
            "expires_in": self._expires_in,
        }
        return 200, json.dumps(token).encode()


def source(server: TokenServer, **settings: object) -> TokenSource:
    config = OAuth2Config(client_id="me", client_secret="s", token_url=URL, **settings)  # type: ignore[arg-type]  # of several types
    return TokenSource(config, server)


def headers(tokens: TokenSource, *asked: tuple[str, float]) -> list[str]:
    async def ask() -> list[str]:
        return [await tokens.header(secret, now_seconds) for secret, now_seconds in asked]

    return asyncio.run(ask())


def test_token_is_asked_for_with_credentials_in_the_header() -> None:
    server = TokenServer()
    tokens = source(server, scopes=("a", "b"), endpoint_params={"audience": "x"})
    assert headers(tokens, ("s e", 0)) == ["Bearer t1"]
    form = {"grant_type": "client_credentials", "scope": "a b", "audience": "x"}
    # base64 of "me:s+e"
    assert server.asked == [(URL, form, {"Authorization": "Basic bWU6cytl"})]


def test_token_is_kept_until_ten_seconds_before_it_expires() -> None:
    tokens = source(TokenServer(expires_in=60))
    assert headers(tokens, ("s", 0), ("s", 49.9), ("s", 50)) == ["Bearer t1", "Bearer t1", "Bearer t2"]


def test_token_without_an_expiry_is_kept() -> None:
    assert headers(source(TokenServer(expires_in=None)), ("s", 0), ("s", 1e9)) == ["Bearer t1"] * 2


def test_rotated_secret_brings_a_new_token() -> None:
    assert headers(source(TokenServer()), ("s", 0), ("other", 1)) == ["Bearer t1", "Bearer t2"]


def test_server_that_wants_credentials_in_the_form_gets_them_there_from_then_on() -> None:
    server = TokenServer(takes_header=False)
    assert headers(source(server), ("s", 0), ("other", 1)) == ["Bearer t2", "Bearer t3"]
    assert server.asked[1][1] == {"grant_type": "client_credentials", "client_id": "me", "client_secret": "s"}
    assert server.asked[2][1]["client_secret"] == "other"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>", "oauth2: cannot parse json"),
        (b"{}", "oauth2: server response missing access_token"),
        (b"[]", "oauth2: server response missing access_token"),
    ],
)
def test_answer_without_a_token_fails_the_scrape(answer: bytes, message: str) -> None:
    server = TokenServer()
    server.answer = answer
    with pytest.raises(ScrapeError, match=message):
        headers(source(server), ("s", 0))


def test_refusal_is_told_with_its_status() -> None:
    async def refuse(_url: str, _form: Form, _headers: Mapping[str, str]) -> tuple[int, bytes]:
        return 403, b"who?"

    config = OAuth2Config(client_id="me", token_url=URL)
    with pytest.raises(ScrapeError, match=r"^oauth2: cannot fetch token: 403: who\?$"):
        headers(TokenSource(config, refuse), ("s", 0))
