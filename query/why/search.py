"""From an empty answer down to the deepest parts of the query that are empty while what they take is not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, TypeGuard

import numpy as np

from query.execution.columns import present_mask
from query.execution.context import EvalContext
from query.execution.evaluate import evaluate, evaluate_ranges, evaluate_raw
from query.execution.subquery import subquery_steps
from query.execution.values import Scalar, Value, Vector
from query.kernels.ranges import RANGE_KERNELS
from query.language import ast
from query.language.literals import format_duration_ms
from query.plan import PlanNode, nodes
from query.plan.sharing import all_parts, children, is_costly
from query.why.finding import Diagnosis, Finding, Kind
from query.why.functions import aggregation_cause, function_cause
from query.why.not_a_number import is_nan, nan_cause
from query.why.operators import binary_cause
from query.why.times import selector_causes, too_few_samples


def diagnose(plan: PlanNode, context: EvalContext) -> Diagnosis:
    """Why the plan gives no sample at any step of the context. Raises what evaluating it raises."""
    once = {id(part): part for part in all_parts(plan) if is_costly(part)}
    context = replace(context, shared={**once, **context.shared})
    with np.errstate(all="ignore"):
        found: Iterator[Finding] = iter(())
        if is_range(plan):
            empty = evaluate_raw(plan, context)[0].size == 0
            found = _range_causes(plan, context) if empty else found
        else:
            value = evaluate(plan, context)
            empty = is_empty(value)
            if empty or is_nan(value):
                found = causes(plan, context) if empty else nan_causes(plan, context)
        distinct = {(finding.expr, finding.text): finding for finding in found}
    return Diagnosis(empty, tuple(distinct.values()))


def causes(node: PlanNode, context: EvalContext) -> Iterator[Finding]:
    """Why a node has no sample. Requires: it has none at any step of the context."""
    context.check()
    yield from _CAUSES[type(node)](node, context)


def is_range(node: PlanNode) -> TypeGuard[nodes.RangeNode]:
    """Whether a node is a range of samples, which is not evaluated by itself."""
    return isinstance(node, nodes.RangeSelect | nodes.SubqueryRange)


def is_empty(value: Value) -> bool:
    """Whether there is no sample at any step."""
    return isinstance(value, Vector) and not present_mask(value).any()


def nan_causes(node: PlanNode, context: EvalContext) -> Iterator[Finding]:
    """Why a node gives NaN. Requires: it does, and nothing but NaN, at each step of the context."""
    context.check()
    match node:
        case nodes.Invariant():
            yield from nan_causes(node.operand, context.first_step())
            return
        case nodes.AggregateOverTime():
            yield from nan_causes(node.call, context)
            return
        case nodes.FunctionCall(source=ast.Call("scalar")):
            operand = evaluate(node.args[0], context)
            if is_empty(operand):
                yield from causes(node.args[0], context)
                return
    values = [(child, evaluate(child, context)) for child in children(node) if not is_range(child)]
    from_below = [child for child, value in values if is_nan(value)]
    for child in from_below:
        yield from nan_causes(child, context)
    if not from_below:
        yield nan_cause(node, [value for _, value in values])


def _invariant(node: nodes.Invariant, context: EvalContext) -> Iterator[Finding]:
    yield from causes(node.operand, context.first_step())


def _negation(node: nodes.Negation, context: EvalContext) -> Iterator[Finding]:
    yield from causes(node.operand, context)


def _aggregate(node: nodes.Aggregate, context: EvalContext) -> Iterator[Finding]:
    operand = evaluate(node.operand, context)
    if is_empty(operand):
        yield from causes(node.operand, context)
    else:
        yield aggregation_cause(node.source, operand)


def _aggregate_over_time(node: nodes.AggregateOverTime, context: EvalContext) -> Iterator[Finding]:
    yield from _aggregate(nodes.Aggregate(node.call, None, node.source), context)


def _binary(node: nodes.BinaryOperation, context: EvalContext) -> Iterator[Finding]:
    source = node.source
    lhs, rhs = evaluate(node.lhs, context), evaluate(node.rhs, context)
    needed = [(node.lhs, lhs)] if source.op == "unless" else [(node.lhs, lhs), (node.rhs, rhs)]
    empty = [operand for operand, value in needed if is_empty(value)]
    for operand in empty:
        yield from causes(operand, context)
    if empty:
        return
    yield binary_cause(source, lhs, rhs, context)
    for operand, value in needed:
        if isinstance(value, Scalar) and is_nan(value) and not isinstance(operand, nodes.Number):
            yield from nan_causes(operand, context)


def _call(node: nodes.FunctionCall, context: EvalContext) -> Iterator[Finding]:
    name = node.source.function
    for arg in node.args:
        if is_range(arg):
            yield from _range_call(node, arg, context)
            return
    values = [evaluate(arg, context) for arg in node.args]
    empty = [arg for arg, value in zip(node.args, values, strict=True) if is_empty(value)]
    if empty and name != "absent":
        yield from causes(empty[0], context)
    else:
        yield function_cause(node.source, values)


def _range_call(node: nodes.FunctionCall, ranges: nodes.RangeNode, context: EvalContext) -> Iterator[Finding]:
    """Why a function of ranges gives nothing: no samples, too few, or none of a kind that it takes."""
    call = node.source
    most = _most_samples(ranges, context)
    if call.function == "absent_over_time":
        text = (
            "there are samples in the range, and absent_over_time() gives something only where there are none"
        )
        yield Finding.of(Kind.NOT_ABSENT, call, text)
    elif not most:
        yield from _range_causes(ranges, context)
    elif most < RANGE_KERNELS[call.function].min_samples:
        yield too_few_samples(call, ranges, context)
    else:
        samples = evaluate_ranges(ranges, context)
        kinds = ["floats"] * any(True for _ in samples.blocks()) + ["native histograms"] * bool(
            samples.histograms
        )
        text = f"{call.function}() gives nothing for {' and '.join(kinds)}"
        yield Finding.of(Kind.WRONG_SAMPLES, call, text)


def _most_samples(ranges: nodes.RangeNode, context: EvalContext) -> int:
    """The most samples that a series has in one range."""
    if isinstance(ranges, nodes.RangeSelect):
        plain = replace(ranges.source, selector=replace(ranges.source.selector, extension=None))
        ranges = replace(ranges, source=plain)
    call = ast.Call("count_over_time", (ranges.source,))
    counts = evaluate(nodes.FunctionCall((ranges,), call), context)
    assert isinstance(counts, Vector)
    return int(counts.values.max(initial=0.0, where=present_mask(counts)))


def _range_causes(node: nodes.RangeNode, context: EvalContext) -> Iterator[Finding]:
    """Why there is no sample in any range."""
    if isinstance(node, nodes.RangeSelect):
        yield from selector_causes(node, context)
        return
    inner = context.at(subquery_steps(node, context), node.step_ms)
    if inner.step_count and is_empty(evaluate(node.operand, inner)):
        yield from causes(node.operand, inner)
        return
    length, step = format_duration_ms(node.range_ms), format_duration_ms(node.step_ms)
    text = f"no multiple of the step {step} at which the subquery has a sample lies in the range of {length}"
    yield Finding.of(Kind.SHORT_RANGE, node.source, text)


_CAUSES: Final[Mapping[type, Callable[[Any, EvalContext], Iterator[Finding]]]] = {
    nodes.InstantSelect: selector_causes,
    nodes.Invariant: _invariant,
    nodes.Negation: _negation,
    nodes.Aggregate: _aggregate,
    nodes.AggregateOverTime: _aggregate_over_time,
    nodes.BinaryOperation: _binary,
    nodes.FunctionCall: _call,
}
