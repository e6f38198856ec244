"""Which queries the event loop answers itself."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from miniprom.api.light import Asked, Cost, LightQueries
from query import Control
from query.execution.errors import TooManySamplesError
from tests.miniprom.api.harness import Api, serving

CHEAP = Cost(0.0001, 10)


def asked(text: str) -> Asked:
    return Asked(text, 0, 0, None)


def answered(light: LightQueries, text: str) -> bool:
    return light.attempt(asked(text), lambda _: "answer") == "answer"


def test_query_that_was_never_evaluated_is_not_light() -> None:
    assert not answered(LightQueries(), "up")


@pytest.mark.parametrize(
    ("cost", "is_light"),
    [
        (Cost(0.002, 50_000), True),
        (Cost(0.0021, 10), False),
        (Cost(0.0001, 50_001), False),
    ],
)
def test_query_is_light_up_to_two_milliseconds_and_fifty_thousand_samples(cost: Cost, is_light: bool) -> None:
    light = LightQueries()
    light.evaluated(asked("up"), cost)
    assert answered(light, "up") is is_light


def test_newest_evaluation_decides() -> None:
    light = LightQueries()
    light.evaluated(asked("up"), CHEAP)
    light.evaluated(asked("up"), Cost(0.1, 10))
    assert not answered(light, "up")


def test_query_over_another_range_is_another_query() -> None:
    light = LightQueries()
    light.evaluated(asked("up"), CHEAP)
    assert light.attempt(Asked("up", 3_600_000, 15_000, None), lambda _: "answer") is None


def test_query_that_finds_too_many_samples_is_left_to_the_workers() -> None:
    def work(_: Control) -> str:
        raise TooManySamplesError

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


def test_query_that_has_become_heavy_is_answered_by_a_worker(
    served: Api, visits: list[Callable[..., Any]]
) -> None:
    text = "m[5m]"
    for _ in range(3):
        assert served.query(text)["result"] == []
    before = len(visits)
    for number in range(200):
        served.add({"__name__": "m", "n": str(number)}, [(ago, 1) for ago in range(299, 0, -1)])
    assert len(served.query(text)["result"]) == 200
    assert len(visits) == before + 1
