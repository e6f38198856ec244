"""TLS, proxies and tokens against real servers on loopback."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from collector.errors import ScrapeError
from collector.fetch import HttpFetcher, Request
from collector.http_config import HttpClientConfig, OAuth2Config, TlsConfig
from tests.kubernetes_api.server import make_certificate

Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    host, port = runner.addresses[0]
    try:
        yield f"{'https' if context else 'http'}://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def fetching(config: HttpClientConfig) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    fetcher = HttpFetcher(config)

    async def get(url: str) -> str:
        return (await fetcher.fetch(Request(url, {}, 5_000))).body.decode()

    try:
        yield get
    finally:
        await fetcher.close()


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=f"hello {request.headers.get('Authorization', '')}")


def server_context(folder: Path, *, asks_for_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.crt", folder / "ca.key")
    if asks_for_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca.crt")
    return context


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    make_certificate(tmp_path)
    return tmp_path


@pytest.mark.parametrize("is_inline", [False, True])
def test_client_certificate_is_shown(certificate: Path, is_inline: bool) -> None:
    ca, key = certificate / "ca.crt", certificate / "ca.key"
    if is_inline:
        tls = TlsConfig(ca=ca.read_text(), cert=ca.read_text(), key=key.read_text())
    else:
        tls = TlsConfig(ca_file=str(ca), cert_file=str(ca), key_file=str(key))

    async def story() -> None:
        async with serving(hello, server_context(certificate, asks_for_certificate=True)) as url:
            async with fetching(HttpClientConfig(tls_config=tls)) as get:
                assert await get(url) == "hello "
            async with fetching(HttpClientConfig(tls_config=TlsConfig(ca_file=str(ca)))) as get:
                with pytest.raises(ScrapeError, match=r"certificate required|reset|disconnected"):
                    await get(url)

    asyncio.run(story())


def test_certificate_authority_is_read_again_when_its_file_changes(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        make_certificate(folder)
    trusted = tmp_path / "trusted.crt"
    trusted.write_bytes((old / "ca.crt").read_bytes())

    async def story() -> None:
        async with (
            serving(hello, server_context(new)) as url,
            fetching(HttpClientConfig(tls_config=TlsConfig(ca_file=str(trusted)))) as get,
        ):
            with pytest.raises(ScrapeError, match=r"^Get .*: tls: .*certificate verify failed"):
                await get(url)
            trusted.write_bytes((new / "ca.crt").read_bytes())
            os.utime(trusted, ns=(1, 1))
            assert await get(url) == "hello "
            trusted.unlink()
            with pytest.raises(ScrapeError, match="unable to use the certificates of tls_config"):
                await get(url)

    asyncio.run(story())


def test_proxy_is_asked_with_its_password_and_the_target_is_named_in_full() -> None:
    async def proxy(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.raw_path} {request.headers.get('Proxy-Authorization')}")

    async def story() -> None:
        async with serving(proxy) as url:
            with_password = url.replace("//", "//me:pw@")
            async with fetching(HttpClientConfig(proxy_url=with_password)) as get:
                # base64 of "me:pw"
                assert await get("http://target:80/metrics") == "http://target/metrics Basic bWU6cHc="

    asyncio.run(story())


def test_host_in_no_proxy_is_asked_directly() -> None:
    async def proxy(_request: web.Request) -> web.Response:
        return web.Response(text="proxy")

    async def story() -> None:
        async with (
            serving(proxy) as proxy_url,
            serving(hello) as url,
            fetching(HttpClientConfig(proxy_url=proxy_url, no_proxy="127.0.0.0/8")) as get,
        ):
            assert await get(url) == "hello "
            assert await get("http://elsewhere.example/") == "proxy"

    asyncio.run(story())


def test_proxy_of_the_environment_is_used_on_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async def proxy(_request: web.Request) -> web.Response:
        return web.Response(text="proxy")

    async def story() -> None:
        async with serving(proxy) as url:
            monkeypatch.setenv("HTTP_PROXY", url)
            async with fetching(HttpClientConfig(proxy_from_environment=True)) as get:
                assert await get("http://elsewhere.invalid/") == "proxy"
            async with fetching(HttpClientConfig()) as get:
                with pytest.raises(ScrapeError, match="no such host"):
                    await get("http://elsewhere.invalid/")

    asyncio.run(story())


def test_headers_for_the_proxy_go_with_its_connect_request() -> None:
    heard = asyncio.Queue[bytes]()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        config = HttpClientConfig(proxy_url=url, proxy_connect_header={"X-Team": ("a", "b")})
        async with server, fetching(config) as get:
            with pytest.raises(ScrapeError, match="403"):
                await get("https://target/metrics")
        request = await heard.get()
        assert request.startswith(b"CONNECT target:443 ")
        assert b"X-Team: a, b\r\n" in request

    asyncio.run(story())


def test_token_is_fetched_once_for_all_targets_of_a_job(tmp_path: Path) -> None:
    asked = []

    async def token(request: web.Request) -> web.Response:
        asked.append(dict(await request.post()))
        return web.json_response({"access_token": f"t{len(asked)}", "expires_in": 3600})

    async def story() -> None:
        secret = tmp_path / "secret"
        secret.write_text("one\n")
        async with serving(token) as token_url, serving(hello) as url:
            oauth2 = OAuth2Config(client_id="me", client_secret_file=str(secret), token_url=token_url)
            async with fetching(HttpClientConfig(oauth2=oauth2)) as get:
                answers = await asyncio.gather(*(get(url) for _ in range(5)))
                assert answers == ["hello Bearer t1"] * 5
                secret.write_text("two\n")
                assert await get(url) == "hello Bearer t2"

    asyncio.run(story())
    assert asked == [{"grant_type": "client_credentials"}] * 2
