import pytest

from miniprom.promqltest.pinning import depends_on_evaluation_time, pinned
from query.language.parser import EVERYTHING, parse
from query.language.printer import format_expr


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a", "a @ 60.000"),
        ("rate(a[5m])", "rate(a[5m] @ 60.000)"),
        ("a @ 10", "a @ 10.000"),
        ("a @ start()", "a @ 60.000"),
        ("a offset 1m", "a @ 60.000 offset 1m"),
        ("sum_over_time(rate(a[1m])[5m:])", "sum_over_time(rate(a[1m])[5m:] @ 60.000)"),
        ("sum_over_time(a[5m:] @ 10)", "sum_over_time(a[5m:] @ 10.000)"),
        ("topk by (x) (scalar(n), -(a + 2))", "topk by (x) (scalar(n @ 60.000), -(a @ 60.000 + 2))"),
    ],
)
def test_selectors_and_outermost_subqueries_are_pinned(query: str, expected: str) -> None:
    assert format_expr(pinned(parse(query, EVERYTHING), 60_000)) == expected


@pytest.mark.parametrize(
    ("query", "depends"),
    [
        ("a", False),
        ("a - time()", True),
        ("timestamp(a)", True),
        ("sum(hour())", True),
        ("max_over_time(vector(time())[5m:])", False),
        ("rate(a[5m])", False),
    ],
)
def test_time_outside_of_subqueries_can_not_be_pinned(query: str, depends: bool) -> None:
    assert depends_on_evaluation_time(parse(query, EVERYTHING)) is depends
