import pytest

from query.language import EVERYTHING, parse
from query.plan import PlanNode, QueryWindow, build_plan, shared_parts
from query.plan.nodes import FunctionCall, InstantSelect
from tests.query.execution.asking import ENGINE, every, instants, snapshot_of


def shared(text: str) -> set[PlanNode]:
    window = QueryWindow(0, 60_000, 15_000)
    plan = build_plan(parse(text, EVERYTHING), window, default_subquery_step_ms=60_000)
    return set(shared_parts(plan).values())


def test_equal_selectors_are_shared_wherever_they_stand() -> None:
    (part,) = shared("x / on() group_left() sum(x)")
    assert isinstance(part, InstantSelect)


def test_equal_functions_of_ranges_are_shared() -> None:
    (part,) = shared("stddev(irate(x[5m])) / count(irate(x[5m]))")
    assert isinstance(part, FunctionCall)


@pytest.mark.parametrize(
    "text", ["x + y", "x + x offset 1m", "rate(x[5m]) + rate(x[1m])", "rate(x[5m]) + irate(x[5m])", "1 + 1"]
)
def test_parts_that_differ_are_not_shared(text: str) -> None:
    assert shared(text) == set()


def test_shared_selector_is_evaluated_again_at_the_other_steps_of_a_subquery() -> None:
    snapshot = snapshot_of({"x": every(10_000, [1.0, 5.0, 2.0])})
    assert instants(ENGINE.instant(snapshot, "x - on() max_over_time(x[30s:10s])", 20_000)) == {"": -3.0}


def test_shared_part_is_read_once() -> None:
    snapshot = snapshot_of({"x": every(10_000, [1.0, 5.0, 2.0])})
    window = QueryWindow(20_000, 20_000, 0)
    first, again = ENGINE.explain(snapshot, "sum(x) / sum(x)", window, seconds=lambda: 0.0).operands
    assert (first.measured is None, again.measured is None) == (False, True)


def test_shared_part_counts_in_the_statistics_wherever_it_stands() -> None:
    snapshot = snapshot_of({"x": every(10_000, [1.0, 5.0, 2.0])})
    assert ENGINE.instant(snapshot, "sum(x) / sum(x)", 20_000).stats.total_samples == 2
