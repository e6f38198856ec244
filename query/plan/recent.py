"""Plans of recent queries: what stands in them seldom depends on the times that a query asks for."""

from functools import lru_cache
from typing import Final, NamedTuple

from query.language import ParserOptions, ast, parse
from query.language.walk import duration_operands, walk
from query.plan.build import build_plan
from query.plan.nodes import PlanNode, QueryWindow
from query.plan.sharing import Shared, shared_parts

_WINDOW_FUNCTIONS: Final = ("start", "end", "range", "step")
_WINDOW_DURATIONS: Final = (ast.DurationFunction.STEP, ast.DurationFunction.RANGE)
_REMEMBERED: Final = 256
_MAX_CHARACTERS: Final = 4096


class Planned(NamedTuple):
    """A plan, and its parts that stand in it more than once."""

    plan: PlanNode
    shared: Shared


def planned(
    query: str | ast.Expr, window: QueryWindow, options: ParserOptions, default_subquery_step_ms: int
) -> Planned:
    """The plan of a query; recent ones are remembered. Thread-safe. Raises `ParseError` and `PlanError`."""
    if isinstance(query, str) and len(query) <= _MAX_CHARACTERS:
        known = _timeless(query, options, default_subquery_step_ms)
        if known is not None:
            return known
    expr = parse(query, options) if isinstance(query, str) else query
    return _planned(expr, window, default_subquery_step_ms)


def depends_on_window(query: ast.Expr) -> bool:
    """Whether the plan may be another for other times: `@ end()`, `range()`, `[2 * step()]`."""
    return any(_looks_at_window(node) for node in walk(query))


def _looks_at_window(node: ast.Expr) -> bool:
    match node:
        case ast.Call():
            return node.function in _WINDOW_FUNCTIONS
        case ast.VectorSelector():
            return isinstance(node.at, ast.AtAnchor) or _is_relative(node.offset)
        case ast.MatrixSelector():
            return _is_relative(node.range)
        case ast.Subquery():
            durations = (node.range, node.step, node.offset)
            return isinstance(node.at, ast.AtAnchor) or any(map(_is_relative, durations))
        case _:
            return False


def _is_relative(duration: ast.DurationExpr | None) -> bool:
    if duration is None:
        return False
    if isinstance(duration, ast.DurationCall) and duration.function in _WINDOW_DURATIONS:
        return True
    return any(map(_is_relative, duration_operands(duration)))


@lru_cache(_REMEMBERED)
def _timeless(text: str, options: ParserOptions, default_subquery_step_ms: int) -> Planned | None:
    expr = parse(text, options)
    any_window = QueryWindow(0, 0, 0)
    return None if depends_on_window(expr) else _planned(expr, any_window, default_subquery_step_ms)


def _planned(expr: ast.Expr, window: QueryWindow, default_subquery_step_ms: int) -> Planned:
    plan = build_plan(expr, window, default_subquery_step_ms=default_subquery_step_ms)
    return Planned(plan, shared_parts(plan))
