"""Evaluation of a plan: one handler for each class of node; it dispatches, and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from query.execution.aggregate import aggregate
from query.execution.binary import binary
from query.execution.context import EvalContext
from query.execution.errors import UnsupportedError
from query.execution.fused import CannotFuseError, aggregate_over_time
from query.execution.histogram_stats import size_in_samples
from query.execution.info import info
from query.execution.instant_functions import INSTANT_FUNCTIONS, absent_labels
from query.execution.names import merge_equal_series, unnamed
from query.execution.range_functions import absent_over_time, range_function
from query.execution.ranges import RangeVector, raw_samples, select_ranges, vector_ranges
from query.execution.result import RawSeries
from query.execution.selectors import Shown, select_instant
from query.execution.smoothed import select_smoothed
from query.execution.subquery import subquery_steps
from query.execution.values import HistogramArray, Scalar, String, Value, Vector
from query.language import ast
from query.plan import nodes
from tsdb import LabelFrame


def evaluate(node: nodes.PlanNode, context: EvalContext) -> Value:
    """The value of `node` at every step of the context.

    Raises `EvaluationError`, or `LimitError` when the query is to stop.
    """
    first = context.shared.get(id(node))
    return _evaluate(node, context) if first is None else _evaluate_once(first, context)


def _evaluate(node: nodes.PlanNode, context: EvalContext) -> Value:
    context.check()
    in_use, trace, tally = context.budget.in_use, context.trace, context.tally
    begun = trace.seconds() if trace else 0.0
    if tally:
        tally.enter()
    value = _HANDLERS[type(node)](node, context)
    context.budget.settle(in_use + _size(value))
    if tally:
        tally.leave(node, value, context.steps_ms, context.step_ms)
    if trace:
        trace.add(node, _series(value), _size(value), trace.seconds() - begun)
    return value


def _evaluate_once(node: nodes.PlanNode, context: EvalContext) -> Value:
    """The value of a node that stands in the plan several times."""
    steps = context.steps_ms
    key = (id(node), int(steps[0]), int(steps[-1]), context.step_ms)
    known = context.results.get(key)
    if known is not None:
        value, seen = known
        context.looked_at(seen)
        return value
    before = context.seen.copy()
    value = _evaluate(node, context)
    context.results[key] = value, context.seen - before
    context.budget.keep(_size(value))
    return value


def evaluate_ranges(node: nodes.RangeNode, context: EvalContext) -> RangeVector:
    """The samples of a range selector or of a subquery, in the range before each step.

    Whoever reads them counts them; what a subquery's expression looked at is not counted beside.
    """
    if isinstance(node, nodes.RangeSelect):
        return select_ranges(node, context)
    inner = context.at(subquery_steps(node, context), node.step_ms)
    return vector_ranges(node, _values_of_subquery(node, inner), inner.steps_ms, context)


def evaluate_raw(node: nodes.RangeNode, context: EvalContext) -> tuple[LabelFrame, list[RawSeries]]:
    """The samples of each series in the range before the one step, series without any left out.

    What a subquery's expression looked at is counted.
    """
    if isinstance(node, nodes.RangeSelect):
        labels, series = raw_samples(select_ranges(node, context))
        samples = sum(len(each.values) + sum(map(size_in_samples, each.histograms)) for each in series)
        context.looked_at(samples)
        if context.tally:
            context.tally.look_at_all(samples)
        return labels, series
    inner = context.at(subquery_steps(node, context), node.step_ms)
    values = _values_of_subquery(node, inner)
    context.looked_at(int(inner.seen.sum()))
    if context.tally:
        context.tally.end_subquery()
    return raw_samples(vector_ranges(node, values, inner.steps_ms, context))


def _values_of_subquery(node: nodes.SubqueryRange, inner: EvalContext) -> Vector:
    if inner.step_count == 0:
        return Vector(LabelFrame.empty(inner.scope), np.empty((0, 0)))
    values = evaluate(node.operand, inner)
    assert isinstance(values, Vector)
    return values


def _number(node: nodes.Number, context: EvalContext) -> Value:
    return Scalar(np.full(context.step_count, node.value))


def _text(node: nodes.Text, _context: EvalContext) -> Value:
    return String(node.text)


def _invariant(node: nodes.Invariant, context: EvalContext) -> Value:
    """Evaluated at the first step, shown at all of them."""
    first_step = context.first_step()
    value = evaluate(node.operand, first_step)
    context.looked_at(int(first_step.seen[0]))
    if context.is_instant or isinstance(value, String):
        return value
    if isinstance(value, Scalar):
        return Scalar(np.broadcast_to(value.values, context.step_count))
    shape = (context.step_count, value.labels.size)
    context.reserve(context.step_count * value.labels.size)
    return replace(
        value,
        values=np.broadcast_to(value.values, shape),
        present=None if value.present is None else np.broadcast_to(value.present, shape),
        histograms=None if value.histograms is None else np.broadcast_to(value.histograms, shape),
    )


def _negation(node: nodes.Negation, context: EvalContext) -> Value:
    operand = evaluate(node.operand, context)
    if isinstance(operand, Scalar):
        return Scalar(-operand.values)
    assert isinstance(operand, Vector)
    labels, drop_name = unnamed(operand.labels, context)
    histograms = None if operand.histograms is None else _negated_histograms(operand.histograms)
    negated = replace(
        operand, labels=labels, values=-operand.values, histograms=histograms, drop_name=drop_name
    )
    return negated if context.options.delayed_name_removal else merge_equal_series(negated)


def _negated_histograms(cells: HistogramArray) -> HistogramArray:
    negated = np.full(cells.shape, None, dtype=object)
    for step, series in zip(*np.nonzero(cells), strict=True):
        negated[step, series] = cells[step, series].multiply(-1.0)
    return negated


def _aggregate(node: nodes.Aggregate, context: EvalContext) -> Value:
    param = None if node.param is None else evaluate(node.param, context)
    operand = evaluate(node.operand, context)
    assert isinstance(operand, Vector)
    return aggregate(node.source, operand, param, context)


def _aggregate_over_time(node: nodes.AggregateOverTime, context: EvalContext) -> Value:
    in_use = context.budget.in_use
    try:
        if context.tally:
            raise CannotFuseError  # upstream has the function's results in between, and counts them
        return aggregate_over_time(node, context)
    except CannotFuseError:
        context.budget.settle(in_use)
        return _aggregate(nodes.Aggregate(node.call, None, node.source), context)


def _binary(node: nodes.BinaryOperation, context: EvalContext) -> Value:
    lhs = evaluate(node.lhs, context)
    return binary(node.source, lhs, evaluate(node.rhs, context), context)


def _call(node: nodes.FunctionCall, context: EvalContext) -> Value:
    name = node.source.function
    if name == "start_timestamp" or (name == "timestamp" and isinstance(node.args[0], nodes.InstantSelect)):
        return _time_of_samples(node, context)
    for index, arg in enumerate(node.args):
        if isinstance(arg, nodes.RangeSelect | nodes.SubqueryRange):
            return _range_call(node, index, arg, context)
    if name == "info":
        base = evaluate(node.args[0], context)
        assert isinstance(base, Vector)
        return info(node, base, context)
    function = INSTANT_FUNCTIONS.get(name)
    if function is None:
        raise UnsupportedError(f"function {name}() is not supported")
    return function(node.source, [evaluate(arg, context) for arg in node.args], context)


def _time_of_samples(node: nodes.FunctionCall, context: EvalContext) -> Value:
    """`timestamp` and `start_timestamp` of a selector; the values of expressions have lost their start."""
    arg = node.args[0]
    wants_start = node.source.function == "start_timestamp"
    if not isinstance(arg, nodes.InstantSelect) or (wants_start and not context.options.use_start_timestamps):
        return Vector(LabelFrame.empty(context.scope), np.empty((context.step_count, 0)))
    times = select_instant(arg, context, Shown.START_TIMESTAMP if wants_start else Shown.TIMESTAMP)
    labels, drop_name = unnamed(times.labels, context)
    return replace(times, labels=labels, histograms=None, drop_name=drop_name)


def _range_call(
    node: nodes.FunctionCall, range_index: int, range_arg: nodes.RangeNode, context: EvalContext
) -> Value:
    ranges = evaluate_ranges(range_arg, context)
    if context.tally:
        context.tally.look_at(ranges)
    if node.source.function == "absent_over_time":
        return absent_over_time(
            node.source, ranges, absent_labels(node.source.args[0], context.scope), context
        )
    scalars = []
    for index, arg in enumerate(node.args):
        if index != range_index:
            value = evaluate(arg, context)
            assert isinstance(value, Scalar)
            scalars.append(value.values)
    return range_function(node.source, ranges, scalars, context)


def _instant_select(node: nodes.InstantSelect, context: EvalContext) -> Value:
    if node.source.extension is ast.Extension.SMOOTHED:
        return select_smoothed(node, context)
    return select_instant(node, context)


def _series(value: Value) -> int:
    return value.labels.size if isinstance(value, Vector) else 1


def _size(value: Value) -> int:
    return 0 if isinstance(value, String) else value.values.size


_HANDLERS: Final[Mapping[type, Callable[[Any, EvalContext], Value]]] = {
    nodes.Number: _number,
    nodes.Text: _text,
    nodes.InstantSelect: _instant_select,
    nodes.Invariant: _invariant,
    nodes.Negation: _negation,
    nodes.Aggregate: _aggregate,
    nodes.AggregateOverTime: _aggregate_over_time,
    nodes.BinaryOperation: _binary,
    nodes.FunctionCall: _call,
}
