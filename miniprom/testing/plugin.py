"""The pytest plugin: fixtures, marker and options. It imports nothing of the client until a test asks."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from miniprom.testing import items

if TYPE_CHECKING:
    from miniprom.testing.client import FakePrometheus
    from miniprom.testing.prometheus import Prometheus
    from miniprom.testing.server import Server
    from miniprom.testing.session import Load
    from miniprom.testing.times import Time
    from miniprom.testing.watch import Watch

WATCH: "Final[pytest.StashKey[Watch]]" = pytest.StashKey()
"""On an item: what is watched while it runs; absent if it uses none of the fixtures."""

_MARKER: Final = (
    "prometheus(strict=None, start=None, load=None): how the fixture `prometheus` begins. strict fails the"
    " test for queries of metrics that were never there, and for errors that it did not expect; start is a"
    " time for the clock; load is what it holds"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and ini settings."""
    group = parser.getgroup("prometheus", "a fake Prometheus for tests")
    group.addoption("--prometheus-url", metavar="URL", help="run the tests against a real server")
    parser.addini("prometheus_strict", "tests are strict, unless marked otherwise", "bool", False)
    parser.addini("prometheus_in_process", "the fake runs in a thread, not a process", "bool", False)
    items.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Tests of rules and of queries, where they are asked for."""
    return items.collect_file(file_path, parent)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What no test made rules do, where that is asked for."""
    for line in items.coverage_lines(config):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def prometheus_server(request: pytest.FixtureRequest) -> "Iterator[Server]":
    """What serves the session, or one worker of xdist."""
    from miniprom.testing.session import new_server  # noqa: PLC0415  costs nothing until used

    server = new_server(request.config)
    yield server
    server.stop()


@pytest.fixture
def prometheus(request: pytest.FixtureRequest, prometheus_server: "Server") -> "Iterator[FakePrometheus]":
    """A Prometheus that is as new in each test: it holds what the test loads, and its clock stands still."""
    from miniprom.testing.session import begin, marked  # noqa: PLC0415

    marks = marked(request.node)
    with begin(request, prometheus_server, start=marks.start, load=marks.load) as client:
        yield client


def fixture(*, start: "Time | None" = None, load: "Load" = None) -> Any:
    """A fixture like `prometheus` for a further server, which begins with a load. Its name names the server.

    prometheus_eu = miniprom.testing.fixture(load={'up{region="eu"}': "1x10"})
    """

    @pytest.fixture
    def further(request: pytest.FixtureRequest, prometheus_server: "Server") -> "Iterator[FakePrometheus]":
        """A further server, which begins as `miniprom.testing.fixture` was told."""
        from miniprom.testing.session import begin  # noqa: PLC0415

        assert request.fixturename
        with begin(request, prometheus_server, request.fixturename, start=start, load=load) as client:
            yield client

    return further


@pytest.fixture
def prometheus_named(
    request: pytest.FixtureRequest, prometheus_server: "Server"
) -> "Iterator[Callable[[str], FakePrometheus]]":
    """A function from names to further servers, each with a port of its own, as new in each test."""
    from miniprom.testing.session import begin  # noqa: PLC0415

    with ExitStack() as stack:
        yield cache(lambda name: stack.enter_context(begin(request, prometheus_server, name)))


@pytest.fixture
def prometheus_external(request: pytest.FixtureRequest) -> "Iterator[Prometheus]":
    """The real server that `--prometheus-url` names; without one the test is skipped."""
    from miniprom.testing.prometheus import Prometheus  # noqa: PLC0415

    url = request.config.getoption("prometheus_url")
    if not url:
        pytest.skip("needs a real server: --prometheus-url")
    with Prometheus(url) as client:
        yield client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that passed fails if its server died, or strict mode found something."""
    result = yield
    if WATCH in item.stash:
        item.stash[WATCH].verify()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a failure tells what the servers were asked, and why answers were empty."""
    report = yield
    if report.failed and report.when != "teardown" and WATCH in item.stash:
        report.sections.extend(item.stash[WATCH].sections())
    return report
