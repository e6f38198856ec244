"""Aggregation operators, as upstream's promql/engine.go: rangeEvalAgg, aggregation, aggregationK."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from query.execution.annotations import invalid_quantile
from query.execution.columns import take
from query.execution.context import EvalContext
from query.execution.count_values import count_values
from query.execution.errors import EvaluationError
from query.execution.histogram_aggregate import sum_or_average, without_ignored_histograms
from query.execution.sampling import sampling_offsets
from query.execution.values import HistogramArray, Scalar, String, Value, Vector
from query.kernels.grouped import REDUCTIONS, group_present
from query.kernels.grouping import Grouping
from query.kernels.quantiles import grouped_quantile
from query.kernels.selection import SELECTIONS
from query.language.ast import Aggregation
from tsdb import METRIC_NAME, LabelFrame
from tsdb.numbers import format_number
from tsdb.sample import BoolArray, FloatArray, IntArray

_INT64_LIMIT = 2.0**63

_OF_ONE: Final[Mapping[str, Callable[[FloatArray], FloatArray]]] = {
    "sum": lambda values: values + 0.0,  # which makes 0 of -0
    "avg": lambda values: values + 0.0,
    "min": lambda values: values,
    "max": lambda values: values,
    "count": np.ones_like,
    "group": np.ones_like,
}
"""What groups come to that have one series each."""


def aggregate(node: Aggregation, operand: Vector, param: Value | None, context: EvalContext) -> Vector:
    """`node.op` of `operand` at every step. Raises `EvaluationError` for a parameter that makes no sense."""
    keys = group_labels(node, operand.labels)
    if isinstance(param, String):
        return count_values(node, operand, keys, param.text, context)
    groups = keys.group()
    if groups.count == keys.size and node.op in _OF_ONE and operand.histograms is None:
        context.reserve(operand.values.size)
        return replace(operand, labels=keys, values=_OF_ONE[node.op](operand.values))
    grouping = Grouping.of(groups.ids, groups.count)
    operand = without_ignored_histograms(node, operand, param, context)
    if isinstance(param, Scalar) and node.op != "quantile":
        chosen = _chosen(node, operand, param.values, grouping, context)
        rows = np.flatnonzero(chosen.any(axis=0))
        if context.is_instant:
            rows = _in_order(node.op, rows, operand.values[0], groups.ids)
        return take(replace(operand, present=chosen), rows)
    if isinstance(param, Scalar):
        _remark_invalid_quantiles(node, param.values, context)
    if groups.count == 0:
        return Vector(keys, np.empty((context.step_count, 0)))
    context.reserve(context.step_count * groups.count)
    values, present, histograms = _reduced(node, operand, param, grouping, context)
    drop_name = None
    if operand.drop_name is not None:
        drop_name = np.bincount(groups.ids, weights=operand.drop_name, minlength=groups.count) > 0
    return Vector(keys.take(groups.first), values, present, histograms, drop_name)


def group_labels(node: Aggregation, labels: LabelFrame) -> LabelFrame:
    """The labels that series of one group share."""
    return labels.drop((*node.grouping, METRIC_NAME)) if node.without else labels.keep(node.grouping)


def _reduced(
    node: Aggregation, operand: Vector, param: Value | None, grouping: Grouping, context: EvalContext
) -> tuple[FloatArray, BoolArray | None, HistogramArray | None]:
    """(values, present, histograms), each [step, group]."""
    if operand.histograms is not None and node.op in ("sum", "avg"):
        return sum_or_average(node, operand, grouping, context)
    values = np.empty((context.step_count, grouping.count))
    for steps in context.pieces(operand.labels.size):
        present = None if operand.present is None else operand.present[steps]
        if isinstance(param, Scalar):
            values[steps] = grouped_quantile(param.values[steps], operand.values[steps], present, grouping)
        else:
            values[steps] = REDUCTIONS[node.op](operand.values[steps], present, grouping)
    return values, group_present(operand.present, grouping), None


def _remark_invalid_quantiles(node: Aggregation, quantiles: FloatArray, context: EvalContext) -> None:
    """Upstream tells the greatest and the least of all steps; where one is NaN, both are."""
    assert node.param is not None
    for extreme in (np.max(quantiles, initial=0), np.min(quantiles, initial=0)):
        if not 0 <= extreme <= 1:
            context.annotations.add(invalid_quantile(float(extreme), node.param.span))


def _chosen(
    node: Aggregation, operand: Vector, param: FloatArray, grouping: Grouping, context: EvalContext
) -> BoolArray:
    """Which samples topk, bottomk, limitk or limit_ratio keep: bool[step, series]."""
    shape = operand.values.shape
    present = np.ones(shape, dtype=np.bool_) if operand.present is None else operand.present
    if node.op == "limit_ratio":
        ratios = _checked_ratios(node, param, context)[:, None]
        offsets = sampling_offsets(operand.labels)
        return present & np.where(ratios >= 0, offsets < ratios, offsets >= 1.0 + ratios)
    chosen = np.zeros(shape, dtype=np.bool_)
    sizes = _checked_sizes(param)
    select = SELECTIONS[node.op]
    for piece in context.pieces(operand.labels.size):
        for k in np.unique(sizes[piece][sizes[piece] >= 1]).tolist():
            steps = piece if (sizes[piece] == k).all() else piece.start + np.flatnonzero(sizes[piece] == k)
            chosen[steps] = select(operand.values[steps], present[steps], grouping, k)
    return chosen


def _checked_sizes(param: FloatArray) -> IntArray:
    """K at each step, as an integer."""
    if np.max(param) < 1:
        return np.zeros(len(param), dtype=np.int64)
    if np.isnan(param).any():
        raise EvaluationError("Parameter value is NaN")
    if np.min(param) <= -_INT64_LIMIT:
        raise EvaluationError(f"Scalar value {format_number(float(np.min(param)))} underflows int64")
    if np.max(param) >= _INT64_LIMIT:
        raise EvaluationError(f"Scalar value {format_number(float(np.max(param)))} overflows int64")
    return param.astype(np.int64)


def _checked_ratios(node: Aggregation, param: FloatArray, context: EvalContext) -> FloatArray:
    assert node.param is not None
    if np.isnan(param).any():
        raise EvaluationError("Ratio value is NaN")
    for extreme, bound in ((np.max(param), 1.0), (-np.min(param), -1.0)):
        if extreme > 1.0:
            got = format_number(float(np.copysign(extreme, bound)))
            context.annotations.warning(
                f"ratio value should be between -1 and 1, got {got}, capping to {format_number(bound)}",
                node.param.span,
            )
    return param


_SORT_KEYS: dict[str, Callable[[FloatArray], FloatArray]] = {"topk": np.negative, "bottomk": np.positive}


def _in_order(op: str, rows: IntArray, values: FloatArray, group_ids: IntArray) -> IntArray:
    """Chosen rows as an instant query answers with them: group by group, each by value; NaN last."""
    key = _SORT_KEYS.get(op)
    if key is not None:
        rows = rows[np.argsort(key(values[rows]), kind="stable")]
    return rows[np.argsort(group_ids[rows], kind="stable")]
