"""Constants that are computed when the plan is made."""

import numpy as np

from query.kernels.operators import ARITHMETIC, COMPARISONS
from query.plan.nodes import BinaryOperation, Negation, Number


def folded(node: BinaryOperation | Negation) -> BinaryOperation | Negation | Number:
    """The number that a node comes to, if its operands are numbers."""
    if isinstance(node, Negation):
        return Number(-node.operand.value) if isinstance(node.operand, Number) else node
    lhs, rhs = node.lhs, node.rhs
    if not isinstance(lhs, Number) or not isinstance(rhs, Number):
        return node
    operator = ARITHMETIC.get(node.source.op) or COMPARISONS.get(node.source.op)
    if operator is None:
        return node
    with np.errstate(all="ignore"):
        return Number(float(operator(np.array(lhs.value), np.array(rhs.value))))
