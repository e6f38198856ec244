"""From the grammar's rules to AST nodes: one method a rule, named like it."""

from dataclasses import dataclass, replace
from typing import Any, Final

from lark import Token, Transformer, v_args

from query.language.ast import (
    Aggregation,
    AtAnchor,
    Binary,
    Call,
    Cardinality,
    DurationCall,
    DurationExpr,
    DurationFunction,
    DurationParen,
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
from query.language.durations import (
    combine_durations,
    in_range,
    number,
    positive,
    sign_duration,
    sign_number,
    signed,
)
from query.language.functions import AGGREGATORS, FUNCTIONS
from query.language.lexer import span_between, token_span
from query.language.literals import as_utf8, quote, unquote
from query.language.modifiers import add_at, add_at_time, add_offset, extend
from query.language.operations import SET_OPERATORS, operation_tree
from query.language.problem import ProblemError, nearest
from tsdb import METRIC_NAME, BadMatcherError, Matcher, MatchOp

_CARDINALITIES: Final = {"group_left": Cardinality.MANY_TO_ONE, "group_right": Cardinality.ONE_TO_MANY}
_MATCH_OPS: Final = {op.value: op for op in MatchOp}


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
        return signed(*signed_number[:-1]).value

    # Operands

    def number(self, token: Token) -> NumberLiteral:
        return number(token)

    duration_number = number

    def string(self, token: Token) -> StringLiteral:
        return StringLiteral(unquote(token), token_span(token))

    def paren(self, left: Token, expr: Expr, right: Token) -> Paren:
        return Paren(expr, span_between(left, right))

    def call(self, name: Token, arguments: Arguments) -> Call:
        if name not in FUNCTIONS:
            raise ProblemError(
                f"unknown function with name {quote(name)}", token_span(name), nearest(name, FUNCTIONS)
            )
        return Call(str(name), arguments.args, Span(token_span(name).start, arguments.end))

    def arguments(self, _left: Token, *args_and_right: Any) -> Arguments:
        return Arguments(args_and_right[:-1], token_span(args_and_right[-1]).end)

    def trailing_comma(self, comma: Token) -> None:
        raise ProblemError("trailing commas not allowed in function call args", token_span(comma))

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
        span = Span(token_span(name).start, max(clause.end for clause in clauses))
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
        return Names(names_and_right[:-1], token_span(names_and_right[-1]).end)

    def label(self, token: Token) -> str:
        name = as_utf8(unquote(token)) if token.type == "STRING" else str(token)
        if not name:
            raise ProblemError(f"invalid label name for grouping: {quote(name)}", token_span(token))
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
            return VectorSelector(name, (by_name,), span=token_span(first))
        return VectorSelector(
            name, (by_name, *braces.matchers), span=Span(token_span(first).start, braces.span.end)
        )

    def matchers(self, left: Token, *matchers_and_right: Any) -> Braces:
        return Braces(matchers_and_right[:-1], span_between(left, matchers_and_right[-1]))

    def matcher(self, name: Token, operator: Token, value: Token) -> Matcher:
        label = as_utf8(unquote(name)) if name.type == "STRING" else str(name)
        try:
            return Matcher(label, _MATCH_OPS[operator], as_utf8(unquote(value)))
        except BadMatcherError as error:
            raise ProblemError(str(error), span_between(name, value)) from error

    def quoted_metric_name(self, token: Token) -> Matcher:
        return Matcher(METRIC_NAME, MatchOp.EQUAL, as_utf8(unquote(token)))

    def matrix_selector(
        self, operand: Expr, left: Token, duration: DurationExpr, right: Token
    ) -> MatrixSelector:
        brackets = span_between(left, right)
        if not isinstance(operand, VectorSelector):
            raise ProblemError("ranges only allowed for vector selectors", brackets)
        if operand.offset is not None:
            raise ProblemError("no offset modifiers allowed before range", brackets)
        if operand.at is not None:
            raise ProblemError("no @ modifiers allowed before range", brackets)
        return MatrixSelector(operand, positive(duration), Span(operand.span.start, brackets.end))

    def subquery(self, expr: Expr, _left: Token, duration: DurationExpr, *step_and_right: Any) -> Subquery:
        *step, right = step_and_right
        span = Span(expr.span.start, token_span(right).end)
        return Subquery(expr, positive(duration), positive(step[0]) if step else None, span=span)

    # Modifiers

    def extension(self, operand: Expr, keyword: Token) -> Expr:
        return extend(operand, Extension(keyword.lower()))

    def offset(self, operand: Expr, _keyword: Token, duration: DurationExpr) -> Expr:
        return add_offset(operand, duration)

    def offset_duration(self, *signed: Any) -> DurationExpr:
        return sign_duration(*signed) if len(signed) == 2 else in_range(signed[0])

    def at_time(self, operand: Expr, *signed_number: Any) -> Expr:
        return add_at_time(operand, signed(*signed_number))

    def at_anchor(self, operand: Expr, anchor: Token, _left: Token, right: Token) -> Expr:
        return add_at(operand, AtAnchor(anchor.lower()), token_span(right).end)

    # Durations

    def duration(self, *chain: Any) -> DurationExpr:
        if len(chain) == 1:
            return in_range(chain[0])
        return operation_tree(chain, str, sign_duration, combine_durations)

    def duration_call(self, name: Token, _left: Token, *args_and_right: Any) -> DurationCall:
        *args, right = args_and_right
        return DurationCall(DurationFunction(name.lower()), tuple(args), span_between(name, right))

    def duration_paren(self, left: Token, operand: DurationExpr, right: Token) -> DurationParen:
        return DurationParen(operand, span_between(left, right))


def _unary(sign: Token, operand: Expr) -> Expr:
    if isinstance(operand, NumberLiteral):
        return sign_number(sign, operand)
    return Unary(str(sign), operand, Span(token_span(sign).start, operand.span.end))


def _binary(operator: Operator, lhs: Expr, rhs: Expr) -> Expr:
    span = Span(lhs.span.start, rhs.span.end)
    return Binary(operator.symbol, lhs, rhs, operator.return_bool, operator.matching, span)
