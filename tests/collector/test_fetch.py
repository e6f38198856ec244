"""Fetching from real servers on loopback."""

import asyncio
import gzip
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from collector.errors import BodySizeError, ScrapeError
from collector.fetch import HttpFetcher, Request, Response
from collector.http_config import Authorization, BasicAuth, HttpClientConfig, HttpHeader, TlsConfig
from collector.tls import tls_context

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def fetch(
    handler: Handler,
    config: HttpClientConfig | None = None,
    *,
    path: str = "/metrics",
    limit_bytes: int = 0,
    timeout_ms: int = 5_000,
) -> Response:
    """What a fetcher gets from a server with one handler for all paths."""

    async def story() -> Response:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        fetcher = HttpFetcher(config or HttpClientConfig())
        try:
            request = Request(f"http://{host}:{port}{path}", {"User-Agent": "test"}, timeout_ms, limit_bytes)
            return await fetcher.fetch(request)
        finally:
            await fetcher.close()
            await runner.cleanup()

    return asyncio.run(story())


async def hello(_request: web.Request) -> web.Response:
    return web.Response(text="m 1\n", content_type="text/plain")


async def header_echo(request: web.Request) -> web.Response:
    return web.Response(text="\n".join(f"{name}: {value}" for name, value in request.headers.items()))


def answering(body: bytes, **headers: str) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=body, headers=named)

    return answer


def test_body_and_content_type_come_back() -> None:
    response = fetch(hello)
    assert response.body == b"m 1\n"
    assert response.content_type == "text/plain; charset=utf-8"


def test_status_other_than_200_is_an_error_in_upstreams_words() -> None:
    async def broken(_request: web.Request) -> web.Response:
        return web.Response(status=500)

    with pytest.raises(ScrapeError, match=r"^server returned HTTP status 500 Internal Server Error$"):
        fetch(broken)


def test_timeout_is_a_context_deadline() -> None:
    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    with pytest.raises(ScrapeError, match=r'^Get "http://127.*/metrics": context deadline exceeded$'):
        fetch(slow, timeout_ms=50)


def test_timeout_holds_for_a_body_that_trickles() -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"m 1\n")
            await asyncio.sleep(0.02)
        return response

    with pytest.raises(ScrapeError, match="context deadline exceeded"):
        fetch(trickle, timeout_ms=100)


def test_refused_connection_is_told_in_upstreams_words() -> None:
    async def story() -> None:
        server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        fetcher = HttpFetcher(HttpClientConfig())
        try:
            await fetcher.fetch(Request(f"http://127.0.0.1:{port}/m", {}, 5_000))
        finally:
            await fetcher.close()

    with pytest.raises(ScrapeError, match=r'^Get "http.*/m": dial tcp 127.*: connect: connection refused$'):
        asyncio.run(story())


def test_body_one_byte_short_of_the_limit_passes_and_of_the_limit_fails() -> None:
    assert fetch(answering(b"x" * 99), limit_bytes=100).body == b"x" * 99
    with pytest.raises(BodySizeError, match=r"^body size limit exceeded$"):
        fetch(answering(b"x" * 100), limit_bytes=100)


def test_gzip_is_unpacked() -> None:
    assert fetch(answering(gzip.compress(b"m 1\n"), Content_Encoding="gzip")).body == b"m 1\n"


def test_gzip_of_several_members_is_unpacked_whole() -> None:
    body = gzip.compress(b"m 1\n") + gzip.compress(b"n 1\n")
    assert fetch(answering(body, Content_Encoding="gzip")).body == b"m 1\nn 1\n"


def test_limit_holds_for_the_unpacked_body() -> None:
    bomb = gzip.compress(b"x" * 5_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(BodySizeError):
        fetch(answering(bomb, Content_Encoding="gzip"), limit_bytes=100_000)


def test_gzip_that_ends_early_or_is_none_fails() -> None:
    with pytest.raises(ScrapeError, match="unexpected EOF"):
        fetch(answering(gzip.compress(b"m 1\n")[:-5], Content_Encoding="gzip"))
    with pytest.raises(ScrapeError, match="gzip: invalid"):
        fetch(answering(b"m 1\n", Content_Encoding="gzip"))


async def redirecting(request: web.Request) -> web.Response:
    if request.path == "/metrics":
        raise web.HTTPFound("/elsewhere")
    return await hello(request)


def test_target_that_redirects_for_ever_is_left_after_ten_times() -> None:
    async def again(request: web.Request) -> web.Response:
        raise web.HTTPFound(request.path)

    with pytest.raises(ScrapeError, match=r'^Get "http://127.*/metrics": stopped after 10 redirects$'):
        fetch(again)


@pytest.mark.parametrize(("host", "comes_along"), [("127.0.0.1", True), ("localhost", False)])
def test_credentials_follow_a_redirect_on_the_same_host_only(host: str, comes_along: bool) -> None:
    async def redirect(request: web.Request) -> web.Response:
        if request.path == "/metrics":
            raise web.HTTPFound(f"http://{host}:{request.url.port}/moved")
        return await header_echo(request)

    body = fetch(redirect, HttpClientConfig(bearer_token="secret")).body
    assert (b"Bearer secret" in body) is comes_along


def test_redirect_is_followed_unless_forbidden() -> None:
    assert fetch(redirecting).body == b"m 1\n"
    with pytest.raises(ScrapeError, match="server returned HTTP status 302 Found"):
        fetch(redirecting, HttpClientConfig(follow_redirects=False))


def test_url_reaches_the_target_as_it_is_written() -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=request.raw_path)

    assert fetch(echo, path="/a%7Eb?x=1%262&x=3+4").body == b"/a%7Eb?x=1%262&x=3+4"


@pytest.mark.parametrize(
    ("config", "header"),
    [
        # base64 of "me:pw"
        (HttpClientConfig(basic_auth=BasicAuth(username="me", password="pw")), "Basic bWU6cHc="),
        (HttpClientConfig(bearer_token="t"), "Bearer t"),
        (HttpClientConfig(authorization=Authorization(type="Token", credentials="t")), "Token t"),
    ],
)
def test_credentials_are_sent(config: HttpClientConfig, header: str) -> None:
    assert f"Authorization: {header}" in fetch(header_echo, config).body.decode()


def test_token_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    token = tmp_path / "token"
    config = HttpClientConfig(bearer_token_file=str(token))
    for text in ("one\n", "two\n"):
        token.write_text(text)
        assert f"Authorization: Bearer {text.strip()}" in fetch(header_echo, config).body.decode()


def test_missing_token_file_fails_the_scrape(tmp_path: Path) -> None:
    with pytest.raises(ScrapeError, match=r"unable to read file .*none: No such file"):
        fetch(hello, HttpClientConfig(bearer_token_file=str(tmp_path / "none")))


def test_custom_headers_are_sent_beside_ours() -> None:
    config = HttpClientConfig(http_headers={"X-Scope": HttpHeader(values=("a",), secrets=("b",))})
    answer = fetch(header_echo, config).body.decode()
    assert "X-Scope: a, b" in answer
    assert "User-Agent: test" in answer


def test_tls_settings_reach_the_context() -> None:
    context = tls_context(TlsConfig(insecure_skip_verify=True, min_version="TLS13"))
    assert context.verify_mode is ssl.CERT_NONE
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert tls_context(TlsConfig()).verify_mode is ssl.CERT_REQUIRED


def test_missing_ca_file_fails_the_scrape() -> None:
    with pytest.raises(ScrapeError, match="unable to use the certificates of tls_config"):
        fetch(hello, HttpClientConfig(tls_config=TlsConfig(ca_file="/nowhere/ca.crt")))
