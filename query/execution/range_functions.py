"""Functions over ranges: from the table of kernels to a vector, with the remarks upstream makes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from query.execution.annotations import invalid_quantile, possible_non_counters, untyped_counters
from query.execution.columns import float_samples
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
        _check_factors(args)
    result = _computed(call, ranges, args, context)
    remark(call, _labels_with_floats(result), args, context)
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
    kernels = _KERNELS[ranges.extension]
    if call.function not in kernels:
        assert ranges.extension is not None
        raise EvaluationError(
            f"{ranges.extension.value} modifier can only be used with: {', '.join(sorted(kernels))}"
            f" - not with {call.function}"
        )
    builder = apply_kernel(kernels[call.function], ranges, args, context)
    if ranges.histograms or ranges.start_timestamps:
        function = _WINDOW_FUNCTIONS[ranges.extension][call.function]
        overlay_single_windows(call, ranges, builder, context, function)
    return builder.build(ranges.drop_name)


def _labels_with_floats(vector: Vector) -> LabelFrame:
    floats = float_samples(vector)
    return vector.labels if floats is None else vector.labels.take(np.flatnonzero(floats.any(axis=0)))


def _check_factors(args: Sequence[FloatArray]) -> None:
    for name, letter, factors in zip(("smoothing", "trend"), "st", args, strict=True):
        refused = factors[(factors <= 0) | (factors >= 1)]
        if len(refused):
            raise EvaluationError(f"invalid {name} factor. Expected: 0 < {letter}f < 1, got: {refused[0]:f}")


def remark(call: ast.Call, labels: LabelFrame, args: Sequence[FloatArray], context: EvalContext) -> None:
    """What upstream says about the arguments and the metrics, if there was a series at all."""
    if not labels.size:
        return
    if call.function == "quantile_over_time":
        quantiles = np.unique(args[0])
        for quantile in quantiles[~((quantiles >= 0) & (quantiles <= 1))]:
            context.annotations.add(invalid_quantile(float(quantile), call.args[0].span))
    if call.function in ("rate", "increase"):
        span = call.args[0].span
        first = labels.keep((METRIC_NAME, "__type__")).group().first
        kinds = labels.take(first)
        names, types = kinds.values(METRIC_NAME), kinds.values("__type__")
        if context.options.type_and_unit_labels:
            remarks = untyped_counters(zip(names, types, strict=True), span)
        else:
            remarks = possible_non_counters(names, span)
        for remark in remarks:
            context.annotations.add(remark)
