import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.language import EVERYTHING, ValueType, format_expr, parse
from query.language.ast import Expr
from query.language.normal import difference, is_same, tidied
from tests.query.expressions import expressions

TREES = st.sampled_from(ValueType).flatmap(lambda kind: expressions(kind, 2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('x{a="1",b="2"}', 'x{ b="2", a="1" }'),
        ("x", '{__name__="x"}'),
        ("sum by (a, b) (x)", "sum(x) by (b, a)"),
        ("a * on (x, y) group_left (u, v) b", "a * on (y, x) group_left (v, u) b"),
        ("rate(x[60s])", "rate(x[1m])"),
        ("x offset 90s", "x offset 1m30s"),
        ("x > 1000", "x > 1e3"),
        ("x > 0x10", "x > 16"),
        ("((x)) + (y)", "x + y"),
        ("NaN", "NaN"),
        ('label_replace(x, "a", "b", "c", "d")', "label_replace(x, 'a', 'b', 'c', 'd')"),
    ],
)
def test_spelling_and_order_make_no_difference(one: str, other: str) -> None:
    assert difference(parse(one), parse(other)) is None


@pytest.mark.parametrize(
    ("expected", "actual", "told"),
    [
        ("(a + b) * c", "a + b * c", "expected (a + b) * c, got a + b * c"),
        ("a - b", "b - a", "expected a - b, got b - a"),
        ("topk(5, x)", "topk(6, x)", "expected topk(5, x), got topk(6, x)"),
        ("sum by (a) (x)", "sum without (a) (x)", "expected sum by (a) (x), got sum without (a) (x)"),
        ("max_over_time(rate(x[5m])[1h:1m])", "max_over_time(rate(y[5m])[1h:1m])", "expected x, got y"),
        ('x{a="1"}', 'x{a=~"1"}', 'expected x{a="1"}, got x{a=~"1"}'),
        ("x @ 1", "x @ 2", "expected x @ 1.000, got x @ 2.000"),
        ("x > bool 1", "x > 1", "expected x > bool 1, got x > 1"),
    ],
)
def test_first_difference_is_told_by_the_smallest_part_that_shows_it(
    expected: str, actual: str, told: str
) -> None:
    assert difference(parse(expected), parse(actual)) == told
    assert not is_same(parse(actual), parse(expected))


@given(TREES)
def test_tidied_tree_means_the_same_and_stays_as_it_is(tree: Expr) -> None:
    neat = tidied(tree)
    assert is_same(neat, tree)
    assert repr(tidied(neat)) == repr(neat)
    assert is_same(parse(format_expr(neat), EVERYTHING), tree)
