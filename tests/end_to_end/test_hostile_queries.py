"""A server answers hostile queries as Prometheus does, in bounded time and memory."""

import json
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from benchmarks.data import counters, merged, pod_info, remote_write_requests
from tests.end_to_end.programs import eventually, fetch, miniprom

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SERIES = 1_500
ROWS = 120
INTERVAL_MS = 15_000
MAX_SAMPLES = 2_000_000
LIMIT_BYTES = 350_000_000
PATIENCE_SECONDS = 8.0
FLAGS = (
    "--web.enable-remote-write-receiver",
    "--storage.tsdb.path=",
    f"--query.max-samples={MAX_SAMPLES}",
    "--enable-feature=promql-experimental-functions",
)
HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}

TOO_MANY = (422, "execution", "query processing would load too many samples into memory in query execution")
TOO_DEEP = (400, "bad_data", "expression is nested more than 200 levels deep")
OUT_OF_RANGE = (400, "bad_data", "duration out of range")
TIMED_OUT = (503, "timeout", "query timed out in expression evaluation")
FINE = (200, "", "")


class Case(NamedTuple):
    """A query, what it is answered with, and the parameters in which it differs from an instant query."""

    query: str
    answer: tuple[int, str, str]
    params: dict[str, str]


def instant(query: str, answer: tuple[int, str, str] = FINE, **params: str) -> Case:
    return Case(query, answer, params)


def over(seconds: int, step: str, query: str, answer: tuple[int, str, str], **params: str) -> Case:
    """A range query that ends with the data."""
    return Case(query, answer, {"seconds": str(seconds), "step": step, **params})


CASES = [
    over(10_000, "1", '{__name__=~".+"}', TOO_MANY),
    over(10_000, "1", 'rate({__name__=~".+"}[1h])', TOO_MANY),
    over(10_000, "1", 'sum by (pod, path) ({__name__=~".+"})', TOO_MANY),
    over(10_000, "1", 'count_values("v", requests_total)', TOO_MANY),
    over(900, "1", 'count_values("v", requests_total)', FINE),
    over(10_000, "1", "requests_total or -requests_total", TOO_MANY),
    over(900, "1", "mad_over_time(requests_total[30m])", TIMED_OUT, timeout="0.2"),
    over(900, "1", "quantile_over_time(0.9, requests_total[30m])", TIMED_OUT, timeout="0.2"),
    over(10_000, "0.1", "vector(1)", (400, "bad_data", "exceeded maximum resolution of 11,000 points")),
    over(10_000, "1e300", "vector(1)", (400, "bad_data", 'invalid parameter "step"')),
    over(10_000, "-1", "vector(1)", (400, "bad_data", "zero or negative query resolution step widths")),
    instant("requests_total", (400, "bad_data", 'invalid parameter "time"'), time="1e300"),
    instant("requests_total * on(job) requests_total", (422, "execution", "found duplicate series")),
    instant('requests_total * on() group_left topk(1, pod_info{pod="pod-1"})'),
    instant("requests_total * on(job) group_left(team) (pod_info or requests_total)", (422, "execution", "")),
    instant("max_over_time(max_over_time(requests_total[30m:1s])[30m:1s])", TOO_MANY),
    instant("max_over_time(max_over_time(vector(1)[100y:1s])[100y:1s])", TOO_MANY),
    instant("count_over_time(vector(1)[292y:1ms])", TOO_MANY),
    instant("count_over_time(requests_total[10m:1e-9])"),
    instant("rate(requests_total[1e300])", OUT_OF_RANGE),
    instant("requests_total offset 1e300", OUT_OF_RANGE),
    instant("max_over_time(requests_total[5m:1e300])", OUT_OF_RANGE),
    instant("requests_total @ 1e300", (400, "bad_data", "timestamp out of bounds for @ modifier")),
    instant("rate(requests_total[292y] offset -292y)"),
    instant("requests_total offset 292y @ 9223372036854775"),
    instant("topk(1e300, requests_total)", (422, "execution", "Scalar value 1e+300 overflows int64")),
    instant("limitk(9223372036854774784, requests_total)"),
    instant("(" * 20_000 + "1" + ")" * 20_000, TOO_DEEP),
    instant("abs(" * 5_000 + "up" + ")" * 5_000, TOO_DEEP),
    instant("1" + "^1" * 20_000, TOO_DEEP),
    instant("up" * 100_000, (400, "bad_data", "is longer than 131072")),
    instant('requests_total{path=~"' + "|".join(f"x{n}.*y" for n in range(10_000)) + '"}'),
    instant('requests_total{path=~"(.*a){1000}.*(.*b){1000}"}'),
    instant(
        'requests_total{path=~"(((a{1,100}){1,100}){1,100})"}', (400, "bad_data", "invalid repeat count")
    ),
    instant('requests_total{path=~".*.*.*.*.*.*.*.*.*.*.*.*.*.*.*x"}'),
    instant(f'label_replace(requests_total, "x", "{"$0" * 10_000}", "path", ".*")'),
    instant(
        f'label_replace(requests_total, "x", "{"$0" * 60_000}", "instance", ".*")', (422, "execution", "")
    ),
]


@dataclass(frozen=True)
class Server:
    """A running server with data that ends at `end` (Unix seconds)."""

    url: str
    pid: int
    end: int

    def ask(self, case: Case) -> tuple[int, dict[str, Any]]:
        """Status and body; the body of a good answer, which may be large, is read but not decoded."""
        seconds = int(case.params.get("seconds", "0"))
        params = {"query": case.query, "time": str(self.end)}
        if seconds:
            params |= {"start": str(self.end - seconds), "end": str(self.end)}
        params |= case.params
        path = "query_range" if seconds else "query"
        request = Request(f"{self.url}/api/v1/{path}", urlencode(params).encode())
        try:
            with urlopen(request, timeout=60) as response:
                while response.read(1 << 20):
                    pass
                return response.status, {}
        except HTTPError as error:
            return error.code, json.load(error)

    def peak_bytes(self) -> int:
        """The most memory that was ever resident."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        kilobytes = next(line for line in lines if line.startswith("VmHWM:")).split()[1]
        return int(kilobytes) * 1024

    def metric(self, name: str) -> float:
        lines = fetch(f"{self.url}/metrics").splitlines()
        return float(next(line for line in lines if line.startswith(name + " ")).split()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    end = int(time.time() * 1000) // INTERVAL_MS * INTERVAL_MS
    grid = {"end_ms": end, "rows": ROWS, "interval_ms": INTERVAL_MS}
    data = merged(counters(SERIES, **grid), pod_info(**grid))
    with miniprom("", tmp_path_factory.mktemp("hostile"), *FLAGS) as (url, process):
        for body in remote_write_requests(data, rows=ROWS, series=len(data.series)):
            urlopen(Request(f"{url}/api/v1/write", body, HEADERS), timeout=20).close()
        yield Server(url, process.pid, end // 1000)


@pytest.mark.parametrize("case", CASES, ids=[case.query[:60] for case in CASES])
def test_hostile_query_is_answered_soon_and_a_simple_one_after_it(server: Server, case: Case) -> None:
    status, error_type, message = case.answer
    begin = time.monotonic()
    found, body = server.ask(case)
    assert time.monotonic() - begin < PATIENCE_SECONDS
    assert (found, body.get("errorType", "")) == (status, error_type), body
    assert message in body.get("error", "")
    assert server.ask(instant("sum(pod_info)"))[0] == 200
    assert server.peak_bytes() < LIMIT_BYTES


def test_client_that_leaves_cancels_its_query(server: Server) -> None:
    slow = "mad_over_time(requests_total[30m])"
    params = {"query": slow, "start": server.end - 900, "end": server.end, "step": 1}
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(f"GET /api/v1/query_range?{urlencode(params)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        eventually(lambda: server.metric("prometheus_engine_queries"), lambda running: running == 1)
        assert server.ask(instant("sum(pod_info)"))[0] == 200
    begin = time.monotonic()
    eventually(lambda: server.metric("prometheus_engine_queries"), lambda running: running == 0)
    assert time.monotonic() - begin < PATIENCE_SECONDS
