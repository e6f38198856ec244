"""From the grammar's rules to AST nodes: one method a rule, named like it."""

import math
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from lark import Token, Transformer, v_args

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
    Span,
    StringLiteral,
    Subquery,
    Unary,
    VectorMatching,
    VectorSelector,
)
from query.language.functions import AGGREGATORS, FUNCTIONS
from query.language.literals import (
    LiteralError,
    format_number,
    parse_duration_ms,
    parse_number,
    quote,
    unquote,
)
from query.language.operations import SET_OPERATORS, operation_tree
from query.language.problem import ProblemError, nearest
from tsdb import METRIC_NAME, BadMatcherError, Matcher, MatchOp

Selecting: TypeAlias = VectorSelector | MatrixSelector | Subquery

_CARDINALITIES: Final = {"group_left": Cardinality.MANY_TO_ONE, "group_right": Cardinality.ONE_TO_MANY}
_MATCH_OPS: Final = {op.value: op for op in MatchOp}
_ZERO_DIVISION: Final = {"/": "division by zero", "%": "modulo by zero"}
_DURATION_LIMIT_SECONDS: Final = 2**63 / 1e9
_AT_LIMIT_SECONDS: Final = float(2**63 - 1)


@dataclass(frozen=True, slots=True)
class Operator:
    """A binary operator with its modifiers."""

    symbol: str
    return_bool: bool
    matching: VectorMatching


@dataclass(frozen=True, slots=True)
class Names:
    """A parenthesised list of label names."""

    names: tuple[str, ...]
    end: int


@dataclass(frozen=True, slots=True)
class Grouping:
    """`by (...)` or `without (...)`."""

    names: tuple[str, ...]
    without: bool
    end: int


@dataclass(frozen=True, slots=True)
class Arguments:
    """What stands in the parentheses of a call."""

    args: tuple[Expr, ...]
    end: int


@dataclass(frozen=True, slots=True)
class Braces:
    """`{...}` of a selector."""

    matchers: tuple[Matcher, ...]
    span: Span


@v_args(inline=True)
class Builder(Transformer[Token, Any]):
    """Called by Lark on each reduction. Raises `ProblemError`."""

    def start(self, expr: Expr) -> Expr:
        return expr

    def no_expression(self) -> Expr:
        raise ProblemError("no expression found in input", Span(0, 0))

    # Operations

    def operation(self, *chain: Any) -> Expr:
        if len(chain) == 1:
            return chain[0]  # type: ignore[no-any-return]  # the one operand
        return operation_tree(chain, lambda operator: operator.symbol, _unary, _binary)

    def operator(self, sign: Token, *modifiers: Any) -> Operator:
        symbol = sign.lower()
        matching = VectorMatching()
        return_bool = False
        for modifier in modifiers:
            if isinstance(modifier, VectorMatching):
                matching = modifier
            elif isinstance(modifier, dict):
                matching = replace(matching, **modifier)
            else:
                return_bool = True
        if symbol in SET_OPERATORS and matching.cardinality is Cardinality.ONE_TO_ONE:
            matching = replace(matching, cardinality=Cardinality.MANY_TO_MANY)
        return Operator(symbol, return_bool, matching)

    def matching(
        self, kind: Token, labels: Names, side: Token | None = None, include: Names | None = None
    ) -> VectorMatching:
        cardinality = _CARDINALITIES[side.lower()] if side else Cardinality.ONE_TO_ONE
        return VectorMatching(
            cardinality, labels.names, kind.lower() == "on", include.names if include else ()
        )

    def fill(self, *kinds_and_values: Any) -> dict[str, float]:
        """The fields of `VectorMatching` that are given; `fill` is short for both."""
        fills = {}
        for kind, value in zip(kinds_and_values[::2], kinds_and_values[1::2], strict=True):
            sides = ("fill_left", "fill_right") if kind.type == "FILL" else (kind.lower(),)
            fills.update(dict.fromkeys(sides, value))
        return fills

    def fill_value(self, _open: Token, *signed_number: Any) -> float:
        return _signed(*signed_number[:-1]).value

    # Operands

    def number(self, token: Token) -> NumberLiteral:
        return _number(token)

    duration_number = number

    def string(self, token: Token) -> StringLiteral:
        return StringLiteral(unquote(token), _span(token))

    def paren(self, left: Token, expr: Expr, right: Token) -> Paren:
        return Paren(expr, _between(left, right))

    def call(self, name: Token, arguments: Arguments) -> Call:
        if name not in FUNCTIONS:
            raise ProblemError(
                f"unknown function with name {quote(name)}", _span(name), nearest(name, FUNCTIONS)
            )
        return Call(str(name), arguments.args, Span(_start(name), arguments.end))

    def arguments(self, _left: Token, *args_and_right: Any) -> Arguments:
        return Arguments(args_and_right[:-1], _end(args_and_right[-1]))

    def trailing_comma(self, comma: Token) -> None:
        raise ProblemError("trailing commas not allowed in function call args", _span(comma))

    def aggregator(self, token: Token) -> Token:
        return token

    def aggregation(self, name: Token, *clauses: Grouping | Arguments) -> Aggregation:
        grouping = Grouping((), False, 0)
        args: tuple[Expr, ...] = ()
        for clause in clauses:
            if isinstance(clause, Grouping):
                grouping = clause
            else:
                args = clause.args
        op = name.lower()
        span = Span(_start(name), max(clause.end for clause in clauses))
        wanted = 1 if AGGREGATORS[op].param_type is None else 2
        if not args:
            raise ProblemError("no arguments for aggregate expression provided", span)
        if len(args) != wanted:
            raise ProblemError(
                "wrong number of arguments for aggregate expression provided, "
                f"expected {wanted}, got {len(args)}",
                span,
            )
        param = args[0] if wanted == 2 else None
        return Aggregation(op, args[-1], param, grouping.names, grouping.without, span)

    def grouping(self, kind: Token, labels: Names) -> Grouping:
        return Grouping(labels.names, kind.type == "WITHOUT", labels.end)

    def labels(self, _left: Token, *names_and_right: Any) -> Names:
        return Names(names_and_right[:-1], _end(names_and_right[-1]))

    def label(self, token: Token) -> str:
        name = unquote(token) if token.type == "STRING" else str(token)
        if not name:
            raise ProblemError(f"invalid label name for grouping: {quote(name)}", _span(token))
        return name

    # Selectors

    def metric_name(self, token: Token) -> Token:
        return token

    def selector(self, first: Token | Braces, braces: Braces | None = None) -> VectorSelector:
        if isinstance(first, Braces):
            return VectorSelector(None, first.matchers, span=first.span)
        name = str(first)
        by_name = Matcher(METRIC_NAME, MatchOp.EQUAL, name)
        if braces is None:
            return VectorSelector(name, (by_name,), span=_span(first))
        return VectorSelector(name, (by_name, *braces.matchers), span=Span(_start(first), braces.span.end))

    def matchers(self, left: Token, *matchers_and_right: Any) -> Braces:
        return Braces(matchers_and_right[:-1], _between(left, matchers_and_right[-1]))

    def matcher(self, name: Token, operator: Token, value: Token) -> Matcher:
        label = unquote(name) if name.type == "STRING" else str(name)
        try:
            return Matcher(label, _MATCH_OPS[operator], unquote(value))
        except BadMatcherError as error:
            raise ProblemError(str(error), _between(name, value)) from error

    def quoted_metric_name(self, token: Token) -> Matcher:
        return Matcher(METRIC_NAME, MatchOp.EQUAL, unquote(token))

    def matrix_selector(
        self, operand: Expr, left: Token, duration: DurationExpr, right: Token
    ) -> MatrixSelector:
        brackets = _between(left, right)
        if not isinstance(operand, VectorSelector):
            raise ProblemError("ranges only allowed for vector selectors", brackets)
        if operand.offset is not None:
            raise ProblemError("no offset modifiers allowed before range", brackets)
        if operand.at is not None:
            raise ProblemError("no @ modifiers allowed before range", brackets)
        return MatrixSelector(operand, _positive(duration), Span(operand.span.start, brackets.end))

    def subquery(self, expr: Expr, _left: Token, duration: DurationExpr, *step_and_right: Any) -> Subquery:
        *step, right = step_and_right
        span = Span(expr.span.start, _end(right))
        return Subquery(expr, _positive(duration), _positive(step[0]) if step else None, span=span)

    # Modifiers

    def extension(self, operand: Expr, keyword: Token) -> Expr:
        kind = Extension(keyword.lower())
        if isinstance(operand, Subquery):
            raise ProblemError(f"{kind.value} modifier is not supported for subqueries", operand.span)
        if isinstance(operand, MatrixSelector):
            return replace(operand, selector=_extended(operand.selector, kind, operand.span))
        if isinstance(operand, VectorSelector):
            return _extended(operand, kind, operand.span)
        raise ProblemError(f"{kind.value} modifier not implemented", operand.span)

    def offset(self, operand: Expr, _keyword: Token, duration: DurationExpr) -> Selecting:
        selecting = _require_selecting(operand, "offset")
        if _time_modifiers(selecting).offset is not None:
            raise ProblemError("offset may not be set multiple times", selecting.span)
        is_zero = isinstance(duration, NumberLiteral) and duration.value == 0
        return _modified(selecting, duration.span.end, offset=None if is_zero else _as_duration(duration))

    def offset_duration(self, *signed: Any) -> DurationExpr:
        return _duration_unary(*signed) if len(signed) == 2 else _in_range(signed[0])

    def at_time(self, operand: Expr, *signed_number: Any) -> Selecting:
        time = _signed(*signed_number)
        if not abs(time.value) < _AT_LIMIT_SECONDS:
            shown = (
                format_number(time.value)
                if math.isinf(time.value)
                else f"{time.value:f}".replace("nan", "NaN")
            )
            raise ProblemError(f"timestamp out of bounds for @ modifier: {shown}", operand.span)
        return _modified(_require_free_at(operand), time.span.end, at=_round_half_away(time.value * 1000))

    def at_anchor(self, operand: Expr, anchor: Token, _left: Token, right: Token) -> Selecting:
        return _modified(_require_free_at(operand), _end(right), at=AtAnchor(anchor.lower()))

    # Durations

    def duration(self, *chain: Any) -> DurationExpr:
        if len(chain) == 1:
            return _in_range(chain[0])
        return operation_tree(chain, str, _duration_unary, _duration_binary)

    def duration_call(self, name: Token, _left: Token, *args_and_right: Any) -> DurationCall:
        *args, right = args_and_right
        return DurationCall(DurationFunction(name.lower()), tuple(args), _between(name, right))

    def duration_paren(self, left: Token, operand: DurationExpr, right: Token) -> DurationParen:
        return DurationParen(operand, _between(left, right))


def _start(token: Token) -> int:
    return token.start_pos or 0


def _end(token: Token) -> int:
    return token.end_pos or 0


def _span(token: Token) -> Span:
    return Span(_start(token), _end(token))


def _between(first: Token, last: Token) -> Span:
    return Span(_start(first), _end(last))


def _number(token: Token) -> NumberLiteral:
    try:
        if token.type == "DURATION":
            return NumberLiteral(parse_duration_ms(token) / 1000, True, _span(token))
        return NumberLiteral(parse_number(token), False, _span(token))
    except LiteralError as error:
        raise ProblemError(str(error), _span(token)) from error


def _signed(*sign_and_number: Any) -> NumberLiteral:
    *sign, number = sign_and_number
    return _sign_number(sign[0], number) if sign else number


def _sign_number(sign: Token, number: NumberLiteral) -> NumberLiteral:
    value = -number.value if sign == "-" else number.value
    return NumberLiteral(value, number.is_duration, Span(_start(sign), number.span.end))


def _unary(sign: Token, operand: Expr) -> Expr:
    if isinstance(operand, NumberLiteral):
        return _sign_number(sign, operand)
    return Unary(str(sign), operand, Span(_start(sign), operand.span.end))


def _binary(operator: Operator, lhs: Expr, rhs: Expr) -> Expr:
    span = Span(lhs.span.start, rhs.span.end)
    return Binary(operator.symbol, lhs, rhs, operator.return_bool, operator.matching, span)


def _duration_unary(sign: Token, operand: DurationExpr) -> DurationExpr:
    """A sign is part of a number; a plus before anything else says nothing."""
    if isinstance(operand, NumberLiteral):
        return _in_range(_sign_number(sign, operand))
    if sign == "+":
        return operand
    return DurationUnary("-", operand, Span(_start(sign), operand.span.end))


def _duration_binary(operator: Token, lhs: DurationExpr, rhs: DurationExpr) -> DurationExpr:
    if operator in _ZERO_DIVISION and isinstance(rhs, NumberLiteral) and rhs.value == 0:
        raise ProblemError(_ZERO_DIVISION[operator], _span(operator))
    return DurationBinary(str(operator), _in_range(lhs), _in_range(rhs), Span(lhs.span.start, rhs.span.end))


def _in_range(duration: DurationExpr) -> DurationExpr:
    if isinstance(duration, NumberLiteral) and abs(duration.value) > _DURATION_LIMIT_SECONDS:
        raise ProblemError("duration out of range", duration.span)
    return duration


def _positive(duration: DurationExpr) -> DurationExpr:
    if isinstance(duration, NumberLiteral) and duration.value <= 0:
        raise ProblemError("duration must be greater than 0", duration.span)
    return _as_duration(duration)


def _as_duration(duration: DurationExpr) -> DurationExpr:
    """`[300]` means, and prints as, `[5m]`."""
    return replace(duration, is_duration=True) if isinstance(duration, NumberLiteral) else duration


def _round_half_away(value: float) -> int:
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def _extended(selector: VectorSelector, kind: Extension, span: Span) -> VectorSelector:
    if selector.extension not in (None, kind):
        raise ProblemError("anchored and smoothed modifiers cannot be used together", span)
    return replace(selector, extension=kind)


def _require_selecting(operand: Expr, modifier: str) -> Selecting:
    if isinstance(operand, VectorSelector | MatrixSelector | Subquery):
        return operand
    selectors = "an instant vector selector or range vector selector or a subquery"
    raise ProblemError(f"{modifier} modifier must be preceded by {selectors}", operand.span)


def _require_free_at(operand: Expr) -> Selecting:
    selecting = _require_selecting(operand, "@")
    if _time_modifiers(selecting).at is not None:
        raise ProblemError("@ <timestamp> may not be set multiple times", selecting.span)
    return selecting


def _time_modifiers(selecting: Selecting) -> VectorSelector | Subquery:
    """The node that holds `offset` and `at`."""
    return selecting.selector if isinstance(selecting, MatrixSelector) else selecting


def _modified(selecting: Selecting, end: int, **modifier: Any) -> Selecting:
    span = Span(selecting.span.start, end)
    if isinstance(selecting, MatrixSelector):
        return replace(selecting, selector=replace(selecting.selector, **modifier), span=span)
    return replace(selecting, span=span, **modifier)
