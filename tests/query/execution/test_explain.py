"""What a node of a plan gives and takes."""

from collections.abc import Iterator
from itertools import count

import pytest

from query import Explanation, QueryWindow
from tests.query.execution.asking import ENGINE, every, snapshot_of

WINDOW = QueryWindow(10_000, 30_000, 10_000)
SNAPSHOT = snapshot_of({f"x/{n}": every(10_000, [1.0, 2.0, 3.0, 5.0]) for n in "abcd"})


def nodes(explanation: Explanation) -> Iterator[tuple[str, tuple[int, int] | None]]:
    measured = explanation.measured
    yield explanation.text, None if measured is None else (measured.series, measured.samples)
    for operand in explanation.operands:
        yield from nodes(operand)


def explained(query: str, window: QueryWindow = WINDOW) -> dict[str, tuple[int, int] | None]:
    return dict(nodes(ENGINE.explain(SNAPSHOT, query, window, seconds=count().__next__)))


def test_series_and_samples_are_those_of_all_steps() -> None:
    assert explained("count(x) + 1") == {
        "operator +": (1, 3),
        "count": (1, 3),
        "newest of x": (4, 12),
        "number 1": (1, 3),
    }


def test_range_tells_what_is_stored() -> None:
    assert explained("rate(x[20s])") == {"rate()": (4, 12), "samples of x[20s]": (4, 16)}


def test_fused_operator_stands_for_two_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("query.execution.fused.FUSING_PAYS_FROM", 0)
    assert explained("sum(rate(x[20s]))") == {"sum of rate(), fused": (1, 3), "samples of x[20s]": (4, 16)}


def test_what_was_evaluated_elsewhere_is_not_measured_again() -> None:
    explanation = ENGINE.explain(SNAPSHOT, "x / x", WINDOW, seconds=count().__next__)
    assert [operand.measured is None for operand in explanation.operands] == [False, True]


def test_instant_query_has_one_step() -> None:
    assert explained("sum(x)", QueryWindow(10_000, 10_000, 0)) == {"sum": (1, 1), "newest of x": (4, 4)}


def test_time_of_a_node_holds_that_of_its_operands() -> None:
    outer = ENGINE.explain(SNAPSHOT, "sum(x)", WINDOW, seconds=count().__next__)
    (inner,) = outer.operands
    assert outer.measured is not None
    assert inner.measured is not None
    assert (outer.measured.seconds, inner.measured.seconds) == (3, 1)


def test_plan_is_told_without_samples() -> None:
    plan = dict(nodes(ENGINE.plan("sum(max_over_time(abs(x @ 5)[5m:1m] @ end())) * -(2 ^ 3)", WINDOW)))
    assert list(plan) == [
        "once, at the first step",
        "operator *",
        "sum",
        "max_over_time()",
        "every 60 s, subquery [5m:1m] @ end()",
        "abs()",
        "newest of x @ 5.000",
        "number -8",
    ]
    assert set(plan.values()) == {None}
