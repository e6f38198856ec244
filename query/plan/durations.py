"""Values of duration expressions (upstream promql/durations.go)."""

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from query.errors import PlanError
from query.language import ast
from query.plan.nodes import QueryWindow

MAX_SECONDS: Final = 2**63 / 1e9
"""Upstream counts durations in nanoseconds of an int64."""


def duration_ms(expr: ast.DurationExpr, window: QueryWindow, *, signed: bool = False) -> int:
    """Whole milliseconds, rounded toward zero; only offsets may be `signed`. Raises `PlanError`."""
    seconds = _seconds(expr, window)
    if not math.isfinite(seconds):
        raise _error(expr, "duration is NaN or infinite")
    if seconds <= 0 and not signed:
        raise _error(expr, "duration must be greater than 0")
    if abs(seconds) > MAX_SECONDS:
        raise _error(expr, "duration is out of range")
    if isinstance(expr, ast.NumberLiteral):
        # Through nanoseconds, as upstream: 1.003 s are 1003 ms, though 1.003 * 1000 is a little less.
        return math.trunc(round(seconds * 1e9) / 1e6)
    return math.trunc(seconds * 1000)


def _seconds(expr: ast.DurationExpr, window: QueryWindow) -> float:
    match expr:
        case ast.NumberLiteral():
            return expr.value
        case ast.DurationParen():
            return _seconds(expr.operand, window)
        case ast.DurationUnary():
            operand = _seconds(expr.operand, window)
            return -operand if expr.op == "-" else operand
        case ast.DurationCall():
            return _CALLS[expr.function](window, [_seconds(arg, window) for arg in expr.args])
        case ast.DurationBinary():
            lhs, rhs = _seconds(expr.lhs, window), _seconds(expr.rhs, window)
            if rhs == 0 and expr.op in _NOT_BY_ZERO:
                raise _error(expr, _NOT_BY_ZERO[expr.op])
            return _OPERATIONS[expr.op](lhs, rhs)


def _error(expr: ast.DurationExpr, message: str) -> PlanError:
    return PlanError(f"{expr.span.start}:{expr.span.end}: {message}")


def _modulo(lhs: float, rhs: float) -> float:
    return math.fmod(lhs, rhs) if math.isfinite(lhs) else math.nan


def _power(lhs: float, rhs: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.power(lhs, rhs))


_NOT_BY_ZERO: Final[Mapping[str, str]] = {"/": "division by zero", "%": "modulo by zero"}

_OPERATIONS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": lambda lhs, rhs: lhs + rhs,
    "-": lambda lhs, rhs: lhs - rhs,
    "*": lambda lhs, rhs: lhs * rhs,
    "/": lambda lhs, rhs: lhs / rhs,
    "%": _modulo,
    "^": _power,
}

_CALLS: Final[Mapping[ast.DurationFunction, Callable[[QueryWindow, list[float]], float]]] = {
    ast.DurationFunction.STEP: lambda window, _: window.step_ms / 1000,
    ast.DurationFunction.RANGE: lambda window, _: (window.end_ms - window.start_ms) / 1000,
    ast.DurationFunction.MIN: lambda _, args: min(args),
    ast.DurationFunction.MAX: lambda _, args: max(args),
}
