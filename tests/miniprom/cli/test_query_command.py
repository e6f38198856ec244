"""`miniprom query`."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest

from miniprom.cli import main

VECTOR = {
    "resultType": "vector",
    "result": [
        {"metric": {"job": "a", "__name__": "up"}, "value": [1700000000, "1"]},
        {"metric": {"__name__": "up", "zone": "z"}, "value": [1700000000.25, "0.5"]},
    ],
}
MATRIX = {
    "resultType": "matrix",
    "result": [{"metric": {"job": "a"}, "values": [[1700000000, "1"], [1700000060, "2"]]}],
}


class Stub:
    """A Prometheus that gives one answer and remembers the request."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: Any = {"status": "success", "data": VECTOR}
        self.path = ""
        self.form: dict[str, list[str]] = {}
        self.url = ""


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            stub.path, stub.form = self.path, parse_qs(self.rfile.read(length).decode())
            self.send_response(stub.status)
            self.end_headers()
            self.wfile.write(json.dumps(stub.answer).encode())

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        stub.url = f"127.0.0.1:{server.server_port}"
        yield stub
        server.shutdown()
        thread.join()


def test_vector_is_printed_as_a_table(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", stub.url, "up"]) == 0
    assert capsys.readouterr().out == (
        "__name__  job  zone  time                      value\n"
        "up        a          2023-11-14T22:13:20Z          1\n"
        "up             z     2023-11-14T22:13:20.250Z    0.5\n"
    )
    assert (stub.path, stub.form) == ("/api/v1/query", {"query": ["up"]})


def test_range_asks_for_a_range_and_prints_a_row_a_point(
    stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.answer["data"] = MATRIX
    assert main(["query", f"http://{stub.url}/", "up", "--start=1", "--end=2", "--format=csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "job,time,value",
        "a,2023-11-14T22:13:20Z,1",
        "a,2023-11-14T22:14:20Z,2",
    ]
    assert stub.path == "/api/v1/query_range"
    assert stub.form == {"query": ["up"], "start": ["1"], "end": ["2"], "step": ["1m"]}


def test_json_is_the_data_as_it_came(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", stub.url, "up", "--format=json"]) == 0
    assert json.loads(capsys.readouterr().out) == VECTOR


def test_warnings_go_to_standard_error(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stub.answer["warnings"] = ["careful"]
    main(["query", stub.url, "up"])
    assert capsys.readouterr().err == "warning: careful\n"


def test_refused_query_tells_why(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stub.status = 400
    stub.answer = {"status": "error", "errorType": "bad_data", "error": "no"}
    assert main(["query", stub.url, "up"]) == 1
    assert capsys.readouterr().err == "miniprom: bad_data: no\n"


def test_refused_query_shows_the_place(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stub.status = 400
    stub.answer = {"status": "error", "errorType": "bad_data", "error": "no"}
    assert main(["query", stub.url, "up{"]) == 1
    assert capsys.readouterr().err == "miniprom: bad_data: no\n  up{\n     ^\n"


def test_server_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "127.0.0.1:1", "up"]) == 1
    assert capsys.readouterr().err.startswith("miniprom: http://127.0.0.1:1: ")


def test_range_needs_both_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "x", "up", "--start=1"]) == 1
    assert capsys.readouterr().err == "miniprom: a range needs both --start and --end\n"


def test_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serv"]) == 2
    assert 'unknown command "serv"' in capsys.readouterr().err
