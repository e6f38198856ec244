"""The fixtures as tests use them: these tests are their users."""

import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import freezegun
import pytest
import time_machine

import miniprom.testing
from miniprom.testing import FakePrometheus, ServerProcess

PAGE = Path(__file__).parent / "page.txt"
LOADS = ["x 5", {"x": 5}, PAGE, lambda server: server.load({"x": 5}), [{"x": 5}, "y 1"]]
FREEZERS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "freezegun": lambda: freezegun.freeze_time("2020-01-01"),
    "time_machine": lambda: time_machine.travel("2020-01-01", tick=False),
}

prometheus_eu = miniprom.testing.fixture(load={'up{region="eu"}': "1x10"})
prometheus_past = miniprom.testing.fixture(start=1000)


@pytest.mark.parametrize("value", [1, 2])
def test_each_test_has_an_empty_server(prometheus: FakePrometheus, value: int) -> None:
    assert not prometheus.query("x")
    prometheus.load({"x": value})
    assert prometheus.query("x").scalar() == value


def test_the_clock_begins_at_the_second_of_the_test_and_stands_still(prometheus: FakePrometheus) -> None:
    now = prometheus.now()
    assert -2 < now - time.time() <= 0
    assert now == int(now)
    time.sleep(0.01)
    assert prometheus.clock.now() == now
    assert prometheus.clock.advance("10m") == now + 600


@pytest.mark.prometheus(start="2020-01-01T00:00:00Z")
def test_the_marker_sets_the_clock(prometheus: FakePrometheus) -> None:
    assert prometheus.now() == 1577836800


@pytest.mark.parametrize(
    "load", [pytest.param(load, marks=pytest.mark.prometheus(load=load)) for load in LOADS], ids=type
)
def test_the_marker_loads(prometheus: FakePrometheus, load: object) -> None:
    assert prometheus.query("x").scalar() == 5


def test_further_servers_have_addresses_clocks_and_samples_of_their_own(
    prometheus: FakePrometheus, prometheus_eu: FakePrometheus, prometheus_past: FakePrometheus
) -> None:
    assert len({prometheus.url, prometheus_eu.url, prometheus_past.url}) == 3
    assert prometheus_past.now() == 1000
    assert prometheus_eu.query("up").by("region") == {"eu": 1}
    assert not prometheus.query("up")
    assert not prometheus_past.query("up")
    prometheus_eu.load("more 1")


def test_further_servers_are_new_in_each_test(prometheus_eu: FakePrometheus) -> None:
    assert prometheus_eu.query("up").by("region") == {"eu": 1}
    assert not prometheus_eu.query("more")


def test_servers_can_be_named_in_a_test(prometheus_named: Callable[[str], FakePrometheus]) -> None:
    third, fourth = prometheus_named("third"), prometheus_named("fourth")
    third.load("x 3")
    assert prometheus_named("third").query("x").scalar() == 3
    assert not fourth.query("x")


@pytest.mark.parametrize("freezer", FREEZERS)
def test_a_frozen_clock_stops_neither_client_nor_server(prometheus: FakePrometheus, freezer: str) -> None:
    before = prometheus.now()
    with FREEZERS[freezer]():
        prometheus.load("x 1")
        assert prometheus.query("x").scalar() == 1
        assert prometheus.clock.advance("1m") == before + 60


def test_a_server_starts_and_stops_while_the_clock_is_frozen() -> None:
    with freezegun.freeze_time("2020-01-01"), ServerProcess() as server, server.client() as client:
        assert client.query("vector(1)").scalar() == 1


def test_only_loopback_is_asked_for(prometheus: FakePrometheus, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *arguments: object, **keywords: object) -> object:
        asked.append(host)
        return real(host, *arguments, **keywords)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with FakePrometheus(prometheus.url) as client:
        client.query("vector(1)")
    assert asked == ["127.0.0.1"]
