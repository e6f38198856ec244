"""Numbers and durations as the grammar meets them: signs, arithmetic, bounds. Raises `ProblemError`."""

from dataclasses import replace
from typing import Any, Final

from lark import Token

from query.language.ast import DurationBinary, DurationExpr, DurationUnary, NumberLiteral, Span
from query.language.lexer import token_span
from query.language.literals import LiteralError, parse_duration_ms, parse_number
from query.language.problem import ProblemError

_LIMIT_SECONDS: Final = 2**63 / 1e9
_ZERO_DIVISION: Final = {"/": "division by zero", "%": "modulo by zero"}


def number(token: Token) -> NumberLiteral:
    """The literal of a NUMBER or a DURATION."""
    span = token_span(token)
    try:
        if token.type == "DURATION":
            return NumberLiteral(parse_duration_ms(token) / 1000, True, span)
        return NumberLiteral(parse_number(token), False, span)
    except LiteralError as error:
        raise ProblemError(str(error), span) from error


def signed(*sign_and_number: Any) -> NumberLiteral:
    """A number with or without a sign before it."""
    *sign, literal = sign_and_number
    return sign_number(sign[0], literal) if sign else literal


def sign_number(sign: Token, literal: NumberLiteral) -> NumberLiteral:
    value = -literal.value if sign == "-" else literal.value
    return NumberLiteral(value, literal.is_duration, Span(token_span(sign).start, literal.span.end))


def sign_duration(sign: Token, operand: DurationExpr) -> DurationExpr:
    """A sign is part of a number; a plus before anything else says nothing."""
    if isinstance(operand, NumberLiteral):
        return in_range(sign_number(sign, operand))
    if sign == "+":
        return operand
    return DurationUnary("-", operand, Span(token_span(sign).start, operand.span.end))


def combine_durations(operator: Token, lhs: DurationExpr, rhs: DurationExpr) -> DurationExpr:
    if operator in _ZERO_DIVISION and isinstance(rhs, NumberLiteral) and rhs.value == 0:
        raise ProblemError(_ZERO_DIVISION[operator], token_span(operator))
    return DurationBinary(str(operator), in_range(lhs), in_range(rhs), Span(lhs.span.start, rhs.span.end))


def in_range(duration: DurationExpr) -> DurationExpr:
    if isinstance(duration, NumberLiteral) and not abs(duration.value) <= _LIMIT_SECONDS:
        raise ProblemError("duration out of range", duration.span)
    return duration


def positive(duration: DurationExpr) -> DurationExpr:
    """The duration of a range or a step."""
    if isinstance(duration, NumberLiteral) and duration.value <= 0:
        raise ProblemError("duration must be greater than 0", duration.span)
    return as_duration(duration)


def as_duration(duration: DurationExpr) -> DurationExpr:
    """`[300]` means, and prints as, `[5m]`."""
    return replace(duration, is_duration=True) if isinstance(duration, NumberLiteral) else duration
