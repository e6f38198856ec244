"""Binary operators that give nothing though both sides have samples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from query.execution.binary import binary
from query.execution.columns import present_mask, take
from query.execution.context import EvalContext
from query.execution.matching import Side, match_labels, matched_sides, present_groups
from query.execution.values import Scalar, Value, Vector
from query.kernels.operators import COMPARISONS, SET_OPERATORS
from query.language import ast
from query.why.finding import Finding, Kind, all_of, listed, shown_series
from tsdb import LabelFrame, join_groups
from tsdb.numbers import format_number
from tsdb.sample import FloatArray


def binary_cause(node: ast.Binary, lhs: Value, rhs: Value, context: EvalContext) -> Finding:
    """Why an operator gives nothing. Requires: each side is a scalar, or a vector with some sample."""
    if isinstance(lhs, Vector) and isinstance(rhs, Vector):
        return _between_vectors(node, _present_series(lhs), _present_series(rhs), context)
    vector, scalar = (lhs, rhs) if isinstance(lhs, Vector) else (rhs, lhs)
    assert isinstance(vector, Vector)
    assert isinstance(scalar, Scalar)
    kept = _present_series(vector)
    if node.op not in COMPARISONS or kept.histograms is not None:
        return _wrong_samples(node, kept)
    return _filtered_by_number(node, kept, np.broadcast_to(scalar.values[:, None], kept.values.shape))


def _present_series(vector: Vector) -> Vector:
    """The series with a sample at some step."""
    return take(vector, np.flatnonzero(present_mask(vector).any(axis=0)))


def _wrong_samples(node: ast.Binary, vector: Vector) -> Finding:
    kind = "floats" if vector.histograms is None else "native histograms"
    text = f"{node.op} is not defined for {kind} here, and leaves {all_of(vector.labels.size)} out"
    return Finding.of(Kind.WRONG_SAMPLES, node, text)


def _filtered_by_number(node: ast.Binary, vector: Vector, numbers: FloatArray) -> Finding:
    """A comparison with a number, which no sample passes: the nearest one."""
    dropped = f"{node.op} drops {all_of(vector.labels.size)}"
    found = _nearest(vector, np.abs(vector.values - numbers))
    if found is None:
        which = "what they are compared with" if np.isnan(numbers).all() else "every value"
        return Finding.of(Kind.FILTERED, node, f"{dropped}: {which} is NaN")
    value, number = (format_number(float(each[found])) for each in (vector.values, numbers))
    text = f"{dropped}; nearest to {number} is {value}, of {_series_at(vector, found)}"
    return Finding.of(Kind.FILTERED, node, text)


def _nearest(vector: Vector, distances: FloatArray) -> tuple[int, int] | None:
    """Step and series of the sample with the least distance; None if all are NaN."""
    comparable = np.where(present_mask(vector), distances, np.nan)
    if np.isnan(comparable).all():
        return None
    step, series = np.unravel_index(np.nanargmin(comparable), comparable.shape)
    return int(step), int(series)


def _series_at(vector: Vector, cell: tuple[int, int]) -> str:
    return shown_series(vector.labels.take(np.array([cell[1]])).series()[0])


def _between_vectors(node: ast.Binary, lhs: Vector, rhs: Vector, context: EvalContext) -> Finding:
    matching = node.matching or ast.VectorMatching()
    left, right = matched_sides(matching, lhs, rhs)
    if node.op == "unless":
        dropped = f"unless drops {all_of(lhs.labels.size)} of its left side"
        text = f"{dropped}: for each there is a partner on the right"
        return Finding.of(Kind.EXCLUDED_BY_UNLESS, node, text)
    if not np.isin(left.groups, right.groups).any():
        return Finding.of(Kind.LABELS_DIFFER, node, _labels_text(node, matching, left, right))
    if not (present_groups(left) & present_groups(right)).any():
        text = "both sides have series with the same labels, but at no step does each have a sample"
        return Finding.of(Kind.TIMES_DIFFER, node, text)
    if node.op in _EQUALITY and lhs.histograms is not None and rhs.histograms is not None:
        text = f"{node.op} drops all pairs of native histograms: {_EQUALITY[node.op]}"
        return Finding.of(Kind.FILTERED, node, text)
    if node.op not in COMPARISONS or lhs.histograms is not None or rhs.histograms is not None:
        return _wrong_samples(node, rhs if lhs.histograms is None else lhs)
    return _filtered_pairs(node, lhs, rhs, context)


def _filtered_pairs(node: ast.Binary, lhs: Vector, rhs: Vector, context: EvalContext) -> Finding:
    """A comparison of series with series, which no pair passes: the pair that differs least."""
    differences = binary(replace(node, op="-"), lhs, rhs, context)
    assert isinstance(differences, Vector)
    dropped = f"{node.op} drops {all_of(differences.labels.size, 'pair', 'pairs')}"
    found = _nearest(differences, np.abs(differences.values))
    if found is None:
        return Finding.of(Kind.FILTERED, node, f"{dropped}: in each a value is NaN")
    gap = float(differences.values[found])
    whose = _series_at(differences, found)
    size = format_number(abs(gap))
    told = f"differs by {size}, its left side {'less' if gap < 0 else 'more'}" if gap else "is equal"
    return Finding.of(Kind.FILTERED, node, f"{dropped}; the nearest, {whose}, {told}")


@dataclass(frozen=True)
class _Label:
    """The values of one label on both sides of an operator."""

    name: str
    left: frozenset[str]
    right: frozenset[str]

    @property
    def is_to_blame(self) -> bool:
        """Whether this label alone keeps all series apart."""
        return not self.left & self.right

    def __str__(self) -> str:
        sides = ((self.left, "left"), (self.right, "right"))
        told = [f"{listed(values, 3)} on the {hand}" for values, hand in sides if values - {""}]
        return f"{self.name} is {' and '.join(told)}{' only' if len(told) == 1 else ''}"


def _labels_text(node: ast.Binary, matching: ast.VectorMatching, left: Side, right: Side) -> str:
    """Which labels keep the two sides apart, and how to match them all the same."""
    frames = [match_labels(matching, side.vector.labels) for side in (left, right)]
    names = sorted({name for frame in frames for name in frame.names})
    labels = [_Label(name, *(frozenset(frame.values(name)) for frame in frames)) for name in names]
    nobody = f"no series on the left ({frames[0].size:,}) matches one on the right ({frames[1].size:,})"
    to_blame = [label for label in labels if label.is_to_blame]
    if not to_blame:
        return f"{nobody}: none agree in all of {', '.join(names)}"
    kept = [label.name for label in labels if not label.is_to_blame]
    advice = _advice(node, matching, [label.name for label in to_blame], kept, frames)
    return f"{nobody}: {'; '.join(map(str, to_blame))}{advice}"


def _advice(
    node: ast.Binary,
    matching: ast.VectorMatching,
    dropped: Sequence[str],
    kept: Sequence[str],
    frames: Sequence[LabelFrame],
) -> str:
    """The modifiers with which series do match, "" if there are none."""
    left, right, groups = join_groups(*(frame.drop(dropped) for frame in frames))
    if not np.isin(left, right).any():
        return ""
    if matching.on or (kept and len(kept) < len(dropped)):
        modifier = f"on ({', '.join(kept)})"
    else:
        modifier = f"ignoring ({', '.join(sorted({*matching.labels, *dropped}))})"
    many = tuple(bool((np.bincount(ids, minlength=groups) > 1).any()) for ids in (left, right))
    if node.op in SET_OPERATORS:
        return f"; they match with {modifier}"
    if many not in _GROUPINGS:
        return f"; aggregate one side by the labels to match, then use {modifier}"
    return f"; they match with {modifier}{_GROUPINGS[many]}"


_EQUALITY: Final = {"==": "none are equal", "!=": "all are equal"}
"""The comparisons that are for native histograms, too."""

_GROUPINGS: Final = {(False, False): "", (True, False): " group_left ()", (False, True): " group_right ()"}
"""By whether several series of the left, or of the right side, meet one."""
