"""The engine: a query and a snapshot of the store in, a result out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from query.errors import PlanError
from query.execution.annotations import Annotations
from query.execution.context import EngineOptions, EvalContext, Results, steps_between
from query.execution.control import Control, SampleBudget
from query.execution.names import drop_flagged_names
from query.execution.result import (
    InstantVector,
    RangeMatrix,
    RawMatrix,
    RawSeries,
    Result,
    ResultValue,
    ScalarPoint,
    Statistics,
    StringPoint,
)
from query.execution.trace import Explanation, Stopwatch, Trace, explanation
from query.execution.values import Scalar, String, Value, Vector
from query.language import ast
from query.plan import Batch, PlanNode, QueryWindow, Shared
from query.plan.nodes import RangeSelect, SubqueryRange
from query.plan.recent import Planned, planned
from tsdb import LabelFrame, Snapshot, Store

if TYPE_CHECKING:
    from query.execution.reads import Read
    from query.why import Diagnosis

ValueT = TypeVar("ValueT")


class Engine:
    """Evaluates queries; it keeps no state between them, so any number may run at once.

    Both methods raise `ParseError` and `PlanError` for a query that can't be asked, `EvaluationError` for one
    that can't be answered, and `LimitError` for one that is stopped.
    """

    def __init__(
        self, options: EngineOptions | None = None, *, seconds: Callable[[], float] = lambda: 0.0
    ) -> None:
        """`seconds` is a clock for the statistics."""
        self.options = options or EngineOptions()
        self._seconds = seconds

    def instant(
        self, snapshot: Snapshot, query: str | ast.Expr, time_ms: int, *, control: Control | None = None
    ) -> Result:
        """The value of `query` at one time."""
        return _instant(*self._prepared(snapshot, query, QueryWindow(time_ms, time_ms, 0), control), time_ms)

    def batch(self, queries: Sequence[ast.Expr]) -> Batch:
        """Queries for `instants`."""
        return Batch(queries, default_subquery_step_ms=self.options.default_subquery_step_ms)

    def instants(
        self, snapshot: Snapshot, queries: Batch, time_ms: int, *, control: Control | None = None
    ) -> list[Callable[[], Result]]:
        """For each query a call that gives its value at one time, or raises; what is equal is evaluated once.

        Each has a budget of samples of its own. What is remarked on an equal part stands in the annotations
        of the query that is called first. Not to be called by several threads at once.
        """
        window = QueryWindow(time_ms, time_ms, 0)
        plans, shared, widest = queries.planned(time_ms)
        for node in widest:  # so that shorter ranges find their samples read
            end_ms = (time_ms if node.at_ms is None else node.at_ms) - node.offset_ms
            snapshot.select(node.matchers, end_ms - node.range_ms + 1, end_ms)
        results: Results = {}

        def evaluated(plan: PlanNode | PlanError) -> Result:
            if isinstance(plan, PlanError):
                raise plan.with_traceback(None)  # it is raised at each evaluation
            context = self._context(
                snapshot, window, control, shared, Stopwatch(self._seconds), results=results
            )
            return _instant(plan, context, time_ms)

        return [partial(evaluated, plan) for plan in plans]

    def range(
        self,
        snapshot: Snapshot,
        query: str | ast.Expr,
        start_ms: int,
        end_ms: int,
        step_ms: int,
        *,
        control: Control | None = None,
    ) -> Result:
        """The values of `query` at `start_ms` and every `step_ms` from there to `end_ms`, as a `RangeMatrix`.

        Requires: `start_ms <= end_ms`, `step_ms > 0`.
        """
        return _range(*self._prepared(snapshot, query, QueryWindow(start_ms, end_ms, step_ms), control))

    def explain(
        self,
        snapshot: Snapshot,
        query: str | ast.Expr,
        window: QueryWindow,
        *,
        seconds: Callable[[], float],
        control: Control | None = None,
    ) -> Explanation:
        """The plan of `query`, with what each node gave and took; `seconds` is a clock.

        An instant query's window has equal bounds, and `step_ms` 0.
        """
        plan, context = self._prepared(snapshot, query, window, control)
        trace = Trace(seconds)
        if window.step_ms:
            _range(plan, replace(context, trace=trace))
        else:
            _instant(plan, replace(context, trace=trace), window.start_ms)
        return explanation(plan, trace)

    def why(
        self,
        snapshot: Snapshot,
        query: str | ast.Expr,
        window: QueryWindow,
        *,
        control: Control | None = None,
    ) -> "Diagnosis":
        """Whether the answer to `query` is empty, and why; an instant query's window is as for `explain`."""
        from query.why.search import diagnose  # noqa: PLC0415  few ask, and it evaluates

        return diagnose(*self._prepared(snapshot, query, window, control))

    def reads(self, query: str | ast.Expr, window: QueryWindow) -> "list[Read]":
        """Which samples `query` looks at."""
        from query.execution.reads import reads  # noqa: PLC0415  start-up, as below

        return list(reads(*self._prepared(Store(retention_ms=None).snapshot(0), query, window, None)))

    def plan(self, query: str | ast.Expr, window: QueryWindow) -> Explanation:
        """The plan of `query`, not evaluated."""
        return explanation(self._planned(query, window).plan)

    def _prepared(
        self, snapshot: Snapshot, query: str | ast.Expr, window: QueryWindow, control: Control | None
    ) -> tuple[PlanNode, EvalContext]:
        stopwatch = Stopwatch(self._seconds)
        plan, shared = self._planned(query, window)
        text = query if isinstance(query, str) else ""
        return plan, self._context(snapshot, window, control, shared, stopwatch, text=text)

    def _planned(self, query: str | ast.Expr, window: QueryWindow) -> Planned:
        return planned(query, window, self.options.parser, self.options.default_subquery_step_ms)

    def _context(
        self,
        snapshot: Snapshot,
        window: QueryWindow,
        control: Control | None,
        shared: Shared,
        stopwatch: Stopwatch,
        *,
        text: str = "",
        results: Results | None = None,
    ) -> EvalContext:
        tally = None
        if self.options.counts_samples:
            from query.execution.tally import Tally  # noqa: PLC0415  few ask

            tally, shared = Tally(), {}  # upstream evaluates equal parts again
        return EvalContext(
            steps_between(window.start_ms, window.end_ms, max(window.step_ms, 1)),
            max(window.step_ms, 1),
            snapshot,
            self.options,
            Annotations(text),
            control or Control(),
            SampleBudget(self.options.max_samples),
            stopwatch,
            shared,
            {} if results is None else results,
            tally=tally,
        )


def _instant(plan: PlanNode, context: EvalContext, time_ms: int) -> Result:
    from query.execution.evaluate import evaluate, evaluate_raw  # noqa: PLC0415  start-up: 2 MB

    if isinstance(plan, RangeSelect | SubqueryRange):
        return _result(lambda: evaluate_raw(plan, context), _raw_matrix, context)
    return _result(lambda: evaluate(plan, context), partial(_instant_value, time_ms=time_ms), context)


def _range(plan: PlanNode, context: EvalContext) -> Result:
    if isinstance(plan, RangeSelect | SubqueryRange):
        raise PlanError(_wrong_type("range vector"))
    from query.execution.evaluate import evaluate  # noqa: PLC0415  as above

    return _result(lambda: evaluate(plan, context), partial(_range_matrix, context=context), context)


def _instant_value(value: Value, time_ms: int) -> ResultValue:
    match value:
        case Scalar():
            return ScalarPoint(time_ms, float(value.values[0]))
        case String():
            return StringPoint(time_ms, value.text)
        case Vector():
            vector = drop_flagged_names(value)
            histograms = None if vector.histograms is None else vector.histograms[0]
            labels, values = vector.labels, vector.values[0]
            if vector.present is not None and not vector.present.all():
                kept = vector.present[0]
                labels, values = labels.take(kept), values[kept]
                histograms = None if histograms is None else histograms[kept]
            return InstantVector(time_ms, labels, values, histograms)


def _range_matrix(value: Value, context: EvalContext) -> RangeMatrix:
    if isinstance(value, String):
        raise PlanError(_wrong_type("string"))
    if isinstance(value, Scalar):
        labels = LabelFrame.empty(context.scope, 1)
        return RangeMatrix(context.steps_ms, labels, value.values[:, None])
    vector = drop_flagged_names(value)
    present = vector.present
    if vector.labels.size <= 1 and (present is None or present.any()):
        return RangeMatrix(context.steps_ms, vector.labels, vector.values, present, vector.histograms)
    order = np.arange(vector.labels.size) if present is None else np.flatnonzero(present.any(axis=0))
    labels = vector.labels if present is None else vector.labels.take(order)
    by_labels = labels.order()
    order = order[by_labels]
    return RangeMatrix(
        context.steps_ms,
        labels.take(by_labels),
        vector.values[:, order],
        None if present is None else present[:, order],
        None if vector.histograms is None else vector.histograms[:, order],
    )


def _raw_matrix(samples: tuple[LabelFrame, list[RawSeries]]) -> RawMatrix:
    labels, series = samples
    order = labels.order()
    return RawMatrix(labels.take(order), tuple(series[row] for row in order.tolist()))


def _result(
    evaluated: Callable[[], ValueT], shown: Callable[[ValueT], ResultValue], context: EvalContext
) -> Result:
    """What `shown` makes of the value, with the time that each took."""
    preparation = context.stopwatch.lap()
    with np.errstate(all="ignore"):
        value = evaluated()
        evaluation = context.stopwatch.lap()
        result = shown(value)
    sorting, peak, read = context.stopwatch.lap(), context.budget.peak, None
    if context.tally:
        peak, read = context.tally.peak, context.tally.read
    stats = Statistics(context.steps_ms, context.seen, peak, preparation, evaluation, sorting, read)
    return Result(result, context.annotations, stats)


def _wrong_type(found: str) -> str:
    return f'invalid expression type "{found}" for range query, must be Scalar or instant Vector'
