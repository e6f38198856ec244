"""`count_values`: one series for each value, as upstream's promql/engine.go: aggregationCountValues."""

import math

import numpy as np

from query.execution.context import EvalContext
from query.execution.errors import EvaluationError, TooManySamplesError
from query.execution.label_functions import is_label_name
from query.execution.values import HistogramArray, Vector
from query.language.ast import Aggregation, StringLiteral
from query.language.literals import quote
from tsdb import LabelFrame
from tsdb.sample import FloatArray, IntArray


def count_values(
    node: Aggregation, operand: Vector, keys: LabelFrame, label: str, context: EvalContext
) -> Vector:
    """How many series of each group have each value; the value stands in `label`.

    `keys` are the grouping labels of each series. Raises `EvaluationError` if `label` can't be a name,
    `TooManySamplesError` if there are too many distinct values.
    """
    if not is_label_name(label):
        written = node.param.value if isinstance(node.param, StringLiteral) else label
        raise EvaluationError(f"invalid label name {quote(written)}")
    steps, series = _samples(operand)
    values = operand.values[steps, series]
    histograms = None if operand.histograms is None else operand.histograms[steps, series]
    texts, text_of = _texts(values, context) if histograms is None else _mixed_texts(values, histograms)
    group_ids = keys.drop((label,)).group().ids[series]
    if node.without and label in node.grouping:
        texts, text_of = [""], np.zeros_like(text_of)
    outputs, first, output_of = np.unique(
        group_ids * len(texts) + text_of, return_index=True, return_inverse=True
    )
    shape = (context.step_count, len(outputs))
    context.reserve(shape[0] * shape[1])
    counts = np.bincount(steps * shape[1] + output_of, minlength=shape[0] * shape[1]).reshape(shape)
    codes = keys.scope.encode_all(label, texts)[text_of[first]]
    labels = keys.take(series[first]).with_codes(label, codes)
    return Vector(labels, counts.astype(np.float64), None if counts.all() else counts > 0)


def _samples(operand: Vector) -> tuple[IntArray, IntArray]:
    """(step, series) of each sample."""
    if operand.present is not None:
        steps, series = np.nonzero(operand.present)
        return steps, series
    step_count, size = operand.values.shape
    return np.repeat(np.arange(step_count), size), np.tile(np.arange(size), step_count)


def _texts(values: FloatArray, context: EvalContext) -> tuple[list[str], IntArray]:
    """The distinct values as texts, and which of them each value is. 0 and -0 are two, NaN is one."""
    bits = np.where(np.isnan(values), np.nan, values).view(np.int64)
    distinct, index = np.unique(bits, return_inverse=True)
    if context.step_count * len(distinct) > context.options.max_samples:
        raise TooManySamplesError  # each becomes a series at least
    return [_positional(value) for value in distinct.view(np.float64).tolist()], index


def _mixed_texts(values: FloatArray, histograms: HistogramArray) -> tuple[list[str], IntArray]:
    """`_texts` of samples some of which are histograms."""
    texts = [
        _positional(value) if histogram is None else str(histogram)
        for value, histogram in zip(values.tolist(), histograms.tolist(), strict=True)
    ]
    distinct = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return list(distinct), np.array([distinct[text] for text in texts], dtype=np.int64)


def _positional(value: float) -> str:
    """As Go's strconv.FormatFloat(value, 'f', -1, 64): the shortest digits, never an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return np.format_float_positional(value, trim="-")
