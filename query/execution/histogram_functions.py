"""The functions of histograms, of both kinds.

Upstream: promql/functions.go, funcHistogramQuantile, funcHistogramQuantiles, funcHistogramFraction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

import numpy as np

from query.execution.annotations import ForcedMonotonicity, Severity, for_metric, invalid_quantile
from query.execution.classic_histogram import (
    Cells,
    ClassicHistograms,
    Evaluate,
    classic_histograms,
    evaluate,
    native_histograms,
    without_clashes,
)
from query.execution.columns import concat, histogram_cells, present_mask
from query.execution.context import EvalContext
from query.execution.math_functions import InstantFunction
from query.execution.names import merge_equal_series, unnamed
from query.execution.native_histogram import STATISTICS, Estimate, native_fraction, native_quantile
from query.execution.values import Scalar, String, Value, Vector
from query.kernels.buckets import Mending, bucket_fraction, bucket_quantile
from query.language.ast import NOWHERE, Call, Expr, Span
from tsdb import METRIC_NAME, LabelFrame
from tsdb.histogram import FloatHistogram
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
    histograms = _split(vector, node.args[1].span, context)
    return merge_equal_series(_quantile_of(quantile.values, histograms, context))


def _histogram_quantiles(node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    """One series for each histogram and quantile, which stands in the given label."""
    vector, label, *quantiles = args
    assert isinstance(vector, Vector)
    assert isinstance(label, String)
    histograms = _split(vector, node.args[0].span, context)
    result: Vector | None = None
    for number, quantile in enumerate(quantiles):
        assert isinstance(quantile, Scalar)
        _remark_invalid(quantile.values, node.args[2 + number], context)
        part = _quantile_of(quantile.values, histograms, context)
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

    def of_classic(cells: Cells, bounds: FloatArray, counts: FloatArray) -> FloatArray:
        low, high = (_of_cells(limit.values, cells, counts) for limit in (lower, upper))
        return bucket_fraction(low, high, bounds, counts)

    def of_native(step: int, histogram: FloatHistogram) -> Estimate:
        return native_fraction(float(lower.values[step]), float(upper.values[step]), histogram)

    histograms = _split(vector, node.args[2].span, context)
    return merge_equal_series(_evaluated(histograms, of_classic, of_native, context))


def _statistic(
    function: Callable[[FloatHistogram], float], _node: Call, args: Sequence[Value], context: EvalContext
) -> Value:
    """A number of each native histogram; floats are left out."""
    (vector,) = args
    assert isinstance(vector, Vector)
    native = native_histograms(vector)
    values = _of_natives(native, lambda _step, histogram: Estimate(function(histogram)), NOWHERE, context)
    if not context.options.delayed_name_removal:
        # Unlike all other functions, upstream's simpleHistogramFunc leaves the labels of type and unit alone.
        values = replace(values, labels=native.labels.drop((METRIC_NAME,)))
    return merge_equal_series(values)


HISTOGRAM_FUNCTIONS: Final[Mapping[str, InstantFunction]] = {
    **{name: partial(_statistic, function) for name, function in STATISTICS.items()},
    "histogram_fraction": _histogram_fraction,
    "histogram_quantile": _histogram_quantile,
    "histogram_quantiles": _histogram_quantiles,
}

_OfNative: TypeAlias = Callable[[int, FloatHistogram], Estimate]


@dataclass(frozen=True)
class _Histograms:
    """The classic and the native histograms of a vector, which stands at `span` in the query."""

    classic: ClassicHistograms
    native: Vector
    span: Span


def _split(vector: Vector, span: Span, context: EvalContext) -> _Histograms:
    """Both kinds of histogram; where both have the same labels at a step, neither counts."""
    classic, native = classic_histograms(vector, span, context), native_histograms(vector)
    classic, native, clashing = without_clashes(classic, native)
    for name in sorted(set(_told_names(clashing, context))):
        text = "vector contains a mix of classic and native histograms"
        context.annotations.warning(for_metric(text, name), span)
    return _Histograms(classic, native, span)


def _quantile_of(quantiles: FloatArray, histograms: _Histograms, context: EvalContext) -> Vector:
    names = _told_names(histograms.classic.labels, context)

    def of_classic(cells: Cells, bounds: FloatArray, counts: FloatArray) -> FloatArray:
        values, mending = bucket_quantile(_of_cells(quantiles, cells, counts), bounds, counts)
        if mending is not None:
            _remark_mending(mending, cells, names, histograms.span, context)
        return values

    def of_native(step: int, histogram: FloatHistogram) -> Estimate:
        return native_quantile(float(quantiles[step]), histogram)

    return _evaluated(histograms, of_classic, of_native, context)


def _evaluated(
    histograms: _Histograms, of_classic: Evaluate, of_native: _OfNative, context: EvalContext
) -> Vector:
    """One value for each histogram."""
    values, present = evaluate(histograms.classic, context.step_count, of_classic)
    labels, drop_name = unnamed(histograms.classic.labels, context)
    classic = Vector(labels, values, present, drop_name=drop_name)
    if not histograms.native.labels.size:
        return classic
    return concat(_of_natives(histograms.native, of_native, histograms.span, context), classic)


def _of_natives(native: Vector, function: _OfNative, span: Span, context: EvalContext) -> Vector:
    """One value for each native histogram."""
    names = _told_names(native.labels, context)
    present, cells = present_mask(native), histogram_cells(native)
    values = np.full(native.values.shape, np.nan)
    for step, series in zip(*np.nonzero(present), strict=True):
        values[step, series], remark = function(int(step), cells[step, series])
        if remark is not None:
            context.annotations.info(for_metric(remark, names[series]), span)
    labels, drop_name = unnamed(native.labels, context)
    return Vector(labels, values, present, drop_name=drop_name)


def _told_names(labels: LabelFrame, context: EvalContext) -> list[str]:
    """The metric names that remarks may tell; upstream has none left if it drops names at once."""
    return labels.values(METRIC_NAME) if context.options.delayed_name_removal else [""] * labels.size


def _of_cells(per_step: FloatArray, cells: Cells, counts: FloatArray) -> FloatArray:
    """`per_step[step]` of each cell, to be broadcast against one bucket of `counts[bucket, ...]`."""
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
