"""Both programs with the samples, and how many queries are generated."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks.data import remote_write_requests
from benchmarks.programs import MINIPROM, PROMETHEUS, Program, Running, running
from benchmarks.queries import REMOTE_WRITE_HEADERS
from tests.differential.samples import datasets

_OURS = replace(
    MINIPROM,
    arguments=lambda config, data, port: [
        *MINIPROM.arguments(config, data, port),
        "--storage.tsdb.retention.time=100y",
        "--enable-feature=promql-experimental-functions",
    ],
)


@pytest.fixture(scope="package")
def prometheus() -> Iterator[Running]:
    """Debian's Prometheus."""
    if not PROMETHEUS.is_installed:
        pytest.skip("prometheus is not installed")
    yield from _with_samples(PROMETHEUS)


@pytest.fixture(scope="package")
def miniprom() -> Iterator[Running]:
    """Our server; what is asked in-process needs none."""
    yield from _with_samples(_OURS)


def _with_samples(program: Program) -> Iterator[Running]:
    with running(program) as server:
        for data in datasets():
            for body in remote_write_requests(data):
                server.post("/api/v1/write", body, REMOTE_WRITE_HEADERS)
        yield server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`number` runs over the generated queries: MINIPROM_GENERATED_QUERIES of them."""
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", range(int(os.environ.get("MINIPROM_GENERATED_QUERIES", "250"))))
