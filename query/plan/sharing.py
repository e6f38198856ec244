"""Equal parts of a plan, which are evaluated once."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

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

Shared: TypeAlias = Mapping[int, PlanNode]
"""Each part that stands in some plans more than once, by its `id`: the first of those that equal it."""


def shared_parts(*plans: PlanNode) -> Shared:
    """The parts that read samples or aggregate, and stand in the plans more than once.

    What they compute costs most, and is what dashboards repeat in ratios and rules repeat in each other.
    """
    equal: dict[PlanNode, list[PlanNode]] = {}
    for plan in plans:
        for node in all_parts(plan):
            if is_costly(node):
                equal.setdefault(node, []).append(node)
    return {id(node): nodes[0] for nodes in equal.values() if len(nodes) > 1 for node in nodes}


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


def all_parts(node: PlanNode) -> Iterator[PlanNode]:
    """The node and all below it; a fused node stands for two, as which it may be evaluated."""
    yield node
    if isinstance(node, AggregateOverTime):
        yield node.call
    for child in children(node):
        yield from all_parts(child)


def is_costly(node: PlanNode) -> bool:
    """Whether a part is worth being shared."""
    if isinstance(node, FunctionCall):
        return any(isinstance(arg, RangeSelect | SubqueryRange) for arg in node.args)
    return isinstance(node, InstantSelect | Aggregate | AggregateOverTime)
