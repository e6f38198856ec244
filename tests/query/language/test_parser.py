import math
from typing import cast

import pytest

from query.language import EVERYTHING, format_expr, parse
from query.language.ast import (
    Aggregation,
    AtAnchor,
    Binary,
    Call,
    Cardinality,
    DurationBinary,
    DurationCall,
    DurationFunction,
    DurationParen,
    DurationUnary,
    Expr,
    Extension,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Span,
    StringLiteral,
    Subquery,
    Unary,
    VectorMatching,
    VectorSelector,
)
from tsdb import METRIC_NAME, Matcher, MatchOp


def named(name: str) -> VectorSelector:
    return VectorSelector(name, (Matcher(METRIC_NAME, MatchOp.EQUAL, name),))


def grouped(expr: Expr) -> str:
    """The expression with parentheses around every operation."""
    match expr:
        case Binary():
            return f"({grouped(expr.lhs)} {expr.op} {grouped(expr.rhs)})"
        case Unary():
            return f"({expr.op}{grouped(expr.expr)})"
        case _:
            return format_expr(expr)


@pytest.mark.parametrize(
    ("text", "grouping"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a * b + c", "((a * b) + c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a ^ b ^ c", "(a ^ (b ^ c))"),
        ("a * b ^ c", "(a * (b ^ c))"),
        ("a atan2 b / c", "((a atan2 b) / c)"),
        ("a > b + c", "(a > (b + c))"),
        ("a </ b + c", "(a </ (b + c))"),
        ("a and b == c", "(a and (b == c))"),
        ("a or b and c", "(a or (b and c))"),
        ("a and b unless c", "((a and b) unless c)"),
        ("-a ^ b", "(-(a ^ b))"),
        ("-a * b", "((-a) * b)"),
        ("a ^ -b * c", "((a ^ (-b)) * c)"),
        ("a ^ -b ^ c", "(a ^ (-(b ^ c)))"),
        ("-1 ^ 2", "(-(1 ^ 2))"),
        ("--a", "(-(-a))"),
        ("a + b offset 5m", "(a + b offset 5m)"),
        ("-a offset 5m", "(-a offset 5m)"),
        ("a offset 5m * b", "(a offset 5m * b)"),
        ("a offset -5m ^ b", "(a offset -5m ^ b)"),
        ("a offset step() * b", "(a offset step() * b)"),
        ("a offset (5m) * 2", "a offset (5m) * 2"),
        ("a offset -(5m) * b", "(a offset -(5m) * b)"),
        ("a @ 5 + b", "(a @ 5.000 + b)"),
        ("a AND b Or c", "((a and b) or c)"),
    ],
)
def test_operators_bind_by_precedence(text: str, grouping: str) -> None:
    assert grouped(parse(text, EVERYTHING)) == grouping


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("-5m", NumberLiteral(-300, is_duration=True)),
        ("+-1", NumberLiteral(-1)),
        ("-Inf", NumberLiteral(-math.inf)),
        ("`a`", StringLiteral("a")),
        ("(a)", Paren(named("a"))),
        ("time()", Call("time", ())),
        ("start()", Call("start", ())),
        ("max_of(1, 2)", Call("max_of", (NumberLiteral(1), NumberLiteral(2)))),
        ("sum(a)", Aggregation("sum", named("a"))),
        ("SUM by () (a)", Aggregation("sum", named("a"))),
        ("sum by (x, on,) (a)", Aggregation("sum", named("a"), grouping=("x", "on"))),
        ('sum(a) without ("b.c")', Aggregation("sum", named("a"), grouping=("b.c",), without=True)),
        ("topk(2, a)", Aggregation("topk", named("a"), NumberLiteral(2))),
        ("a[5m]", MatrixSelector(named("a"), NumberLiteral(300, is_duration=True))),
        ("a[300]", MatrixSelector(named("a"), NumberLiteral(300, is_duration=True))),
        ("a[5m:]", Subquery(named("a"), NumberLiteral(300, is_duration=True), None)),
        (
            "a[5m:30]",
            Subquery(named("a"), NumberLiteral(300, is_duration=True), NumberLiteral(30, is_duration=True)),
        ),
        ("a # the rest\n# and more", named("a")),
    ],
)
def test_expression_has_its_node(text: str, tree: Expr) -> None:
    assert parse(text, EVERYTHING) == tree


@pytest.mark.parametrize(
    "word",
    [
        "sum",
        "by",
        "without",
        "offset",
        "and",
        "or",
        "unless",
        "start",
        "end",
        "step",
        "range",
        "min_of",
        "max_of",
        "anchored",
        "smoothed",
        "fill",
        "fill_left",
        "limitk",
        "a:b",
        ":a",
        "count_values",
        "infinity",
        "nanny",
    ],
)
def test_keyword_that_can_be_a_metric_is_one(word: str) -> None:
    assert parse(word) == named(word)


@pytest.mark.parametrize(
    "word",
    [
        "by",
        "on",
        "bool",
        "group_left",
        "atan2",
        "sum",
        "offset",
        "fill",
        "start",
        "step",
        "anchored",
        "min_of",
    ],
)
def test_keyword_is_a_label_in_a_grouping_and_in_braces(word: str) -> None:
    assert parse(f'sum by ({word}) (a{{{word}="x"}})') == Aggregation(
        "sum",
        VectorSelector("a", (*named("a").matchers, Matcher(word, MatchOp.EQUAL, "x"))),
        grouping=(word,),
    )


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ('{a="1",}', [Matcher("a", MatchOp.EQUAL, "1")]),
        (
            "{a!='',b=~`x|y`,c!~'z'}",
            [
                Matcher("a", MatchOp.NOT_EQUAL, ""),
                Matcher("b", MatchOp.MATCHES, "x|y"),
                Matcher("c", MatchOp.NOT_MATCHES, "z"),
            ],
        ),
        ('{"a", "b c"="1"}', [Matcher(METRIC_NAME, MatchOp.EQUAL, "a"), Matcher("b c", MatchOp.EQUAL, "1")]),
        ('{__name__="x"}', [Matcher(METRIC_NAME, MatchOp.EQUAL, "x")]),
    ],
)
def test_braces_hold_matchers(text: str, matchers: list[Matcher]) -> None:
    assert parse(text) == VectorSelector(None, tuple(matchers))


@pytest.mark.parametrize("text", ["a offset 5m @ 1.5", "a @ 1.5 offset 5m", "a @ 1.5 offset 300"])
def test_offset_and_at_stand_in_any_order(text: str) -> None:
    expected = VectorSelector("a", named("a").matchers, offset=NumberLiteral(300, is_duration=True), at=1500)
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("@ start()", AtAnchor.START),
        ("@ end()", AtAnchor.END),
        ("@ -1.0005", -1001),
        ("@ 1e3", 1_000_000),
        ("@ 5m", 300_000),
    ],
)
def test_at_is_an_anchor_or_milliseconds(text: str, at: int | AtAnchor) -> None:
    assert cast("VectorSelector", parse(f"a {text}")).at == at


def test_modifiers_after_brackets_belong_to_the_selector() -> None:
    matrix = cast("MatrixSelector", parse("a[5m] anchored offset -1m @ end()", EVERYTHING))
    assert matrix.selector == VectorSelector(
        "a", named("a").matchers, Extension.ANCHORED, NumberLiteral(-60, is_duration=True), AtAnchor.END
    )


def test_offset_of_zero_is_none() -> None:
    assert parse("a offset 0s") == named("a")


@pytest.mark.parametrize(
    ("text", "matching"),
    [
        ("a + b", VectorMatching()),
        ("a + on() b", VectorMatching(on=True)),
        ("a + ignoring(x, y) b", VectorMatching(labels=("x", "y"))),
        ("a and b", VectorMatching(Cardinality.MANY_TO_MANY)),
        ("a + on(x) group_left b", VectorMatching(Cardinality.MANY_TO_ONE, ("x",), on=True)),
        (
            "a + on(x) group_right(y) b",
            VectorMatching(Cardinality.ONE_TO_MANY, ("x",), on=True, include=("y",)),
        ),
        ("a + fill(-1) b", VectorMatching(fill_left=-1, fill_right=-1)),
        ("a + fill_right(1) fill_left(2) b", VectorMatching(fill_left=2, fill_right=1)),
        ("a + fill_left(5m) b", VectorMatching(fill_left=300)),
    ],
)
def test_modifiers_of_an_operator_are_its_matching(text: str, matching: VectorMatching) -> None:
    assert cast("Binary", parse(text, EVERYTHING)).matching == matching


def test_operation_with_a_scalar_has_no_matching() -> None:
    assert parse("a > bool 1") == Binary(">", named("a"), NumberLiteral(1), return_bool=True)


def test_fill_without_a_parenthesis_is_a_metric() -> None:
    assert parse("fill + fill", EVERYTHING) == Binary(
        "+", named("fill"), named("fill"), matching=VectorMatching()
    )


_MINUTE = NumberLiteral(60, is_duration=True)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("1m * 2", DurationBinary("*", _MINUTE, NumberLiteral(2))),
        ("1m + 1m * 2", DurationBinary("+", _MINUTE, DurationBinary("*", _MINUTE, NumberLiteral(2)))),
        ("(1m)", DurationParen(_MINUTE)),
        ("-step()", DurationUnary("-", DurationCall(DurationFunction.STEP))),
        ("+range()", DurationCall(DurationFunction.RANGE)),
        (
            "MIN_OF(step(), 1m)",
            DurationCall(DurationFunction.MIN, (DurationCall(DurationFunction.STEP), _MINUTE)),
        ),
        ("--1m", _MINUTE),
    ],
)
def test_duration_expression_is_a_tree(text: str, duration: object) -> None:
    assert cast("MatrixSelector", parse(f"a[{text}]", EVERYTHING)).range == duration


def span_text(text: str, node: Expr) -> str:
    span = node.span
    return text[span.start : span.end]


def test_spans_cover_the_text_of_each_node() -> None:
    text = ' sum by (x) (rate(é{a="b"}[5m] offset 1m) ) / -scalar( b ) '.replace("é", "e")
    division = cast("Binary", parse(text))
    total = cast("Aggregation", division.lhs)
    rate = cast("Call", total.expr)
    matrix = cast("MatrixSelector", rate.args[0])
    assert [
        span_text(text, node) for node in (division, total, rate, matrix, matrix.selector, division.rhs)
    ] == [
        'sum by (x) (rate(e{a="b"}[5m] offset 1m) ) / -scalar( b )',
        'sum by (x) (rate(e{a="b"}[5m] offset 1m) )',
        'rate(e{a="b"}[5m] offset 1m)',
        'e{a="b"}[5m] offset 1m',
        'e{a="b"}',
        "-scalar( b )",
    ]


def test_spans_do_not_take_part_in_equality() -> None:
    assert parse("a+b") == parse(" a  +  b ")


def test_span_of_a_selector_includes_its_modifiers() -> None:
    assert parse("a offset 5m @ start()").span == Span(0, 21)
