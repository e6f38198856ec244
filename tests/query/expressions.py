"""A hypothesis strategy for well-typed expressions, in the shape that `parse` gives them.

`vectors(depth)` and `scalars(depth)` are trees that pass the check with every option on, so that the
differential tests can print and evaluate them, too.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from query.language import AGGREGATORS, FUNCTIONS, Function, ValueType, format_expr, value_type
from query.language.ast import (
    Aggregation,
    AtAnchor,
    Binary,
    Call,
    Cardinality,
    DurationBinary,
    DurationCall,
    DurationExpr,
    DurationFunction,
    DurationParen,
    DurationUnary,
    Expr,
    Extension,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorMatching,
    VectorSelector,
)
from query.language.operations import COMPARISONS, PRECEDENCE, SET_OPERATORS
from tsdb import METRIC_NAME, Matcher, MatchOp

METRICS = ("up", "http_requests_total", "job:latency:p99", "sum", "by", "offset", "start", "fill", "without")
LABELS = ("job", "instance", "le", "on", "a.b", "Zürich", "group_left")

numbers = st.one_of(
    st.integers(-5, 1000).map(float),
    st.floats(allow_nan=False).map(lambda value: value + 0.0),
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), max_size=8)
_durations_seconds = st.integers(1, 10**9).map(lambda ms: ms / 1000)


def number_literals() -> SearchStrategy[Expr]:
    return st.one_of(
        st.builds(NumberLiteral, numbers),
        st.builds(NumberLiteral, _durations_seconds, st.just(True)),
    )


@st.composite
def matchers(draw: st.DrawFn) -> Matcher:
    op = draw(st.sampled_from(MatchOp))
    value = draw(texts)
    regex = op in (MatchOp.MATCHES, MatchOp.NOT_MATCHES)
    return Matcher(
        draw(st.sampled_from(LABELS)), op, re.escape(value) if regex and value.isascii() else "x|.*y"
    )


@st.composite
def vector_selectors(draw: st.DrawFn) -> VectorSelector:
    name = draw(st.none() | st.sampled_from(METRICS))
    by_name = Matcher(METRIC_NAME, MatchOp.EQUAL, name or "a metric")
    others = draw(st.lists(matchers(), max_size=2))
    if name is None:
        return VectorSelector(None, tuple(sorted((by_name, *others), key=_printed)))
    return VectorSelector(name, (by_name, *sorted(others, key=_printed)))


def _printed(matcher: Matcher) -> str:
    return format_expr(VectorSelector(None, (matcher,)))


def durations(depth: int) -> SearchStrategy[DurationExpr]:
    """Operands of a duration expression; an operation stands in parentheses."""
    literals = st.builds(NumberLiteral, _durations_seconds, st.just(True))
    if depth == 0:
        return literals
    inner = durations(depth - 1)
    calls = st.sampled_from((DurationFunction.STEP, DurationFunction.RANGE)).map(DurationCall)
    choices = st.builds(
        DurationCall, st.sampled_from((DurationFunction.MIN, DurationFunction.MAX)), st.tuples(inner, inner)
    )
    operations = st.builds(DurationBinary, st.sampled_from("+-*/%^"), inner, inner)
    parens = st.builds(DurationParen, st.one_of(inner, operations))
    signed = st.builds(DurationUnary, st.just("-"), parens)
    return st.one_of(literals, calls, choices, parens, signed)


@st.composite
def modified(draw: st.DrawFn, node: VectorSelector | Subquery) -> VectorSelector | Subquery:
    """The node with some of `offset` and `@`."""
    offset = draw(st.none() | durations(1))
    if isinstance(offset, NumberLiteral) and draw(st.booleans()):
        offset = replace(offset, value=-offset.value)
    at = draw(st.none() | st.integers(-(10**12), 10**12) | st.sampled_from(AtAnchor))
    return replace(node, offset=offset, at=at)


@st.composite
def selectors(draw: st.DrawFn) -> VectorSelector:
    selector = draw(vector_selectors())
    result = draw(modified(replace(selector, extension=draw(st.none() | st.sampled_from(Extension)))))
    assert isinstance(result, VectorSelector)
    return result


@st.composite
def matrices(draw: st.DrawFn, depth: int) -> Expr:
    """Range vectors: selectors, and subqueries where depth is left."""
    if depth == 0 or draw(st.booleans()):
        return MatrixSelector(draw(selectors()), draw(durations(1)))
    subquery = Subquery(
        draw(operands(vectors(depth - 1))), draw(durations(1)), draw(st.none() | durations(1))
    )
    result = draw(modified(subquery))
    assert isinstance(result, Subquery)
    return result


def operands(expressions: SearchStrategy[Expr]) -> SearchStrategy[Expr]:
    """In parentheses where a modifier or an operator would bind otherwise."""
    return expressions.map(lambda expr: Paren(expr) if _binds_otherwise(expr) else expr)


def _binds_otherwise(expr: Expr) -> bool:
    """Whether what follows would become part of `expr`: `x offset (5m) + y` goes on with the duration."""
    if isinstance(expr, VectorSelector | Subquery):
        return isinstance(expr.offset, DurationParen | DurationUnary)
    return isinstance(expr, Binary | Unary)


@st.composite
def matchings(draw: st.DrawFn, op: str) -> VectorMatching:
    labels = tuple(draw(st.lists(st.sampled_from(LABELS), max_size=2, unique=True)))
    on = draw(st.booleans())
    if op in SET_OPERATORS:
        return VectorMatching(Cardinality.MANY_TO_MANY, labels, on)
    cardinality = draw(
        st.sampled_from((Cardinality.ONE_TO_ONE, Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_MANY))
    )
    include: Sequence[str] = ()
    if cardinality is not Cardinality.ONE_TO_ONE:
        include = draw(st.lists(st.sampled_from([name for name in LABELS if name not in labels]), max_size=2))
    return VectorMatching(
        cardinality, labels, on, tuple(include), draw(st.none() | numbers), draw(st.none() | numbers)
    )


@st.composite
def binaries(draw: st.DrawFn, lhs: SearchStrategy[Expr], rhs: SearchStrategy[Expr]) -> Expr:
    left, right = draw(operands(lhs)), draw(operands(rhs))
    if isinstance(left, NumberLiteral) and math.copysign(1, left.value) < 0:
        left = Paren(left)
    between_vectors = value_type(left) is value_type(right) is ValueType.VECTOR
    both_scalar = value_type(left) is value_type(right) is ValueType.SCALAR
    op = draw(st.sampled_from([op for op in PRECEDENCE if between_vectors or op not in SET_OPERATORS]))
    return_bool = op in COMPARISONS and (both_scalar or draw(st.booleans()))
    return Binary(op, left, right, return_bool, draw(matchings(op)) if between_vectors else None)


def unaries(expressions: SearchStrategy[Expr]) -> SearchStrategy[Expr]:
    signed = operands(expressions).map(lambda expr: Paren(expr) if isinstance(expr, NumberLiteral) else expr)
    return st.builds(Unary, st.sampled_from("+-"), signed)


@st.composite
def calls(draw: st.DrawFn, return_type: ValueType, depth: int) -> Expr:
    candidates = [f for f in FUNCTIONS.values() if f.return_type is return_type and f.name != "info"]
    function = draw(st.sampled_from(candidates))
    return Call(function.name, tuple(draw(_arguments(function, depth))))


@st.composite
def _arguments(draw: st.DrawFn, function: Function, depth: int) -> list[Expr]:
    most = function.max_args
    count = draw(st.integers(function.min_args, function.min_args + 2 if most is None else most))
    return [draw(expressions(function.arg_type(index), depth)) for index in range(count)]


@st.composite
def aggregations(draw: st.DrawFn, depth: int) -> Expr:
    aggregator = draw(st.sampled_from(list(AGGREGATORS.values())))
    kind = aggregator.param_type
    param = None if kind is None else draw(expressions(kind, 0))
    grouping = tuple(draw(st.lists(st.sampled_from(LABELS), max_size=2)))
    return Aggregation(aggregator.name, draw(vectors(depth)), param, grouping, draw(st.booleans()))


def scalars(depth: int) -> SearchStrategy[Expr]:
    if depth == 0:
        return number_literals()
    inner = scalars(depth - 1)
    called = calls(ValueType.SCALAR, depth - 1)
    return st.one_of(number_literals(), binaries(inner, inner), called, inner.map(Paren), unaries(inner))


def vectors(depth: int) -> SearchStrategy[Expr]:
    if depth == 0:
        return selectors()
    inner = vectors(depth - 1)
    return st.one_of(
        selectors(),
        binaries(inner, inner),
        binaries(inner, scalars(depth - 1)),
        binaries(scalars(depth - 1), inner),
        calls(ValueType.VECTOR, depth - 1),
        aggregations(depth - 1),
        inner.map(Paren),
        unaries(inner),
    )


def expressions(kind: ValueType, depth: int) -> SearchStrategy[Expr]:
    """Expressions of a type, nested at most about `depth` levels."""
    if kind is ValueType.SCALAR:
        return scalars(depth)
    if kind is ValueType.VECTOR:
        return vectors(depth)
    if kind is ValueType.MATRIX:
        return matrices(depth)
    return texts.map(StringLiteral)
