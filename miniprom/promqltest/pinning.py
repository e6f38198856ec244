"""The same query at another time: `@` put on its selectors (upstream atModifierTestCases)."""

from dataclasses import replace
from typing import Final

from query.language.ast import (
    Aggregation,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
)
from query.language.walk import children

_DEPEND_ON_EVALUATION_TIME: Final = frozenset(
    {
        "days_in_month", "day_of_month", "day_of_week", "day_of_year", "end", "hour", "minute", "month",
        "predict_linear", "range", "start", "step", "time", "timestamp", "year",
    }
)  # fmt: skip


def depends_on_evaluation_time(expr: Expr) -> bool:
    """Whether a function outside of subqueries answers by the evaluation time, whatever its arguments."""
    if isinstance(expr, Subquery):
        return False
    if isinstance(expr, Call) and expr.function in _DEPEND_ON_EVALUATION_TIME:
        return True
    return any(depends_on_evaluation_time(child) for child in children(expr))


def pinned(expr: Expr, time_ms: int) -> Expr:
    """The expression with `@ time_ms` on each selector and outermost subquery that has no time of its own."""
    match expr:
        case VectorSelector():
            return _pinned_selector(expr, time_ms)
        case Subquery():
            return expr if isinstance(expr.at, int) else replace(expr, at=time_ms)
        case MatrixSelector():
            return replace(expr, selector=_pinned_selector(expr.selector, time_ms))
        case Call():
            return replace(expr, args=tuple(pinned(arg, time_ms) for arg in expr.args))
        case Aggregation():
            param = None if expr.param is None else pinned(expr.param, time_ms)
            return replace(expr, expr=pinned(expr.expr, time_ms), param=param)
        case Binary():
            return replace(expr, lhs=pinned(expr.lhs, time_ms), rhs=pinned(expr.rhs, time_ms))
        case Unary() | Paren():
            return replace(expr, expr=pinned(expr.expr, time_ms))
        case _:
            return expr


def _pinned_selector(selector: VectorSelector, time_ms: int) -> VectorSelector:
    return selector if isinstance(selector.at, int) else replace(selector, at=time_ms)
