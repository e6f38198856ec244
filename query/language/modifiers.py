"""`offset`, `@`, `anchored` and `smoothed` change the selector or subquery before them.

Each function raises `ProblemError`.
"""

import math
from dataclasses import replace
from typing import Any, Final, TypeAlias

from query.language.ast import (
    AtAnchor,
    DurationExpr,
    Expr,
    Extension,
    MatrixSelector,
    NumberLiteral,
    Span,
    Subquery,
    VectorSelector,
)
from query.language.durations import as_duration
from query.language.literals import format_number
from query.language.problem import ProblemError

Selecting: TypeAlias = VectorSelector | MatrixSelector | Subquery

_AT_LIMIT_SECONDS: Final = float(2**63 - 1)


def extend(operand: Expr, kind: Extension) -> Expr:
    match operand:
        case VectorSelector():
            selector = operand
        case MatrixSelector():
            selector = operand.selector
        case Subquery():
            raise ProblemError(f"{kind.value} modifier is not supported for subqueries", operand.span)
        case _:
            raise ProblemError(f"{kind.value} modifier not implemented", operand.span)
    if selector.extension not in (None, kind):
        raise ProblemError("anchored and smoothed modifiers cannot be used together", operand.span)
    return _modified(operand, operand.span.end, extension=kind)


def add_offset(operand: Expr, duration: DurationExpr) -> Expr:
    """An offset of zero is none."""
    selecting = _require_selecting(operand, "offset")
    if _time_modifiers(selecting).offset is not None:
        raise ProblemError("offset may not be set multiple times", selecting.span)
    is_zero = isinstance(duration, NumberLiteral) and duration.value == 0
    return _modified(selecting, duration.span.end, offset=None if is_zero else as_duration(duration))


def add_at_time(operand: Expr, time: NumberLiteral) -> Expr:
    seconds = time.value
    if not abs(seconds) < _AT_LIMIT_SECONDS:
        shown = f"{seconds:f}" if math.isfinite(seconds) else format_number(seconds)
        raise ProblemError(f"timestamp out of bounds for @ modifier: {shown}", operand.span)
    return add_at(operand, _round_half_away(seconds * 1000), time.span.end)


def add_at(operand: Expr, at: int | AtAnchor, end: int) -> Expr:
    selecting = _require_selecting(operand, "@")
    if _time_modifiers(selecting).at is not None:
        raise ProblemError("@ <timestamp> may not be set multiple times", selecting.span)
    return _modified(selecting, end, at=at)


def _round_half_away(value: float) -> int:
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def _require_selecting(operand: Expr, modifier: str) -> Selecting:
    if isinstance(operand, VectorSelector | MatrixSelector | Subquery):
        return operand
    selectors = "an instant vector selector or range vector selector or a subquery"
    raise ProblemError(f"{modifier} modifier must be preceded by {selectors}", operand.span)


def _time_modifiers(selecting: Selecting) -> VectorSelector | Subquery:
    """The node that holds `offset` and `at`."""
    return selecting.selector if isinstance(selecting, MatrixSelector) else selecting


def _modified(selecting: Selecting, end: int, **modifier: Any) -> Selecting:
    span = Span(selecting.span.start, end)
    if isinstance(selecting, MatrixSelector):
        return replace(selecting, selector=replace(selecting.selector, **modifier), span=span)
    return replace(selecting, span=span, **modifier)
