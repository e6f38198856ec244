"""Aggregation of native histograms, as upstream's promql/engine.go: aggregation."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import numpy as np

from query.execution.annotations import quoted
from query.execution.columns import float_samples, histogram_cells, present_mask
from query.execution.context import EvalContext
from query.execution.values import HistogramArray, Scalar, Value, Vector
from query.kernels.grouped import REDUCTIONS, group_present
from query.kernels.grouping import Grouping
from query.language.ast import Aggregation, Span
from tsdb import METRIC_NAME
from tsdb.errors import IncompatibleHistogramsError
from tsdb.histogram import CounterReset, FloatHistogram
from tsdb.histogram_arithmetic import HistogramSum
from tsdb.sample import BoolArray, FloatArray

_FLOATS_ONLY: Final = frozenset({"min", "max", "stddev", "stdvar", "quantile", "topk", "bottomk"})
_SELECTING: Final = frozenset({"topk", "bottomk"})

_Samples: TypeAlias = Sequence[tuple[str, FloatHistogram | None]]


def without_ignored_histograms(
    node: Aggregation, operand: Vector, param: Value | None, context: EvalContext
) -> Vector:
    """`operand` without its histograms, if `node.op` has no use for them; this is remarked on.

    Steps that select nothing, as of `topk` with `param` below 1, are not remarked on.
    """
    if operand.histograms is None or node.op not in _FLOATS_ONLY:
        return operand
    ignored = _is_histogram(operand).any(axis=1)
    if node.op in _SELECTING and isinstance(param, Scalar):
        ignored &= param.values >= 1
    if ignored.any():
        span = node.span if node.op in _SELECTING else node.expr.span
        context.annotations.info(f"ignored histogram in {node.op} aggregation", span)
    return replace(operand, present=float_samples(operand), histograms=None)


def sum_or_average(
    node: Aggregation, operand: Vector, grouping: Grouping, context: EvalContext
) -> tuple[FloatArray, BoolArray, HistogramArray]:
    """(values, present, histograms), each [step, group], of a vector with histograms.

    A group has no result where floats and histograms meet, or histograms that can't be added.
    """
    floats, are_histograms = float_samples(operand), _is_histogram(operand)
    values = REDUCTIONS[node.op](operand.values, floats, grouping)
    has_histograms = _group_mask(are_histograms, grouping, values.shape)
    present = _group_mask(floats, grouping, values.shape) & ~has_histograms
    histograms = np.full(values.shape, None, dtype=object)
    cells, names = histogram_cells(operand), operand.labels.values(METRIC_NAME)
    for step, group in zip(*np.nonzero(has_histograms), strict=True):
        members = np.flatnonzero(present_mask(operand)[step] & (grouping.ids == group))
        samples = [(names[member], cells[step, member]) for member in members.tolist()]
        histograms[step, group] = _combined(node, samples, context)
        present[step, group] = histograms[step, group] is not None
    return values, present, histograms


def _combined(node: Aggregation, samples: _Samples, context: EvalContext) -> FloatHistogram | None:
    """The sum or the average of histograms, each with its metric's name; None stands for a float.

    There is none if floats are among them, or buckets of two kinds. Upstream goes through the samples in
    order: behind a float in the first place it looks at no histogram, behind other buckets at nothing more.
    """
    span = node.expr.span
    first = samples[0][1]
    total, seen = (None, samples) if first is None else _added_up(first, samples, span, context)
    if total is None or any(histogram is None for _, histogram in seen):
        context.annotations.warning("encountered a mix of histograms and floats for aggregation", span)
        return None
    if len(seen) < len(samples):
        return None
    parts = [histogram for _, histogram in seen if histogram is not None]
    hints = {part.counter_reset_hint for part in parts}
    if {CounterReset.RESET, CounterReset.NOT_RESET} <= hints:
        context.annotations.warning("conflicting counter resets during histogram aggregation", span)
    if node.op == "sum":
        return total.value.compact()
    if total.value.has_overflow():
        return _average_of_parts(parts).compact()
    return total.value.divide(len(parts)).compact()


def _added_up(
    first: FloatHistogram, samples: _Samples, span: Span, context: EvalContext
) -> tuple[HistogramSum, _Samples]:
    """The sum of the histograms up to one that can't be added, and the samples until there."""
    total = HistogramSum(first)
    for position, (name, histogram) in enumerate(samples):
        if position == 0 or histogram is None:
            continue
        try:
            reconciled = total.add(histogram).bounds_reconciled
        except IncompatibleHistogramsError:
            _remark_mixed_buckets(name, span, context)
            return total, samples[:position]
        if reconciled:
            text = "mismatched custom buckets were reconciled during aggregation"
            context.annotations.info(text, span)
    return total, samples


def _average_of_parts(parts: Sequence[FloatHistogram]) -> FloatHistogram:
    """The average where the sum leaves float64: each part is divided first."""
    first, *rest = (part.divide(len(parts)) for part in parts)
    total = HistogramSum(first)
    for part in rest:
        total.add(part)
    return total.value


def _remark_mixed_buckets(name: str, span: Span, context: EvalContext) -> None:
    text = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name"
    context.annotations.warning(f"{text} {quoted(name)}", span)


def _is_histogram(vector: Vector) -> BoolArray:
    """bool[step, series]: where there is a native histogram."""
    cells: BoolArray = np.not_equal(histogram_cells(vector), np.array(None)) & present_mask(vector)
    return cells


def _group_mask(present: BoolArray | None, grouping: Grouping, shape: tuple[int, ...]) -> BoolArray:
    mask = group_present(present, grouping)
    return np.ones(shape, dtype=np.bool_) if mask is None else mask
