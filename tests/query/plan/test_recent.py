import pytest

from query.errors import ParseError, PlanError
from query.language import EVERYTHING
from query.plan import QueryWindow
from query.plan.recent import Planned, planned

EARLY, LATE = QueryWindow(1_000, 61_000, 15_000), QueryWindow(2_000, 302_000, 30_000)


def plan(text: str, window: QueryWindow) -> Planned:
    return planned(text, window, EVERYTHING, 60_000)


@pytest.mark.parametrize(
    "text", ["x", "x @ 5 offset -1m", "sum by (a) (rate(x[5m])) / y", "max_over_time(x[5m:30s])", "x[2 * 1m]"]
)
def test_plan_of_a_recent_query_is_the_same_for_all_times(text: str) -> None:
    assert plan(text, EARLY) is plan(text, LATE)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "x @ start()",
            "max_over_time(x[5m:30s] @ end())",
            "start()",
            "vector(end())",
            "range()",
            "step() + 1",
        ),
        *(
            "rate(x[step()])",
            "rate(x[2 * (range() + 1m)])",
            "x offset -step()",
            "sum(max_over_time(x[5m:step()]))",
        ),
    ],
)
def test_plan_that_holds_times_of_the_query_is_made_each_time(text: str) -> None:
    assert plan(text, EARLY) != plan(text, LATE)


def test_faults_of_a_query_are_told_each_time() -> None:
    for _ in range(2):
        with pytest.raises(ParseError):
            plan("sum(", EARLY)
        with pytest.raises(PlanError):
            plan("rate(x[5m - 5m])", EARLY)
