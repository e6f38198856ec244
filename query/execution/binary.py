"""Binary operators, as upstream's promql/engine.go: VectorBinop, VectorscalarBinop, VectorAnd, VectorOr."""

from dataclasses import dataclass, replace

import numpy as np

from query.execution.columns import concat, float_samples, is_identity, take
from query.execution.context import EvalContext
from query.execution.matching import (
    Side,
    filled,
    matched_sides,
    pair,
    present_groups,
    require_unique_one_side,
    require_unique_pairs,
)
from query.execution.names import METADATA_LABELS, merge_equal_series, unnamed
from query.execution.operators import ARITHMETIC, COMPARISONS, SET_OPERATORS
from query.execution.values import Scalar, Value, Vector
from query.kernels.grouping import step_blocks
from query.language.ast import Binary, Cardinality, VectorMatching
from tsdb import LabelFrame
from tsdb.sample import BoolArray, FloatArray, IntArray


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
        return _set_operation(node.op, matching, lhs, rhs)
    return _of_vectors(node, matching, lhs, rhs, context)


def _of_scalars(op: str, lhs: Scalar, rhs: Scalar) -> Scalar:
    if op in ARITHMETIC:
        return Scalar(ARITHMETIC[op](lhs.values, rhs.values))
    return Scalar(COMPARISONS[op](lhs.values, rhs.values).astype(np.float64))


def _with_scalar(
    node: Binary, vector: Vector, left: FloatArray, right: FloatArray, context: EvalContext
) -> Vector:
    context.reserve(vector.values.size)
    present = float_samples(vector)
    if node.op in ARITHMETIC:
        values = ARITHMETIC[node.op](left, right)
    elif node.return_bool:
        values = COMPARISONS[node.op](left, right).astype(np.float64)
    else:
        kept = COMPARISONS[node.op](left, right)
        return replace(vector, present=kept if present is None else kept & present, histograms=None)
    labels, drop_name = unnamed(vector.labels, context)
    return merge_equal_series(Vector(labels, values, present, drop_name=drop_name))


def _set_operation(op: str, matching: VectorMatching, lhs: Vector, rhs: Vector) -> Vector:
    left, right = matched_sides(matching, lhs, rhs)
    if op == "or":
        added = ~present_groups(left)[:, right.groups]
        if rhs.present is not None:
            added &= rhs.present
        series = np.flatnonzero(added.any(axis=0))
        return merge_equal_series(concat(lhs, take(replace(rhs, present=added), series)))
    matched = present_groups(right)[:, left.groups]
    kept = matched if op == "and" else ~matched
    return replace(lhs, present=kept if lhs.present is None else kept & lhs.present)


@dataclass(frozen=True)
class _Pairs:
    """Series that meet: positions in the left and in the right vector, and where both have a sample."""

    left: Vector
    right: Vector
    left_rows: IntArray
    right_rows: IntArray
    present: BoolArray | None


def _of_vectors(
    node: Binary, matching: VectorMatching, lhs: Vector, rhs: Vector, context: EvalContext
) -> Vector:
    swapped = matching.cardinality is Cardinality.ONE_TO_MANY
    many, one = matched_sides(matching, *((rhs, lhs) if swapped else (lhs, rhs)))
    require_unique_one_side(matching, many, one)
    # Upstream swaps the sides of group_right, but not their fill values: fill_left is for the "many" side.
    many, one = (
        filled(many, one, matching.fill_left, matching),
        filled(one, many, matching.fill_right, matching),
    )
    many_rows, one_rows = pair(many, one)
    context.reserve(len(many_rows) * context.step_count)
    present = _both_present(many, many_rows, one, one_rows)
    named = not (node.op in ARITHMETIC or (node.return_bool and not context.options.delayed_name_removal))
    labels = _result_labels(matching, many.vector.labels.take(many_rows), one.vector.labels, one_rows, named)
    require_unique_pairs(matching, many.groups[many_rows], labels, present, context.step_count)
    left, right = (one, many) if swapped else (many, one)
    left_rows, right_rows = (one_rows, many_rows) if swapped else (many_rows, one_rows)
    pairs = _Pairs(left.vector, right.vector, left_rows, right_rows, present)
    values, present = _pair_values(node, pairs, context)
    drop_name = np.ones(labels.size, dtype=np.bool_) if node.return_bool and named else None
    return merge_equal_series(Vector(labels, values, present, drop_name=drop_name))


def _both_present(many: Side, many_rows: IntArray, one: Side, one_rows: IntArray) -> BoolArray | None:
    masks = [
        vector.present[:, rows]
        for vector, rows in ((many.vector, many_rows), (one.vector, one_rows))
        if vector.present is not None
    ]
    if not masks:
        return None
    return masks[0] if len(masks) == 1 else masks[0] & masks[1]


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


def _pair_values(node: Binary, pairs: _Pairs, context: EvalContext) -> tuple[FloatArray, BoolArray | None]:
    """The values of the pairs, [step, pair], and where there is one."""
    steps, count = context.step_count, len(pairs.left_rows)
    values = np.empty((steps, count))
    filters = node.op in COMPARISONS and not node.return_bool
    kept = np.empty((steps, count), dtype=np.bool_) if filters else None
    for rows in step_blocks(steps, count):
        context.check()
        left = _gathered(pairs.left.values[rows], pairs.left_rows)
        right = _gathered(pairs.right.values[rows], pairs.right_rows)
        if kept is not None:
            kept[rows] = COMPARISONS[node.op](left, right)
            values[rows] = left
        else:
            values[rows] = (ARITHMETIC.get(node.op) or COMPARISONS[node.op])(left, right)
    if kept is None:
        return values, pairs.present
    return values, kept if pairs.present is None else kept & pairs.present


def _gathered(block: FloatArray, columns: IntArray) -> FloatArray:
    return block if is_identity(columns, block.shape[1]) else np.take(block, columns, axis=1)
