"""From AST to plan (upstream promql/engine.go: PreprocessExpr).

Resolves `@`, `offset` and durations, folds constants, takes superfluous parentheses away, joins aggregations
with the function of a range below them, and marks the highest parts that are the same at every step.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from query.language import ast
from query.language.literals import as_utf8
from query.plan.durations import duration_ms
from query.plan.folding import folded
from query.plan.fusing import fused
from query.plan.nodes import (
    Aggregate,
    BinaryOperation,
    FunctionCall,
    InstantSelect,
    Invariant,
    Negation,
    Number,
    PlanNode,
    QueryWindow,
    RangeSelect,
    SubqueryRange,
    Text,
)

STEP_DEPENDENT_FUNCTIONS: Final = frozenset(
    {
        *("days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year"),
        *("predict_linear", "time", "timestamp"),
    }
)
"""Functions that look at the time of evaluation or of samples, which a fixed argument does not fix."""


STATISTICS_FUNCTIONS: Final = frozenset({"histogram_avg", "histogram_count", "histogram_sum"})
BUCKET_FUNCTIONS: Final = frozenset({"histogram_fraction", "histogram_quantile", "histogram_quantiles"})


def build_plan(expr: ast.Expr, window: QueryWindow, *, default_subquery_step_ms: int) -> PlanNode:
    """The plan of `expr` for one query. Raises `PlanError`."""
    return _Planner(window, default_subquery_step_ms).build(expr).wrapped()


class _Part(NamedTuple):
    """A node, and whether it is the same at every step. Literals and ranges gain nothing by a mark."""

    node: PlanNode
    is_invariant: bool
    worth_marking: bool

    def wrapped(self) -> PlanNode:
        return Invariant(self.node) if self.is_invariant and self.worth_marking else self.node


@dataclass(frozen=True)
class _Planner:
    """`wants_statistics` and `needs_buckets`: what stands above asks for, of native histograms.

    Source: upstream detectHistogramStatsDecoding.
    """

    window: QueryWindow
    default_subquery_step_ms: int
    wants_statistics: bool = False
    needs_buckets: bool = False

    @property
    def skips_buckets(self) -> bool:
        return self.wants_statistics and not self.needs_buckets

    def build(self, expr: ast.Expr) -> _Part:
        match expr:
            case ast.NumberLiteral():
                return _Part(Number(expr.value), is_invariant=True, worth_marking=False)
            case ast.StringLiteral():
                return _Part(Text(as_utf8(expr.value)), is_invariant=True, worth_marking=False)
            case ast.VectorSelector():
                at_ms = self._at(expr.at)
                node = InstantSelect(
                    expr.matchers, self._offset(expr.offset), at_ms, expr, self.skips_buckets
                )
                return _Part(node, at_ms is not None, worth_marking=True)
            case ast.MatrixSelector():
                return self._range_select(expr)
            case ast.Subquery():
                return self._subquery(expr)
            case ast.Paren():
                return self.build(expr.expr)
            case ast.Unary():
                operand = self.build(expr.expr)
                negated = folded(Negation(operand.node, expr))
                return operand._replace(node=negated) if expr.op == "-" else operand
            case ast.Binary():
                return self._binary(expr)
            case ast.Aggregation():
                return self._aggregation(expr)
            case ast.Call():
                return self._call(expr)

    def _range_select(self, expr: ast.MatrixSelector) -> _Part:
        selector = expr.selector
        at_ms = self._at(selector.at)
        range_ms = duration_ms(expr.range, self.window)
        offset_ms = self._offset(selector.offset)
        node = RangeSelect(selector.matchers, range_ms, offset_ms, at_ms, expr, self.skips_buckets)
        return _Part(node, at_ms is not None, worth_marking=False)

    def _subquery(self, expr: ast.Subquery) -> _Part:
        """The inner expression is evaluated once if it is invariant, whether or not the range moves."""
        inner = replace(self, needs_buckets=True).build(expr.expr)
        at_ms = self._at(expr.at)
        step_ms = duration_ms(expr.step, self.window) if expr.step else 0
        node = SubqueryRange(
            Invariant(inner.node) if inner.is_invariant else inner.node,
            duration_ms(expr.range, self.window),
            step_ms or self.default_subquery_step_ms,  # also for a step of less than a millisecond
            self._offset(expr.offset),
            at_ms,
            expr,
        )
        return _Part(node, at_ms is not None, worth_marking=False)

    def _binary(self, expr: ast.Binary) -> _Part:
        planner = replace(self, needs_buckets=True) if expr.op in ("</", ">/") else self
        lhs, rhs = planner.build(expr.lhs), planner.build(expr.rhs)
        if lhs.is_invariant and rhs.is_invariant:
            node = folded(BinaryOperation(lhs.node, rhs.node, expr))
            return _Part(node, is_invariant=True, worth_marking=not isinstance(node, Number))
        node = BinaryOperation(lhs.wrapped(), rhs.wrapped(), expr)
        return _Part(node, is_invariant=False, worth_marking=False)

    def _aggregation(self, expr: ast.Aggregation) -> _Part:
        source = replace(expr, expr=_bare(expr.expr), param=None if expr.param is None else _bare(expr.param))
        operand = self.build(source.expr)
        if source.param is None:
            return operand._replace(node=fused(Aggregate(operand.node, None, source)), worth_marking=True)
        param = self.build(source.param)
        if operand.is_invariant and param.is_invariant:
            node = Aggregate(operand.node, param.node, source)
            return _Part(node, is_invariant=True, worth_marking=True)
        node = Aggregate(operand.wrapped(), param.wrapped(), source)
        return _Part(node, is_invariant=False, worth_marking=False)

    def _call(self, expr: ast.Call) -> _Part:
        constant = self._query_constant(expr.function)
        if constant is not None:
            return _Part(Number(constant), is_invariant=True, worth_marking=False)
        source = replace(expr, args=tuple(_bare(arg) for arg in expr.args))
        planner = replace(
            self,
            wants_statistics=self.wants_statistics or expr.function in STATISTICS_FUNCTIONS,
            needs_buckets=self.needs_buckets or expr.function in BUCKET_FUNCTIONS,
        )
        args = [planner.build(arg) for arg in source.args]
        if all(arg.is_invariant for arg in args) and _is_fixed_by_its_args(source):
            node = FunctionCall(tuple(arg.node for arg in args), source)
            return _Part(node, is_invariant=True, worth_marking=True)
        node = FunctionCall(tuple(arg.wrapped() for arg in args), source)
        return _Part(node, is_invariant=False, worth_marking=False)

    def _query_constant(self, function: str) -> float | None:
        """The functions without arguments that tell of the query itself, in seconds."""
        window = self.window
        match function:
            case "start":
                return window.start_ms / 1000
            case "end":
                return window.end_ms / 1000
            case "range":
                return (window.end_ms - window.start_ms) / 1000
            case "step":
                return window.step_ms / 1000 if window.start_ms != window.end_ms else 0.0
            case _:
                return None

    def _at(self, at: int | ast.AtAnchor | None) -> int | None:
        if isinstance(at, ast.AtAnchor):
            return self.window.start_ms if at is ast.AtAnchor.START else self.window.end_ms
        return at

    def _offset(self, offset: ast.DurationExpr | None) -> int:
        return 0 if offset is None else duration_ms(offset, self.window, signed=True)


def _is_fixed_by_its_args(call: ast.Call) -> bool:
    """Whether invariant arguments make an invariant call: `timestamp(x @ 1)`, not `timestamp(abs(x @ 1))`."""
    if call.function == "timestamp":
        return isinstance(call.args[0], ast.VectorSelector)
    return call.function not in STEP_DEPENDENT_FUNCTIONS


def _bare(expr: ast.Expr) -> ast.Expr:
    while isinstance(expr, ast.Paren):
        expr = expr.expr
    return expr
