"""Debian's Prometheus with half an hour of samples."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from benchmarks.data import remote_write_requests, stored
from benchmarks.programs import PROMETHEUS, running
from benchmarks.queries import REMOTE_WRITE_HEADERS
from miniprom.promqltest.loading import load
from miniprom.promqltest.parser import parse_script
from miniprom.promqltest.statements import Load
from tsdb import Store

SCRIPT = """
load 15s
  http_requests_total{pod="a",code="200"} 0+15x120
  http_requests_total{pod="a",code="500"} 0+1x120
  http_requests_total{pod="b",code="200"} 0+30x60 0+30x59
  restarted{pod="a"} 1x20 stale _x20 2x78
  finished{pod="a"} 7x100 stale
  silent{pod="a"} 7x60

load 1m
  slow_total 0+1x30
"""
LENGTH_MS = 120 * 15_000
AGE_MS = 3_210
"""No sample stands where a range begins: Prometheus 2 counts it, 3 and miniprom don't."""


@dataclass(frozen=True)
class Peer:
    """A server with the samples of the script, the last of them shortly before `now_ms`."""

    url: str
    now_ms: int

    def at(self, seconds_ago: int) -> str:
        return str(self.now_ms // 1000 - seconds_ago)


@pytest.fixture(scope="package")
def prometheus() -> Iterator[Peer]:
    now_ms = int(time.time()) // 60 * 60_000
    store = Store(retention_ms=None)
    for statement in parse_script(SCRIPT, "samples").statements:
        assert isinstance(statement, Load)
        load(store, statement, start_ms=now_ms - LENGTH_MS - AGE_MS)
    with running(PROMETHEUS) as server:
        for dataset in stored(store):
            for body in remote_write_requests(dataset):
                server.post("/api/v1/write", body, REMOTE_WRITE_HEADERS)
        yield Peer(server.url, now_ms)
