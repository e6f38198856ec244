"""Which queries the event loop answers itself."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from miniprom.api.light import Asked, LightQueries
from query import Control
from tests.miniprom.api.harness import Api, serving

CHEAP = 0.0001


def asked(text: str) -> Asked:
    return Asked(text, 0, 0, None)


def answered(light: LightQueries, text: str) -> bool:
    return light.attempt(asked(text), lambda _: "answer") == "answer"


def test_query_that_was_never_evaluated_is_not_light() -> None:
    assert not answered(LightQueries(), "up")


@pytest.mark.parametrize(("cpu_seconds", "is_light"), [(0.002, True), (0.0021, False)])
def test_query_is_light_up_to_two_milliseconds(cpu_seconds: float, is_light: bool) -> None:
    light = LightQueries()
    light.evaluated(asked("up"), cpu_seconds)
    assert answered(light, "up") is is_light


def test_newest_evaluation_decides() -> None:
    light = LightQueries()
    light.evaluated(asked("up"), CHEAP)
    light.evaluated(asked("up"), 0.1)
    assert not answered(light, "up")


def test_query_over_another_range_is_another_query() -> None:
    light = LightQueries()
    light.evaluated(asked("up"), CHEAP)
    assert light.attempt(Asked("up", 3_600_000, 15_000, None), lambda _: "answer") is None


def test_query_that_has_become_heavy_is_left_to_the_workers() -> None:
    def work(control: Control) -> str:
        control.check()
        time.sleep(0.005)
        control.check()
        raise AssertionError("it was not stopped")

    light = LightQueries()
    light.evaluated(asked("up"), CHEAP)
    assert light.attempt(asked("up"), work) is None


def test_long_text_is_not_remembered() -> None:
    light = LightQueries()
    light.evaluated(asked("up" + " " * 4095), CHEAP)
    assert not answered(light, "up" + " " * 4095)


def test_query_that_was_not_asked_for_a_thousand_others_is_forgotten() -> None:
    light = LightQueries()
    for number in range(1024):
        light.evaluated(asked(str(number)), CHEAP)
    light.evaluated(asked("0"), CHEAP)
    light.evaluated(asked("up"), CHEAP)
    assert [answered(light, text) for text in ("0", "1", "2")] == [True, False, True]


@pytest.fixture
def served() -> Iterator[Api]:
    with serving() as api:
        api.add({"__name__": "up", "job": "a"}, [(0, 1)])
        yield api


@pytest.fixture
def visits(served: Api, monkeypatch: pytest.MonkeyPatch) -> list[Callable[..., Any]]:
    """The work that was given to the workers."""
    workers, given = served.server.services.workers, list[Callable[..., Any]]()
    run_query = workers.run_query

    async def noted(work: Callable[[Control], Any], timeout_ms: float) -> Any:
        given.append(work)
        return await run_query(work, timeout_ms)

    monkeypatch.setattr(workers, "run_query", noted)
    return given


def test_light_query_visits_a_worker_once(served: Api, visits: list[Callable[..., Any]]) -> None:
    for _ in range(3):  # the very first evaluation imports the evaluator
        first = served.query("up")
    assert len(visits) <= 2
    before = len(visits)
    assert served.query("up") == first
    assert len(visits) == before


def test_short_timeout_is_left_to_the_workers(served: Api, visits: list[Callable[..., Any]]) -> None:
    for _ in range(3):
        served.query("up")
    before = len(visits)
    assert served.get("/api/v1/query", {"query": "up", "timeout": "0ms"}).json["errorType"] == "timeout"
    assert len(visits) == before + 1
