"""Functions that change each float by itself, as upstream's promql/functions.go: simpleFloatFunc."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

import numpy as np

from query.execution.columns import float_samples
from query.execution.context import EvalContext
from query.execution.names import merge_equal_series, unnamed
from query.execution.values import Scalar, Value, Vector
from query.language.ast import Call
from tsdb.sample import FloatArray

FloatFunction: TypeAlias = Callable[[FloatArray], FloatArray]
InstantFunction: TypeAlias = Callable[[Call, Sequence[Value], EvalContext], Value]


def map_floats(vector: Vector, function: FloatFunction, context: EvalContext) -> Vector:
    """`function` of each float, without the metric name; histograms are left out."""
    context.reserve(vector.values.size)
    labels, drop_name = unnamed(vector.labels, context)
    result = Vector(labels, function(vector.values), float_samples(vector), drop_name=drop_name)
    return merge_equal_series(result)


def go_max(left: FloatArray, right: FloatArray) -> FloatArray:
    """Go's math.Max: NaN if one is NaN, except that +Inf wins over it."""
    infinite = (left == np.inf) | (right == np.inf)
    return np.where(infinite, np.inf, np.maximum(left, right))


def go_min(left: FloatArray, right: FloatArray) -> FloatArray:
    """Go's math.Min: NaN if one is NaN, except that -Inf wins over it."""
    infinite = (left == -np.inf) | (right == -np.inf)
    return np.where(infinite, -np.inf, np.minimum(left, right))


def _sgn(values: FloatArray) -> FloatArray:
    return np.where(values < 0, -1.0, np.where(values > 0, 1.0, values))


def _rad(values: FloatArray) -> FloatArray:
    return values * np.pi / 180


def _deg(values: FloatArray) -> FloatArray:
    return values * 180 / np.pi


FLOAT_FUNCTIONS: Final[Mapping[str, FloatFunction]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg": _deg,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "rad": _rad,
    "sgn": _sgn,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}


def _mapped(function: FloatFunction, _node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    (vector,) = args
    assert isinstance(vector, Vector)
    return map_floats(vector, function, context)


def _round(_node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    """Ties go up. The nearest is divided by as its inverse, which upstream found to be more exact."""
    vector, nearest = args[0], args[1] if len(args) > 1 else Scalar(np.ones(context.step_count))
    assert isinstance(vector, Vector)
    assert isinstance(nearest, Scalar)
    inverse = 1.0 / nearest.values[:, None]
    return map_floats(vector, lambda values: np.floor(values * inverse + 0.5) / inverse, context)


def _clamp(_node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    vector, low, high = args
    assert isinstance(low, Scalar)
    assert isinstance(high, Scalar)
    return _clamped(vector, low.values, high.values, context)


def _clamp_min(_node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    vector, low = args
    assert isinstance(low, Scalar)
    return _clamped(vector, low.values, np.full(context.step_count, np.inf), context)


def _clamp_max(_node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    vector, high = args
    assert isinstance(high, Scalar)
    return _clamped(vector, np.full(context.step_count, -np.inf), high.values, context)


def _clamped(vector: Value, low: FloatArray, high: FloatArray, context: EvalContext) -> Vector:
    """Between `low[step]` and `high[step]`; nothing at steps where they are the wrong way round."""
    assert isinstance(vector, Vector)
    clamped = map_floats(vector, lambda values: go_max(low[:, None], go_min(high[:, None], values)), context)
    void = high < low
    if not void.any():
        return clamped
    kept = np.broadcast_to(~void[:, None], clamped.values.shape)
    return replace(clamped, present=kept if clamped.present is None else kept & clamped.present)


def _of_scalars(
    function: Callable[[FloatArray, FloatArray], FloatArray],
    _node: Call,
    args: Sequence[Value],
    _context: EvalContext,
) -> Value:
    left, right = args
    assert isinstance(left, Scalar)
    assert isinstance(right, Scalar)
    return Scalar(function(left.values, right.values))


MATH_FUNCTIONS: Final[Mapping[str, InstantFunction]] = {
    **{name: partial(_mapped, function) for name, function in FLOAT_FUNCTIONS.items()},
    "clamp": _clamp,
    "clamp_max": _clamp_max,
    "clamp_min": _clamp_min,
    "max_of": partial(_of_scalars, go_max),
    "min_of": partial(_of_scalars, go_min),
    "round": _round,
}
