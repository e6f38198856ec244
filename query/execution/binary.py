"""Binary operators, as upstream's promql/engine.go: VectorBinop, VectorscalarBinop, VectorAnd, VectorOr."""

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from query.execution.columns import concat, is_identity, present_mask, take
from query.execution.context import EvalContext
from query.execution.errors import EvaluationError
from query.execution.histogram_binary import Operand, mismatched_types, overlay_histograms
from query.execution.matching import (
    Side,
    filled,
    matched_sides,
    pair,
    present_groups,
    require_unique_one_side,
    require_unique_pairs,
    samples_per_group,
)
from query.execution.names import METADATA_LABELS, merge_equal_series, unnamed
from query.execution.values import Scalar, Value, Vector
from query.kernels.grouping import step_blocks
from query.kernels.operators import ARITHMETIC, COMPARISONS, SET_OPERATORS, TRIM_OPERATORS
from query.language.ast import Binary, Cardinality, VectorMatching
from tsdb import LabelFrame
from tsdb.sample import BoolArray, FloatArray, IntArray

_Rows: TypeAlias = tuple[Vector, IntArray | slice]
"""A vector, and which of its series stand in the pairs: position[pair], or the slice of all."""


def binary(node: Binary, lhs: Value, rhs: Value, context: EvalContext) -> Value:
    """`lhs node.op rhs` at every step. Raises `EvaluationError` where series can't be matched."""
    if isinstance(lhs, Scalar) and isinstance(rhs, Scalar):
        return _of_scalars(node.op, lhs, rhs)
    if isinstance(lhs, Vector) and isinstance(rhs, Scalar):
        return _with_scalar(node, lhs, lhs.values, rhs.values[:, None], context)
    if isinstance(lhs, Scalar) and isinstance(rhs, Vector):
        return _with_scalar(node, rhs, lhs.values[:, None], rhs.values, context)
    assert isinstance(lhs, Vector)
    assert isinstance(rhs, Vector)
    matching = node.matching or VectorMatching()
    if node.op in SET_OPERATORS:
        return _set_operation(node.op, matching, lhs, rhs, context)
    return _of_vectors(node, matching, lhs, rhs, context)


def _of_scalars(op: str, lhs: Scalar, rhs: Scalar) -> Scalar:
    if op in ARITHMETIC:
        return Scalar(ARITHMETIC[op](lhs.values, rhs.values))
    if op in TRIM_OPERATORS:
        raise EvaluationError(f'operator "{op}" not allowed for Scalar operations')
    return Scalar(COMPARISONS[op](lhs.values, rhs.values).astype(np.float64))


def _with_scalar(
    node: Binary, vector: Vector, left: FloatArray, right: FloatArray, context: EvalContext
) -> Vector:
    context.reserve(vector.values.size)
    values, kept = _of_floats(node, left, right)
    if node.op in COMPARISONS and not node.return_bool:
        values = vector.values
    result = replace(vector, values=values, present=_both(kept, vector.present), histograms=None)
    if vector.histograms is not None or node.op in TRIM_OPERATORS:
        mine = Operand(vector.values, vector.histograms)
        sides = (mine, Operand(right, None)) if left is vector.values else (Operand(left, None), mine)
        result = _with_histograms(node, sides, result, present_mask(vector), context)
    if node.op not in ARITHMETIC and not node.return_bool:
        return result
    labels, drop_name = unnamed(vector.labels, context)
    return merge_equal_series(replace(result, labels=labels, drop_name=drop_name))


def _of_floats(node: Binary, left: FloatArray, right: FloatArray) -> tuple[FloatArray, BoolArray | None]:
    """(values, kept) of the operator on floats; filters keep the left value, None is everywhere."""
    if node.op in ARITHMETIC:
        return ARITHMETIC[node.op](left, right), None
    if node.op in TRIM_OPERATORS:
        shape = np.broadcast_shapes(left.shape, right.shape)
        return np.broadcast_to(left, shape), np.zeros(shape, dtype=np.bool_)
    holds = COMPARISONS[node.op](left, right)
    return (holds.astype(np.float64), None) if node.return_bool else (left, holds)


def _with_histograms(
    node: Binary,
    sides: tuple[Operand, Operand],
    result: Vector,
    candidates: BoolArray,
    context: EvalContext,
) -> Vector:
    """`result`, with the cells done over where a side is a native histogram."""
    overlaid = overlay_histograms(
        node,
        *sides,
        values=result.values,
        kept=present_mask(result),
        candidates=candidates,
        context=context,
    )
    return replace(result, values=overlaid.values, present=overlaid.present, histograms=overlaid.histograms)


def _both(left: BoolArray | None, right: BoolArray | None) -> BoolArray | None:
    if left is None or right is None:
        return right if left is None else left
    return left & right


def _set_operation(
    op: str, matching: VectorMatching, lhs: Vector, rhs: Vector, context: EvalContext
) -> Vector:
    left, right = matched_sides(matching, lhs, rhs)
    if op == "or":
        added = ~present_groups(left)[:, right.groups]
        if rhs.present is not None:
            added &= rhs.present
        series = np.flatnonzero(added.any(axis=0))
        context.reserve((lhs.labels.size + len(series)) * context.step_count)
        return merge_equal_series(concat(lhs, take(replace(rhs, present=added), series)))
    matched = present_groups(right)[:, left.groups]
    kept = matched if op == "and" else ~matched
    return replace(lhs, present=kept if lhs.present is None else kept & lhs.present)


def _of_vectors(
    node: Binary, matching: VectorMatching, lhs: Vector, rhs: Vector, context: EvalContext
) -> Vector:
    swapped = matching.cardinality is Cardinality.ONE_TO_MANY
    many, one = matched_sides(matching, *((rhs, lhs) if swapped else (lhs, rhs)))
    require_unique_one_side(matching, many, one)
    # Upstream swaps the sides of group_right, but not their fill values: fill_left is for the "many" side.
    many, one = (
        filled(many, one, matching.fill_left, matching, _combined_groups(node, many, one, swapped)),
        filled(one, many, matching.fill_right, matching),
    )
    many_rows, one_rows = pair(many, one)
    context.reserve(len(many_rows) * context.step_count)
    present = _both(_taken(many.vector.present, many_rows), _taken(one.vector.present, one_rows))
    named = not (node.op in ARITHMETIC or (node.return_bool and not context.options.delayed_name_removal))
    labels = _result_labels(matching, many.vector.labels.take(many_rows), one.vector.labels, one_rows, named)
    sides = (_rows(many.vector, many_rows), _rows(one.vector, one_rows))
    sides = sides[::-1] if swapped else sides
    combined = _both(_combinable(node, sides), present)
    require_unique_pairs(matching, many.groups[many_rows], labels, combined, context.step_count)
    result = _paired(node, sides, labels, present, context)
    if node.return_bool and named:
        result = replace(result, drop_name=np.ones(labels.size, dtype=np.bool_))
    return merge_equal_series(result)


def _combined_groups(node: Binary, many: Side, one: Side, swapped: bool) -> BoolArray | None:
    """bool[step, group]: which match groups have a pair that `node.op` takes; None: all that meet."""
    if _takes_all(node, many.vector, one.vector):
        return None
    many_rows, one_rows = pair(many, one)
    sides = (_rows(many.vector, many_rows), _rows(one.vector, one_rows))
    present = _both(_taken(many.vector.present, many_rows), _taken(one.vector.present, one_rows))
    combined = _both(_combinable(node, sides[::-1] if swapped else sides), present)
    return samples_per_group(combined, many.groups[many_rows], many.count, len(many.vector.values)) > 0


def _combinable(node: Binary, sides: tuple[_Rows, _Rows]) -> BoolArray | None:
    """bool[step, pair]: where `node.op` takes samples of these types; None is everywhere."""
    if _takes_all(node, *(vector for vector, _ in sides)):
        return None
    return ~mismatched_types(node.op, _operand(*sides[0]), _operand(*sides[1]))


def _takes_all(node: Binary, *vectors: Vector) -> bool:
    """Whether `node.op` has a result for all pairs of samples."""
    return node.op not in TRIM_OPERATORS and all(vector.histograms is None for vector in vectors)


def _result_labels(
    matching: VectorMatching, labels: LabelFrame, one_labels: LabelFrame, one_rows: IntArray, named: bool
) -> LabelFrame:
    """`labels` of the "many" side, as upstream's resultMetric changes them."""
    if not named:
        labels = labels.drop(METADATA_LABELS)
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        labels = labels.keep(matching.labels) if matching.on else labels.drop(matching.labels)
    for name in matching.include:
        labels = labels.with_codes(name, one_labels.codes(name)[one_rows])
    return labels


def _paired(
    node: Binary,
    sides: tuple[_Rows, _Rows],
    labels: LabelFrame,
    present: BoolArray | None,
    context: EvalContext,
) -> Vector:
    """The operator on pairs, whose labels are given; `present` says where both series have a sample."""
    shape = (context.step_count, labels.size)
    values = np.empty(shape)
    all_kept: BoolArray | None = None
    for rows in step_blocks(*shape):
        context.check()
        blocks = (_gathered(vector.values[rows], columns) for vector, columns in sides)
        values[rows], kept = _of_floats(node, *blocks)
        if kept is not None:
            all_kept = np.empty(shape, dtype=np.bool_) if all_kept is None else all_kept
            all_kept[rows] = kept
    result = Vector(labels, values, _both(all_kept, present))
    if _takes_all(node, *(vector for vector, _ in sides)):
        return result
    candidates = np.broadcast_to(np.True_, shape) if present is None else present
    return _with_histograms(node, (_operand(*sides[0]), _operand(*sides[1])), result, candidates, context)


def _rows(vector: Vector, columns: IntArray) -> _Rows:
    return vector, slice(None) if is_identity(columns, vector.labels.size) else columns


def _operand(vector: Vector, columns: IntArray | slice) -> Operand:
    return Operand(vector.values[:, columns], _taken(vector.histograms, columns))


def _taken(cells: NDArray[Any] | None, columns: IntArray | slice) -> NDArray[Any] | None:
    return None if cells is None else cells[:, columns]


def _gathered(block: FloatArray, columns: IntArray | slice) -> FloatArray:
    return block if isinstance(columns, slice) else np.take(block, columns, axis=1)
