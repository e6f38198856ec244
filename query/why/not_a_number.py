"""Where NaN comes from."""

from collections.abc import Sequence

import numpy as np

from query.execution.columns import present_mask
from query.execution.values import Scalar, String, Value, Vector
from query.language.ast import Expr, NumberLiteral
from query.plan import PlanNode, nodes
from query.why.finding import Finding, Kind, counted


def is_nan(value: Value) -> bool:
    """Whether there are samples, all of them NaN."""
    if isinstance(value, String):
        return False
    if isinstance(value, Scalar):
        return bool(np.isnan(value.values).all())
    samples = value.values[present_mask(value)]
    return value.histograms is None and samples.size > 0 and bool(np.isnan(samples).all())


def nan_cause(node: PlanNode, operands: Sequence[Value]) -> Finding:
    """Why a node makes NaN of operands that are not."""
    match node:
        case nodes.Number(value=value):
            return Finding.of(Kind.NOT_A_NUMBER, NumberLiteral(value), "the number is NaN")
        case nodes.FunctionCall() if node.source.function == "scalar":
            return _of_scalar(node.source, operands[0])
        case nodes.FunctionCall() if node.source.function.startswith("histogram_"):
            text = "the histograms have no observations: all of their buckets are 0"
        case nodes.FunctionCall():
            text = f"{node.source.function}() gives NaN for all that it is given"
        case nodes.BinaryOperation() if node.source.op == "/" and all(map(_is_zero, operands)):
            text = "both sides are 0, and 0 / 0 is NaN"
        case nodes.BinaryOperation():
            text = f"{node.source.op} gives NaN for all that it is given"
        case nodes.InstantSelect():
            text = "the samples are stored as NaN"
        case _:
            text = "the result is NaN, though what it is computed of is not"
    return Finding.of(Kind.NOT_A_NUMBER, _source(node), text)


def _of_scalar(call: Expr, operand: Value) -> Finding:
    assert isinstance(operand, Vector)
    there = counted(int(present_mask(operand).any(axis=0).sum()))
    text = f"scalar() is NaN unless there is exactly one series; there are {there}"
    return Finding.of(Kind.NOT_ONE_SERIES, call, text)


def _is_zero(operand: Value) -> bool:
    if isinstance(operand, Vector):
        return not operand.values[present_mask(operand)].any()
    return isinstance(operand, Scalar) and not operand.values.any()


def _source(node: PlanNode) -> Expr:
    assert not isinstance(node, nodes.Number | nodes.Text | nodes.Invariant)
    return node.source
