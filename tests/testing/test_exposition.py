import asyncio
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, MetricsHandler, make_asgi_app, make_wsgi_app

from miniprom.testing import TestingError
from miniprom.testing.exposition import Page, page_of


def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    Counter("jobs", "Done.", registry=made).inc(3)
    return made


def test_a_page_is_taken_as_it_is() -> None:
    assert page_of("up 1\n", "/metrics") == page_of(b"up 1\n", "/metrics") == Page(200, "", "up 1\n")


def test_a_function_gives_the_page() -> None:
    assert page_of(lambda: "up 1\n", "/metrics").body == "up 1\n"


@pytest.mark.parametrize(
    "app",
    [
        registry,
        lambda: make_wsgi_app(registry()),
        lambda: make_asgi_app(registry()),
        lambda: MetricsHandler.factory(registry()),
    ],
)
def test_what_prometheus_client_makes_is_asked_for_its_metrics(app: Callable[[], Any]) -> None:
    page = page_of(app(), "/metrics")
    assert page.status == 200
    assert page.content_type.startswith("text/plain; version=")
    assert "jobs_total 3.0\n" in page.body


def test_a_wsgi_app_is_asked_for_the_path_and_its_answer_closed() -> None:
    events = []

    class Body(list[bytes]):
        def close(self) -> None:
            events.append("closed")

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        events.append(environ["PATH_INFO"])
        start_response("503 Service Unavailable", [("Content-Type", "text/x")])
        return Body([b"a", b"b"])

    assert page_of(app, "/here") == Page(503, "text/x", "ab")
    assert events == ["/here", "closed"]


async def asgi_app(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    assert (await receive())["type"] == "http.request"
    await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/x")]})
    await send({"type": "http.response.body", "body": scope["path"].encode(), "more_body": True})
    await send({"type": "http.response.body", "body": b"!"})


def test_an_asgi_app_is_asked_for_the_path() -> None:
    assert page_of(asgi_app, "/here") == Page(200, "text/x", "/here!")


def test_an_asgi_app_is_asked_from_within_an_event_loop() -> None:
    async def test() -> Page:
        return page_of(asgi_app, "/here")

    assert asyncio.run(test()).body == "/here!"


def test_an_exception_of_an_app_passes_through() -> None:
    async def broken(scope: object, receive: object, send: object) -> None:
        raise LookupError("broken")

    with pytest.raises(LookupError, match=r"^broken$"):
        page_of(broken, "/metrics")


def test_what_can_not_be_scraped_is_named() -> None:
    with pytest.raises(TestingError, match=r"^int can't be scraped; expected a registry, an app, a function"):
        page_of(3, "/metrics")  # type: ignore[arg-type]  # what the test is about
    with pytest.raises(TestingError, match=r"^a function of 1 arguments can't be scraped; expected 0, or 2"):
        page_of(lambda _: "", "/metrics")
    with pytest.raises(TestingError, match=r"^a metrics page is str or bytes, not NoneType$"):
        page_of(lambda: None, "/metrics")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/metrics" else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"jobs 3\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the signature of the base class
        pass


def test_a_handler_of_the_standard_library_answers_without_a_socket() -> None:
    assert page_of(_Handler, "/metrics") == Page(200, "text/plain; version=0.0.4", "jobs 3\n")
    assert page_of(_Handler, "/").status == 404
