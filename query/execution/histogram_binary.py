"""Binary operators where a sample is a native histogram, as upstream's promql/engine.go: vectorElemBinop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from query.execution.annotations import Annotation, Severity, quoted
from query.execution.context import EvalContext
from query.execution.values import HistogramArray
from query.kernels.native_histogram import trimmed
from query.kernels.operators import TRIM_OPERATORS
from query.language.ast import Binary
from tsdb.errors import IncompatibleHistogramsError
from tsdb.histogram import CounterReset, FloatHistogram
from tsdb.histogram_arithmetic import Combined, add, subtract
from tsdb.sample import BoolArray, FloatArray

Outcome: TypeAlias = FloatHistogram | bool | None
"""A histogram; for comparisons, whether they hold; None if there is no result."""


@dataclass(frozen=True)
class Operand:
    """One side: `values` broadcast to [step, pair]; `histograms[step, pair]`, None if there are none."""

    values: FloatArray
    histograms: HistogramArray | None


@dataclass(frozen=True)
class Overlaid:
    """A result with histograms among its samples."""

    values: FloatArray
    present: BoolArray
    histograms: HistogramArray


def overlay_histograms(
    node: Binary,
    left: Operand,
    right: Operand,
    *,
    values: FloatArray,
    kept: BoolArray,
    candidates: BoolArray,
    context: EvalContext,
) -> Overlaid:
    """The float result (`values` where `kept`), with the cells done over that histograms take part in.

    `candidates` are the cells where both sides have a sample. All are [step, pair].
    """
    shape = candidates.shape
    on_left, on_right = _is_histogram(left, shape), _is_histogram(right, shape)
    values, kept = values.copy(), kept & ~(on_left | on_right)
    histograms = np.full(shape, None, dtype=object)
    lefts, rights = np.broadcast_to(left.values, shape), np.broadcast_to(right.values, shape)
    remarks = _Remarks()
    if node.op in TRIM_OPERATORS:
        remarks.add_all(candidates & ~on_left & ~on_right, _mismatch(node, "float", "float"))
    for step, column in zip(*np.nonzero(candidates & (on_left | on_right)), strict=True):
        at = (step, column)
        mine = left.histograms[at] if left.histograms is not None and on_left[at] else float(lefts[at])
        other = right.histograms[at] if right.histograms is not None and on_right[at] else float(rights[at])
        outcome, remark = _outcome(node, mine, other)
        remarks.add(step, column, remark)
        if isinstance(outcome, bool) and node.return_bool:
            values[at], kept[at] = float(outcome), True
        elif isinstance(outcome, FloatHistogram) or outcome:
            histograms[at], kept[at] = (mine if outcome is True else outcome), True
    remarks.tell(context)
    return Overlaid(values, kept, histograms)


def mismatched_types(op: str, left: Operand, right: Operand) -> BoolArray:
    """bool[step, pair]: where `op` has no result for the types of the samples, whatever their values."""
    shape = np.broadcast_shapes(left.values.shape, right.values.shape)
    on_left, on_right = _is_histogram(left, shape), _is_histogram(right, shape)
    of_two = op in _COMBINATIONS or op in ("==", "!=")
    with_left = np.where(on_right, not of_two, op not in _BY_FLOAT)
    return np.where(on_left, with_left, np.where(on_right, op != "*", op in TRIM_OPERATORS))


class _Remarks:
    """Of what there is to say about the pairs of a step, upstream tells the last."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[int, Annotation]] = {}

    def add(self, step: int, column: int, remark: Annotation | None) -> None:
        """What is to be said of one pair, if anything."""
        if remark is not None and self._last.get(step, (-1,))[0] < column:
            self._last[step] = column, remark

    def add_all(self, where: BoolArray, remark: Annotation) -> None:
        """The same of many: `where[step, pair]`."""
        for step in np.flatnonzero(where.any(axis=1)).tolist():
            self.add(step, int(np.flatnonzero(where[step])[-1]), remark)

    def tell(self, context: EvalContext) -> None:
        """Step by step."""
        for step in sorted(self._last):
            context.annotations.add(self._last[step][1])


def _outcome(
    node: Binary, left: FloatHistogram | float, right: FloatHistogram | float
) -> tuple[Outcome, Annotation | None]:
    """What comes out, and what there is to say about it."""
    if isinstance(left, FloatHistogram) and isinstance(right, FloatHistogram):
        if node.op in _COMBINATIONS:
            return _combined(node, left, right)
        if node.op in ("==", "!="):
            return (left == right) is (node.op == "=="), None
    elif isinstance(left, FloatHistogram) and isinstance(right, float) and node.op in _BY_FLOAT:
        return _BY_FLOAT[node.op](left, right), None
    elif isinstance(right, FloatHistogram) and isinstance(left, float) and node.op == "*":
        return right.multiply(left).compact(), None
    return None, _mismatch(node, _type_name(left), _type_name(right))


def _combined(node: Binary, left: FloatHistogram, right: FloatHistogram) -> tuple[Outcome, Annotation | None]:
    """Sum or difference; none where hints contradict each other or layouts can't be brought together."""
    combine, name = _COMBINATIONS[node.op]
    try:
        combined = combine(left, right)
    except IncompatibleHistogramsError:
        text = f"incompatible bucket layout encountered for binary operator {node.op}"
        return None, Annotation(Severity.WARNING, text, node.span)
    if combined.reset_collision:
        text = f"conflicting counter resets during histogram {name}"
        return None, Annotation(Severity.WARNING, text, node.span)
    remark = None
    if combined.bounds_reconciled:
        text = f"mismatched custom buckets were reconciled during {name}"
        remark = Annotation(Severity.INFO, text, node.span)
    histogram = combined.histogram.compact()
    return histogram.with_hint(CounterReset.GAUGE) if node.op == "-" else histogram, remark


_COMBINATIONS: Final[Mapping[str, tuple[Callable[[FloatHistogram, FloatHistogram], Combined], str]]] = {
    "+": (add, "addition"),
    "-": (subtract, "subtraction"),
}

_BY_FLOAT: Final[Mapping[str, Callable[[FloatHistogram, float], FloatHistogram]]] = {
    "*": lambda histogram, factor: histogram.multiply(factor).compact(),
    "/": lambda histogram, divisor: histogram.divide(divisor).compact(),
    "</": lambda histogram, limit: trimmed(histogram, limit, keep_below=True),
    ">/": lambda histogram, limit: trimmed(histogram, limit, keep_below=False),
}


def _is_histogram(operand: Operand, shape: tuple[int, ...]) -> BoolArray:
    if operand.histograms is None:
        return np.zeros(shape, dtype=np.bool_)
    cells: BoolArray = np.not_equal(operand.histograms, np.array(None))
    return cells


def _type_name(sample: FloatHistogram | float) -> str:
    return "histogram" if isinstance(sample, FloatHistogram) else "float"


def _mismatch(node: Binary, left: str, right: str) -> Annotation:
    text = "incompatible sample types encountered for binary operator"
    return Annotation(Severity.INFO, f"{text} {quoted(node.op)}: {left} {node.op} {right}", node.span)
