"""`count_values`: one series for each value, as upstream's promql/engine.go: aggregationCountValues."""

import math
from collections.abc import Callable, Iterable

import numpy as np

from query.execution.columns import histogram_cells, present_mask
from query.execution.context import EvalContext
from query.execution.errors import EvaluationError, TooManySamplesError
from query.execution.label_functions import is_label_name
from query.execution.values import Vector
from query.language.ast import Aggregation, StringLiteral
from query.language.literals import quote
from tsdb import LabelFrame
from tsdb.sample import IntArray


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
    texts, number_texts = _texts(operand, context)
    groups = keys.drop((label,)).group()
    if not texts:
        return Vector(keys.take(groups.first[:0]), np.empty((context.step_count, 0)))
    if node.without and label in node.grouping:
        texts = [""]

    def output_keys(piece: slice) -> tuple[IntArray, IntArray]:
        """Of each sample its step, and a number of its group and text."""
        steps, series = np.nonzero(present_mask(operand)[piece])
        text_of = np.minimum(number_texts(piece), len(texts) - 1)
        return steps + piece.start, groups.ids[series] * len(texts) + text_of

    pieces = list(context.pieces(operand.labels.size))
    outputs = _union(output_keys(piece)[1] for piece in pieces)
    shape = (context.step_count, len(outputs))
    context.reserve(shape[0] * shape[1])
    counts = np.zeros(shape)
    for piece in pieces:
        context.check()
        steps, output_of = output_keys(piece)
        np.add.at(counts, (steps, np.searchsorted(outputs, output_of)), 1.0)
    codes = keys.scope.encode_all(label, texts)[outputs % len(texts)]
    labels = keys.take(groups.first[outputs // len(texts)]).with_codes(label, codes)
    return Vector(labels, counts, None if counts.all() else counts > 0)


def _texts(operand: Vector, context: EvalContext) -> tuple[list[str], Callable[[slice], IntArray]]:
    """The distinct values as texts, and what numbers the samples of a run of steps by their texts."""
    if operand.histograms is None:
        distinct = _union(_bits(operand, piece) for piece in context.pieces(operand.labels.size))
        if context.step_count * len(distinct) > context.options.max_samples:
            raise TooManySamplesError  # each becomes a series at least
        texts = [_positional(value) for value in distinct.view(np.float64).tolist()]
        return texts, lambda piece: np.searchsorted(distinct, _bits(operand, piece))
    shown = {text: number for number, text in enumerate(dict.fromkeys(_mixed_texts(operand, slice(None))))}
    return list(shown), lambda piece: np.array(
        [shown[text] for text in _mixed_texts(operand, piece)], dtype=np.int64
    )


def _bits(operand: Vector, piece: slice) -> IntArray:
    """The bit patterns of a run of steps' samples: 0 and -0 are two, NaN is one."""
    values = operand.values[piece][present_mask(operand)[piece]]
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def _mixed_texts(operand: Vector, piece: slice) -> list[str]:
    """The texts of a run of steps' samples, some of which are histograms."""
    present = present_mask(operand)[piece]
    values, histograms = operand.values[piece][present], histogram_cells(operand)[piece][present]
    return [
        _positional(value) if histogram is None else str(histogram)
        for value, histogram in zip(values.tolist(), histograms.tolist(), strict=True)
    ]


def _union(parts: Iterable[IntArray]) -> IntArray:
    """What stands in any part, ascending."""
    union = np.empty(0, dtype=np.int64)
    for part in parts:
        union = np.union1d(union, part)
    return union


def _positional(value: float) -> str:
    """As Go's strconv.FormatFloat(value, 'f', -1, 64): the shortest digits, never an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return np.format_float_positional(value, trim="-")
