"""What a test on the fake costs, beside a Prometheus that is started for it."""

import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.measure import median_seconds, ms, print_table
from benchmarks.programs import PROMETHEUS, running
from miniprom.testing import FakePrometheus, Prometheus, ServerProcess
from miniprom.testing.remote_write import HEADERS, write_request

PLUGIN = "miniprom.testing.plugin"
QUERY = "sum by (code) (rate(http_requests_total[5m]))"
RATE = 10 / 15
INTERVAL_SECONDS = 15
SAMPLES = 61


def main(*, repeat: int = 21) -> None:
    """The parts of a test, then a whole one."""
    with ServerProcess() as server, server.client() as fake:
        rows = [
            ["import of the plugin, on top of pytest", ms(_import_seconds())],
            ["session start", ms(median_seconds(_start, repeat=3))],
            ["session start and the first query", ms(median_seconds(_start_and_query, repeat=3))],
            *([name, ms(median_seconds(part, repeat=repeat))] for name, part in parts(fake).items()),
        ]
        print_table("A fake Prometheus", ["", "wall"], rows)
        tests: dict[str, Callable[[], object]] = {"the fake": lambda: ask_fake(fake)}
        if PROMETHEUS.is_installed:
            tests["a fresh prometheus process"] = ask_fresh_prometheus
        seconds = [median_seconds(test, repeat=repeat) for test in tests.values()]
    rows = [[name, ms(each), f"{each / seconds[0]:.1f} x"] for name, each in zip(tests, seconds, strict=True)]
    print_table("A test: nothing before, one load, one query", ["", "wall", ""], rows)


def parts(fake: FakePrometheus) -> dict[str, Callable[[], object]]:
    """By name, what tests do with a fake."""
    return {
        "reset": fake.reset,
        "load of 1,000 series x 2 h": lambda: load_much(fake),
        "query round trip": lambda: fake.query("vector(1)"),
    }


def load_much(fake: FakePrometheus) -> None:
    fake.reset()
    assert fake.load({'http_requests_total{pod="p-{i}"}': "0+10x479"}, count=1000).samples == 480_000


def ask_fake(fake: FakePrometheus) -> None:
    fake.reset()
    fake.load({'http_requests_total{code="500"}': f"0+10x{SAMPLES - 1}"})
    _check(fake)


def ask_fresh_prometheus() -> None:
    with running(PROMETHEUS) as server, Prometheus(server.url) as client:
        now = int(time.time())
        times = (now - (SAMPLES - 1 - number) * INTERVAL_SECONDS for number in range(SAMPLES))
        rows = [(time * 1000, 10.0 * number) for number, time in enumerate(times)]
        labels = {"__name__": "http_requests_total", "code": "500"}
        server.post("/api/v1/write", write_request([(labels, rows)]), HEADERS)
        _check(client)


def _check(server: Prometheus) -> None:
    assert abs(server.query(QUERY).by("code")["500"] - RATE) < 1e-9


def _start() -> None:
    with ServerProcess():
        pass


def _start_and_query() -> None:
    with ServerProcess() as server, server.client() as fake:
        fake.load({"up": 1})
        assert fake.query("sum(up)").scalar() == 1


def _import_seconds() -> float:
    """As `-X importtime` tells; what pytest imports itself is not counted."""
    command = [sys.executable, "-I", "-X", "importtime", "-c", f"import pytest, {PLUGIN}"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
    *_, (_, microseconds, _) = (line.split("|") for line in lines if line.endswith(f" {PLUGIN}"))
    return int(microseconds) / 1e6
