"""Functions over ranges: from the table of kernels to a vector, with the remarks upstream makes."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from query.execution.annotations import invalid_quantile, possible_non_counters, untyped_counters
from query.execution.columns import float_samples, present_mask
from query.execution.context import EvalContext
from query.execution.errors import EvaluationError
from query.execution.extended_windows import ANCHORED_WINDOW_FUNCTIONS, SMOOTHED_WINDOW_FUNCTIONS
from query.execution.names import require_distinct_labels, unnamed
from query.execution.range_kernels import apply_kernel
from query.execution.ranges import RangeVector
from query.execution.single_windows import Sample, Window
from query.execution.values import Vector
from query.execution.window_functions import WINDOW_FUNCTIONS, overlay_single_windows
from query.kernels.extended import ANCHORED_KERNELS, SMOOTHED_KERNELS
from query.kernels.ranges import RANGE_KERNELS, RangeKernel
from query.language import ast
from tsdb import METRIC_NAME, LabelFrame
from tsdb.numbers import format_number
from tsdb.sample import BoolArray, FloatArray

_KERNELS: Final[Mapping[ast.Extension | None, Mapping[str, RangeKernel]]] = {
    None: RANGE_KERNELS,
    ast.Extension.ANCHORED: ANCHORED_KERNELS,
    ast.Extension.SMOOTHED: SMOOTHED_KERNELS,
}
_WINDOW_FUNCTIONS: Final[Mapping[ast.Extension | None, Mapping[str, Callable[[Window], Sample | None]]]] = {
    None: WINDOW_FUNCTIONS,
    ast.Extension.ANCHORED: ANCHORED_WINDOW_FUNCTIONS,
    ast.Extension.SMOOTHED: SMOOTHED_WINDOW_FUNCTIONS,
}


def range_function(
    call: ast.Call, ranges: RangeVector, args: Sequence[FloatArray], context: EvalContext
) -> Vector:
    """`call` of a range vector; `args` are its scalar arguments, float64[step] each.

    Raises `EvaluationError` for a factor out of its bounds, and if two series differ by nothing but the name
    that goes.
    """
    if call.function == "double_exponential_smoothing" and ranges.labels.size:
        _check_factors(*args)
    result = _computed(call, ranges, args, context)
    if call.function == "quantile_over_time":
        _remark_invalid_quantiles(call, result, args[0], context)
    remark(call, _labels_with_floats(result), context)
    if not RANGE_KERNELS[call.function].keeps_name:
        labels, drop_name = unnamed(result.labels, context)
        result = replace(result, labels=labels, drop_name=drop_name)
    if not context.options.delayed_name_removal:
        require_distinct_labels(result.labels, ranges.labels)
    return result


def absent_over_time(
    call: ast.Call, ranges: RangeVector, absent_labels: LabelFrame, context: EvalContext
) -> Vector:
    """1 at each step where no series has a sample in the range, with the one series in `absent_labels`."""
    _check_extension(call.function, ranges.extension)
    present = _computed(replace(call, function="present_over_time"), ranges, (), context)
    anywhere: BoolArray = np.zeros(context.step_count, dtype=np.bool_)
    if present.present is not None:
        anywhere |= present.present.any(axis=1)
    elif present.labels.size:
        anywhere[:] = True
    if anywhere.all():
        return Vector(LabelFrame.empty(context.scope), np.empty((context.step_count, 0)))
    labels, drop_name = unnamed(absent_labels, context)
    return Vector(labels, np.ones((context.step_count, 1)), ~anywhere[:, None], drop_name=drop_name)


def _computed(
    call: ast.Call, ranges: RangeVector, args: Sequence[FloatArray], context: EvalContext
) -> Vector:
    """The function's values, names kept."""
    _check_extension(call.function, ranges.extension)
    builder = apply_kernel(_KERNELS[ranges.extension][call.function], ranges, args, context)
    if ranges.histograms or ranges.start_timestamps:
        function = _WINDOW_FUNCTIONS[ranges.extension][call.function]
        overlay_single_windows(call, ranges, builder, context, function)
    return builder.build(ranges.drop_name)


def _check_extension(function: str, extension: ast.Extension | None) -> None:
    """Raises `EvaluationError` if the function has no meaning for anchored or smoothed ranges."""
    if extension is not None and function not in _KERNELS[extension]:
        raise EvaluationError(
            f"{extension.value} modifier can only be used with: {', '.join(sorted(_KERNELS[extension]))}"
            f" - not with {function}"
        )


def _labels_with_floats(vector: Vector) -> LabelFrame:
    if vector.histograms is None:
        return vector.labels
    floats = float_samples(vector)
    return vector.labels if floats is None else vector.labels.take(np.flatnonzero(floats.any(axis=0)))


def _check_factors(smoothing: FloatArray, trend: FloatArray) -> None:
    """Raises `EvaluationError` for the first step with a factor out of its bounds."""
    for factors in zip(smoothing.tolist(), trend.tolist(), strict=True):
        for name, factor in zip(("smoothing", "trend"), factors, strict=True):
            if factor <= 0 or factor >= 1:
                got = f"{factor:f}" if math.isfinite(factor) else format_number(factor)
                raise EvaluationError(f"invalid {name} factor. Expected: 0 < {name[0]}f < 1, got: {got}")


def _remark_invalid_quantiles(
    call: ast.Call, result: Vector, quantiles: FloatArray, context: EvalContext
) -> None:
    """Of the steps at which there was something to compute."""
    used = np.unique(quantiles[present_mask(result).any(axis=1)])
    for quantile in used[~((used >= 0) & (used <= 1))].tolist():
        context.annotations.add(invalid_quantile(quantile, call.args[0].span))


def remark(call: ast.Call, labels: LabelFrame, context: EvalContext) -> None:
    """What upstream says about metrics that don't look like counters."""
    if call.function in ("rate", "increase"):
        span = call.args[0].span
        kinds = labels.keep((METRIC_NAME, "__type__"))
        if labels.size > 1:
            kinds = kinds.take(kinds.group().first)
        names, types = kinds.values(METRIC_NAME), kinds.values("__type__")
        if context.options.type_and_unit_labels:
            remarks = untyped_counters(zip(names, types, strict=True), span)
        else:
            remarks = possible_non_counters(names, span)
        for remark in remarks:
            context.annotations.add(remark)
