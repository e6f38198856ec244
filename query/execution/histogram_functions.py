"""`histogram_quantile`, `histogram_quantiles` and `histogram_fraction` of classic histograms.

Upstream: promql/functions.go, funcHistogramQuantile, funcHistogramQuantiles, funcHistogramFraction.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from query.execution.annotations import ForcedMonotonicity, Severity, for_metric, invalid_quantile
from query.execution.classic_histogram import Cells, ClassicHistograms, classic_histograms, evaluate
from query.execution.columns import concat, present_mask
from query.execution.context import EvalContext
from query.execution.math_functions import InstantFunction
from query.execution.names import merge_equal_series, unnamed
from query.execution.values import Scalar, String, Value, Vector
from query.kernels.buckets import Mending, bucket_fraction, bucket_quantile
from query.language.ast import Call, Expr, Span
from tsdb import METRIC_NAME
from tsdb.numbers import format_number
from tsdb.sample import FloatArray

_FORCED: Final = (
    "input to histogram_quantile needed to be fixed for monotonicity "
    "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
)


def _histogram_quantile(node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    quantile, vector = args
    assert isinstance(quantile, Scalar)
    assert isinstance(vector, Vector)
    _remark_invalid(quantile.values, node.args[0], context)
    span = node.args[1].span
    histograms = classic_histograms(vector, span, context)
    return merge_equal_series(_quantile_of(quantile.values, histograms, span, context))


def _histogram_quantiles(node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    """One series for each histogram and quantile, which stands in the given label."""
    vector, label, *quantiles = args
    assert isinstance(vector, Vector)
    assert isinstance(label, String)
    span = node.args[0].span
    histograms = classic_histograms(vector, span, context)
    result: Vector | None = None
    for number, quantile in enumerate(quantiles):
        assert isinstance(quantile, Scalar)
        _remark_invalid(quantile.values, node.args[2 + number], context)
        part = _quantile_of(quantile.values, histograms, span, context)
        for value in np.unique(quantile.values).tolist():
            labels = part.labels.with_values(label.text, [_open_metrics(value)] * part.labels.size)
            at = (quantile.values == value) | np.isnan(quantile.values) & np.isnan(value)
            present = at[:, None] & present_mask(part)
            labelled = Vector(labels, part.values, present, drop_name=part.drop_name)
            result = labelled if result is None else concat(result, labelled)
    assert result is not None
    return merge_equal_series(result)


def _histogram_fraction(node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    lower, upper, vector = args
    assert isinstance(lower, Scalar)
    assert isinstance(upper, Scalar)
    assert isinstance(vector, Vector)
    histograms = classic_histograms(vector, node.args[2].span, context)

    def fraction(cells: Cells, bounds: FloatArray, counts: FloatArray) -> FloatArray:
        low, high = (_of_cells(limit.values, cells, counts) for limit in (lower, upper))
        return bucket_fraction(low, high, bounds, counts)

    values, present = evaluate(histograms, context.step_count, fraction)
    labels, drop_name = unnamed(histograms.labels, context)
    return merge_equal_series(Vector(labels, values, present, drop_name=drop_name))


HISTOGRAM_FUNCTIONS: Final[Mapping[str, InstantFunction]] = {
    "histogram_fraction": _histogram_fraction,
    "histogram_quantile": _histogram_quantile,
    "histogram_quantiles": _histogram_quantiles,
}


def _quantile_of(
    quantiles: FloatArray, histograms: ClassicHistograms, span: Span, context: EvalContext
) -> Vector:
    names = [""] * histograms.labels.size
    if context.options.delayed_name_removal:
        names = histograms.labels.values(METRIC_NAME)

    def quantile(cells: Cells, bounds: FloatArray, counts: FloatArray) -> FloatArray:
        values, mending = bucket_quantile(_of_cells(quantiles, cells, counts), bounds, counts)
        if mending is not None:
            _remark_mending(mending, cells, names, span, context)
        return values

    values, present = evaluate(histograms, context.step_count, quantile)
    labels, drop_name = unnamed(histograms.labels, context)
    return Vector(labels, values, present, drop_name=drop_name)


def _of_cells(per_step: FloatArray, cells: Cells, counts: FloatArray) -> FloatArray:
    """`per_step[step]` of each cell, to be broadcast against `counts[..., bucket]` without its buckets."""
    values = per_step[cells[0]]
    return values.reshape(values.shape + (1,) * (counts.ndim - 2))


def _remark_mending(
    mending: Mending, cells: Cells, names: Sequence[str], span: Span, context: EvalContext
) -> None:
    steps, members = cells
    times_ms = context.steps_ms[steps].reshape((-1,) + (1,) * (mending.forced.ndim - 1))
    times_ms = np.broadcast_to(times_ms, mending.forced.shape)
    owners = np.broadcast_to(np.array([names[member] for member in members.tolist()]), mending.forced.shape)
    for name in np.unique(owners[mending.forced]).tolist():
        at = mending.forced & (owners == name)
        context.annotations.add(
            ForcedMonotonicity(
                Severity.INFO,
                for_metric(_FORCED, name),
                span,
                from_ms=int(times_ms[at].min()),
                to_ms=int(times_ms[at].max()),
                min_bucket=float(mending.lowest[at].min()),
                max_bucket=float(mending.highest[at].max()),
                max_difference=float(mending.difference[at].max()),
                count=int(np.count_nonzero(at)),
            )
        )


def _remark_invalid(quantiles: FloatArray, expr: Expr, context: EvalContext) -> None:
    for quantile in np.unique(quantiles[~((quantiles >= 0) & (quantiles <= 1))]).tolist():
        context.annotations.add(invalid_quantile(quantile, expr.span))


def _open_metrics(value: float) -> str:
    """A number as OpenMetrics writes it in a label: always with a point or an exponent."""
    text = format_number(value)
    return text if any(mark in text for mark in ".eNI") else f"{text}.0"
