"""The functions of instant vectors and scalars, by name: the one table that the engine calls them through."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from query.execution.columns import float_samples, present_mask
from query.execution.context import EvalContext
from query.execution.date_functions import DATE_FUNCTIONS
from query.execution.histogram_functions import HISTOGRAM_FUNCTIONS
from query.execution.label_functions import LABEL_FUNCTIONS
from query.execution.math_functions import MATH_FUNCTIONS, InstantFunction
from query.execution.names import merge_equal_series, unnamed
from query.execution.sort_functions import SORT_FUNCTIONS
from query.execution.values import Scalar, Value, Vector
from query.language.ast import Call, Expr, MatrixSelector, Paren, VectorSelector
from tsdb import METRIC_NAME, LabelFrame, LabelScope, MatchOp, labels_from


def absent_labels(expr: Expr, scope: LabelScope) -> LabelFrame:
    """One series with the labels that a selector asks for by `=`, each once; of others, without any."""
    while isinstance(expr, Paren):
        expr = expr.expr
    selector = expr.selector if isinstance(expr, MatrixSelector) else expr
    wanted: dict[str, str] = {}
    matchers = selector.matchers if isinstance(selector, VectorSelector) else ()
    for matcher in matchers:
        if matcher.op is MatchOp.EQUAL and matcher.name not in wanted:
            wanted[matcher.name] = matcher.value
        elif matcher.name in wanted:
            wanted[matcher.name] = ""
    wanted.pop(METRIC_NAME, None)
    return LabelFrame.of(scope, [labels_from(wanted)])


def _absent(node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    (vector,) = args
    assert isinstance(vector, Vector)
    void = ~np.any(present_mask(vector), axis=1, keepdims=True)
    return Vector(absent_labels(node.args[0], context.scope), np.ones((context.step_count, 1)), void)


def _pi(_node: Call, _args: Sequence[Value], context: EvalContext) -> Value:
    return Scalar(np.full(context.step_count, np.pi))


def _scalar(_node: Call, args: Sequence[Value], _context: EvalContext) -> Value:
    """The only float of a step; NaN if there are none or several."""
    (vector,) = args
    assert isinstance(vector, Vector)
    floats = present_mask(replace(vector, present=float_samples(vector)))
    alone = np.count_nonzero(floats, axis=1) == 1
    if not vector.labels.size:
        return Scalar(np.full(len(alone), np.nan))
    values = np.take_along_axis(vector.values, floats.argmax(axis=1)[:, None], axis=1)[:, 0]
    return Scalar(np.where(alone, values, np.nan))


def _time(_node: Call, _args: Sequence[Value], context: EvalContext) -> Value:
    return Scalar(context.steps_ms / 1000)


def _timestamp(_node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    """The time of each sample in seconds: that of the step, as long as samples don't come from a selector."""
    (vector,) = args
    assert isinstance(vector, Vector)
    labels, drop_name = unnamed(vector.labels, context)
    seconds = np.broadcast_to((context.steps_ms / 1000)[:, None], vector.values.shape)
    return merge_equal_series(Vector(labels, seconds, vector.present, drop_name=drop_name))


def _vector(_node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    (scalar,) = args
    assert isinstance(scalar, Scalar)
    return Vector(LabelFrame.empty(context.scope, 1), scalar.values[:, None])


INSTANT_FUNCTIONS: Final[Mapping[str, InstantFunction]] = {
    **DATE_FUNCTIONS,
    **HISTOGRAM_FUNCTIONS,
    **LABEL_FUNCTIONS,
    **MATH_FUNCTIONS,
    **SORT_FUNCTIONS,
    "absent": _absent,
    "pi": _pi,
    "scalar": _scalar,
    "time": _time,
    "timestamp": _timestamp,
    "vector": _vector,
}
