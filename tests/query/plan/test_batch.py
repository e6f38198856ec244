import pytest

from query.errors import PlanError
from query.language import EVERYTHING, parse
from query.plan import Batch
from query.plan.nodes import InstantSelect, Invariant, Number


def batch(*texts: str) -> Batch:
    return Batch([parse(text, EVERYTHING) for text in texts], default_subquery_step_ms=60_000)


@pytest.mark.parametrize("text", ["x", "x @ 5", "x[5m:] offset -1m", "sum(rate(x[2 * 1m]))", "time()"])
def test_queries_are_planned_once(text: str) -> None:
    queries = batch("y", text)
    assert queries.planned(1_000) is queries.planned(2_000)


@pytest.mark.parametrize(
    "text",
    ["start()", "-abs(vector(end()))", "x @ start()", "sum(rate(x[5m:] @ end()))", "rate(x[range() + 1m])"],
)
def test_queries_that_name_their_time_are_planned_each_time(text: str) -> None:
    queries = batch("y", text)
    assert queries.planned(1_000) is not queries.planned(2_000)


def test_plan_has_the_time_of_its_evaluation() -> None:
    queries = batch("start()", "x @ end()")
    queries.planned(1_000)
    number, selector = queries.planned(2_000).plans
    assert number == Number(2.0)
    assert isinstance(selector, Invariant)
    assert isinstance(selector.operand, InstantSelect)
    assert selector.operand.at_ms == 2_000


def test_query_that_cannot_be_planned_leaves_the_others_alone() -> None:
    failed, sound = batch("rate(x[step()])", "x").planned(1_000).plans
    assert isinstance(failed, PlanError)
    assert isinstance(sound, InstantSelect)


def test_parts_are_shared_between_queries() -> None:
    planned = batch("sum(x)", "sum(x) > 1").planned(0)
    assert planned.plans[0] in planned.shared.values()


def test_of_ranges_of_one_selector_the_longest_is_told() -> None:
    planned = batch("rate(x[5m])", "rate(x[1h])", "sum(rate(x[30m])) + rate(y[5m])").planned(0)
    assert [node.range_ms for node in planned.widest] == [3_600_000]


def test_ranges_at_other_times_are_not_the_same_selector() -> None:
    planned = batch(
        "rate(x[5m])", "rate(x[1h] offset 1m)", "rate(x[30m] @ 5)", "rate(x[2h] smoothed)"
    ).planned(0)
    assert planned.widest == []
