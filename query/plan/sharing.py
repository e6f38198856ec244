"""Equal parts of a plan, which are evaluated once."""

from collections import Counter
from collections.abc import Iterator

from query.plan.nodes import (
    Aggregate,
    AggregateOverTime,
    BinaryOperation,
    FunctionCall,
    InstantSelect,
    Invariant,
    Negation,
    PlanNode,
    RangeSelect,
    SubqueryRange,
)


def shared_parts(*plans: PlanNode) -> frozenset[PlanNode]:
    """The parts that read samples or aggregate, and stand in the plans more than once.

    What they compute costs most, and is what dashboards repeat in ratios and rules repeat in each other.
    """
    counts = Counter(node for plan in plans for node in _all_parts(plan) if is_costly(node))
    return frozenset(node for node, count in counts.items() if count > 1)


def children(node: PlanNode) -> tuple[PlanNode, ...]:
    """The operands of a node, in the order of evaluation."""
    match node:
        case Invariant() | Negation() | SubqueryRange():
            return (node.operand,)
        case FunctionCall():
            return node.args
        case Aggregate():
            return (node.operand,) if node.param is None else (node.param, node.operand)
        case AggregateOverTime():
            return (node.ranges,)
        case BinaryOperation():
            return (node.lhs, node.rhs)
        case _:
            return ()


def _all_parts(node: PlanNode) -> Iterator[PlanNode]:
    yield node
    for child in children(node):
        yield from _all_parts(child)


def is_costly(node: PlanNode) -> bool:
    """Whether a part is worth being shared."""
    if isinstance(node, FunctionCall):
        return any(isinstance(arg, RangeSelect | SubqueryRange) for arg in node.args)
    return isinstance(node, InstantSelect | Aggregate | AggregateOverTime)
