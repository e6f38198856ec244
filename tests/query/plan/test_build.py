import pytest

from query.errors import PlanError
from query.language import EVERYTHING, parse
from query.plan import QueryWindow, build_plan
from query.plan.nodes import (
    FunctionCall,
    InstantSelect,
    Invariant,
    Number,
    PlanNode,
    RangeSelect,
    SubqueryRange,
)

WINDOW = QueryWindow(60_000, 120_000, 15_000)


def plan(text: str, window: QueryWindow = WINDOW) -> PlanNode:
    return build_plan(parse(text, EVERYTHING), window, default_subquery_step_ms=60_000)


def selected_range(text: str) -> RangeSelect:
    call = plan(f"rate({text})")
    call = call.operand if isinstance(call, Invariant) else call
    assert isinstance(call, FunctionCall)
    assert isinstance(call.args[0], RangeSelect)
    return call.args[0]


@pytest.mark.parametrize(
    ("duration", "expected_ms"),
    [
        ("5m", 300_000),
        ("1003ms", 1_003),
        ("90", 90_000),
        ("2m * 1.5", 180_000),
        ("step() + 1s", 16_000),
        ("range() / 2", 30_000),
        ("max_of(step(), 1m)", 60_000),
        ("min_of(step(), 1m)", 15_000),
        ("1m % 45s", 15_000),
        ("2 ^ 3", 8_000),
        ("1.003", 1_003),
        ("1.003 * 1", 1_002),  # computed ones are truncated: 1.003 * 1000 is a little less than 1003
        ("(1.003)", 1_002),
        ("min_of(2 ^ 2000, 1m)", 60_000),
    ],
)
def test_range_is_resolved_to_milliseconds(duration: str, expected_ms: int) -> None:
    assert selected_range(f"x[{duration}]").range_ms == expected_ms


@pytest.mark.parametrize(
    ("duration", "message"),
    [
        ("1m - 1m", "duration must be greater than 0"),
        ("1m / (1m - 1m)", "division by zero"),
        ("1m % (1m - 1m)", "modulo by zero"),
        ("2 ^ 2000", "duration is NaN or infinite"),
        ("1e6 * 1e6", "duration is out of range"),
    ],
)
def test_impossible_duration_is_refused(duration: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        plan(f"rate(x[{duration}])")


def test_offset_may_be_negative() -> None:
    assert selected_range("x[1m] offset -(step() * 2)").offset_ms == -30_000


def test_at_start_and_end_become_times() -> None:
    assert selected_range("x[1m] @ start()").at_ms == 60_000
    assert selected_range("x[1m] @ end()").at_ms == 120_000


def test_functions_of_the_query_itself_become_numbers() -> None:
    assert [plan(f"{name}()") for name in ("start", "end", "range", "step")] == [
        Number(60.0),
        Number(120.0),
        Number(60.0),
        Number(15.0),
    ]


def test_step_of_an_instant_query_is_zero() -> None:
    assert plan("step()", QueryWindow(0, 0, 0)) == Number(0.0)


@pytest.mark.parametrize(
    "text",
    [
        "x @ 1",
        "sum(x @ 1)",
        "rate(x[1m] @ 1)",
        "vector(1)",
        "timestamp(x @ 1)",
        "max_over_time(x[5m:1m] @ 1)",
        "-(x @ 1)",
    ],
)
def test_what_is_the_same_at_every_step_is_marked_as_a_whole(text: str) -> None:
    node = plan(text)
    assert isinstance(node, Invariant)
    assert "Invariant" not in repr(node.operand).replace("SubqueryRange(operand=Invariant", "")


@pytest.mark.parametrize(
    "text", ["x", "sum(x)", "time()", "predict_linear(x[1m] @ 1, 5)", "timestamp(abs(x @ 1))", "x + x @ 1"]
)
def test_what_may_differ_from_step_to_step_is_not_marked(text: str) -> None:
    assert not isinstance(plan(text), Invariant)


def test_invariant_side_of_an_operator_is_marked_alone() -> None:
    assert "rhs=Invariant" in repr(plan("x + x @ 1"))


def test_subquery_without_a_step_takes_the_default() -> None:
    node = plan("max_over_time(x[5m:])")
    assert isinstance(node, FunctionCall)
    assert isinstance(node.args[0], SubqueryRange)
    assert node.args[0].step_ms == 60_000


def test_parentheses_vanish() -> None:
    assert isinstance(plan("((x))"), InstantSelect)


def test_equal_parts_at_different_places_are_equal() -> None:
    assert plan("x") == plan("   x")
