import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from miniprom.testing import TestingError, UnreachableError
from miniprom.testing.transport import USER_AGENT, Transport


class Echo(BaseHTTPRequestHandler):
    """Answers with the client's port and user agent; what the paths are called tells how."""

    all_are_here = threading.Barrier(4)

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/together":
            self.all_are_here.wait(timeout=5)
        body = f"{self.client_address[1]} {self.headers['User-Agent']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) * 2 if self.path.startswith("/half") else len(body)))
        if self.path == "/polite":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.path.startswith(("/close", "/half", "/polite"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the signature of the base class
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def transport(url: str) -> Iterator[Transport]:
    made = Transport(url, timeout=5)
    yield made
    made.close()


def port_used(transport: Transport, path: str = "/") -> str:
    return transport.request("GET", path).body.split()[0].decode()


def test_a_connection_is_used_again(transport: Transport) -> None:
    assert port_used(transport) == port_used(transport)


@pytest.mark.parametrize("path", ["/close", "/polite"])
def test_a_connection_that_the_server_closed_is_not_used_again(transport: Transport, path: str) -> None:
    first = port_used(transport, path)
    time.sleep(0.05)  # until the end of the connection has come
    assert port_used(transport) != first


def test_threads_that_ask_at_once_have_connections_of_their_own(transport: Transport) -> None:
    with ThreadPoolExecutor(4) as threads:
        ports = list(threads.map(port_used, [transport] * 4, ["/together"] * 4))
    assert len(set(ports)) == 4


def test_a_fork_has_connections_of_its_own(transport: Transport) -> None:
    mine = port_used(transport)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, port_used(transport).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        theirs = pipe.read()
    os.waitpid(child, 0)
    assert theirs.isdigit()
    assert theirs != mine
    assert port_used(transport) == mine


def test_requests_name_the_client(transport: Transport) -> None:
    assert transport.request("GET", "/").body.split()[1].decode() == USER_AGENT


def test_half_an_answer_is_an_error(transport: Transport) -> None:
    with pytest.raises(UnreachableError, match=r"GET http://127.0.0.1:\d+/half: IncompleteRead"):
        transport.request("GET", "/half?query=left+out")


def test_a_closed_transport_keeps_no_connections(transport: Transport) -> None:
    transport.close()
    first = port_used(transport)
    assert port_used(transport) != first


@pytest.mark.parametrize("url", ["localhost:9090", "https://localhost", "http://", "ftp://localhost"])
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(TestingError, match=f'^"{url}" is no URL of a server; expected one such as http://'):
        Transport(url)
