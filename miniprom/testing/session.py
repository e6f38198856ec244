"""From pytest's session, options and markers to servers, and to clients that begin as new."""

import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from miniprom.testing.client import FakePrometheus
from miniprom.testing.errors import TestingError, UnreachableError
from miniprom.testing.loading import Values
from miniprom.testing.plugin import WATCH
from miniprom.testing.process import ServerLeakWarning, ServerProcess
from miniprom.testing.server import Server
from miniprom.testing.times import Time
from miniprom.testing.watch import Watch

LoadOne: TypeAlias = Mapping[str, Values] | str | Path | Callable[[FakePrometheus], object]
Load: TypeAlias = LoadOne | Sequence[LoadOne] | None
"""What a server begins with: what `FakePrometheus.load` takes; a file, relative to pytest's root: a recording
(.json, .json.gz), a script (.test) or a metrics page; a function that loads; or several of these."""


def new_server(config: pytest.Config) -> Server:
    """As the options say: a process, a thread, or the real server."""
    url: str | None = config.getoption("prometheus_url")
    if url:
        from miniprom.testing.external import RealServer  # noqa: PLC0415

        return RealServer(url)
    if config.getini("prometheus_in_process"):
        from miniprom.testing.thread import ServerThread  # noqa: PLC0415  numpy and all, in this process

        return ServerThread(math.floor(time.time()) * 1000)
    return ServerProcess()


@dataclass(frozen=True)
class Marks:
    """The arguments of the marker."""

    strict: bool | None = None
    start: Time | None = None
    load: Load = None


def marked(node: pytest.Item) -> Marks:
    """What the nearest marker says."""
    marker = node.get_closest_marker("prometheus")
    if marker is None:
        return Marks()
    try:
        return Marks(*marker.args, **marker.kwargs)
    except TypeError:
        given = ", ".join([*map(repr, marker.args), *marker.kwargs])
        raise TestingError(
            f"the marker prometheus takes the keywords strict, start and load, not ({given})"
        ) from None


@contextmanager
def begin(
    request: pytest.FixtureRequest,
    server: Server,
    tenant: str | None = None,
    *,
    start: Time | None = None,
    load: Load = None,
) -> Iterator[FakePrometheus]:
    """A client of a server that is as new, watched while the test runs.

    Without a start its clock stands where the test's own does, frozen or not, at the start of the second.
    """
    with _as_new(server, tenant) as client:
        if server.keeps_journal:
            _watch(request, server).clients.append(client)
        if start is not None:
            client.clock.set(start)
        several = load if isinstance(load, Sequence) and not isinstance(load, str) else [load]
        for one in several:
            _load(client, one, request.config.rootpath)
        yield client


def _as_new(server: Server, tenant: str | None) -> FakePrometheus:
    if server.death():
        server.restart()
    try:
        return _reset(server, tenant)
    except UnreachableError as error:
        server.restart()
        warnings.warn(f"the fake Prometheus was replaced: {error}", ServerLeakWarning, 2)
        return _reset(server, tenant)


def _reset(server: Server, tenant: str | None) -> FakePrometheus:
    client = server.client(tenant)
    try:
        client.reset(math.floor(time.time()))
    except TestingError:
        client.close()
        raise
    return client


def _watch(request: pytest.FixtureRequest, server: Server) -> Watch:
    node = request.node
    strict = marked(node).strict
    if strict is None:
        strict = request.config.getini("prometheus_strict")
    watch: Watch = node.stash.setdefault(WATCH, Watch(server, strict))
    return watch


def _load(client: FakePrometheus, load: LoadOne | None, root: Path) -> None:
    match load:
        case None:
            pass
        case Path():
            _load_file(client, root / load)
        case str() | Mapping():
            client.load(load)
        case _:
            load(client)


def _load_file(client: FakePrometheus, file: Path) -> None:
    if file.name.endswith((".json", ".json.gz")):
        client.load_recording(file)
    elif file.suffix == ".test":
        client.load_script(file.read_text())
    else:
        client.load_openmetrics(file.read_text())
