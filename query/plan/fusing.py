"""Aggregations of functions of ranges that are computed in one go, once a group."""

from typing import Final

from query.plan.nodes import Aggregate, AggregateOverTime, FunctionCall, RangeSelect

FUSIBLE: Final = frozenset(
    {
        *((op, "avg_over_time") for op in ("sum", "avg", "count")),
        *((op, "count_over_time") for op in ("sum", "avg", "count")),
        *((op, "increase") for op in ("sum", "avg", "count")),
        *((op, "rate") for op in ("sum", "avg", "count")),
        *((op, "sum_over_time") for op in ("sum", "avg", "count")),
        ("max", "max_over_time"),
        ("min", "min_over_time"),
    }
)
"""(aggregation, function of its operand)."""


def fused(node: Aggregate) -> Aggregate | AggregateOverTime:
    """`node`, in one with its operand where that is possible."""
    call = node.operand
    if not isinstance(call, FunctionCall) or (node.source.op, call.source.function) not in FUSIBLE:
        return node
    ranges = call.args[0]
    if not isinstance(ranges, RangeSelect) or ranges.source.selector.extension is not None:
        return node
    return AggregateOverTime(ranges, call, node.source)
