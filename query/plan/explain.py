"""A plan in words."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from query.language.literals import quote
from query.language.printer import format_aggregator, format_expr, format_operator
from query.plan import nodes
from tsdb.numbers import format_number


def describe(node: nodes.PlanNode) -> str:
    """What a node does, in a few words; its operands are not told."""
    return _WORDS[type(node)](node)


def _subquery(node: nodes.SubqueryRange) -> str:
    whole, inner = format_expr(node.source), format_expr(node.source.expr)
    return f"every {node.step_ms / 1000:g} s, subquery {whole.removeprefix(inner)}"


_WORDS: Final[Mapping[type, Callable[[Any], str]]] = {
    nodes.Number: lambda node: f"number {format_number(node.value)}",
    nodes.Text: lambda node: f"string {quote(node.text)}",
    nodes.InstantSelect: lambda node: f"newest of {format_expr(node.source)}",
    nodes.RangeSelect: lambda node: f"samples of {format_expr(node.source)}",
    nodes.SubqueryRange: _subquery,
    nodes.Invariant: lambda _: "once, at the first step",
    nodes.FunctionCall: lambda node: f"{node.source.function}()",
    nodes.Aggregate: lambda node: format_aggregator(node.source).rstrip(),
    nodes.AggregateOverTime: lambda node: (
        f"{format_aggregator(node.source).rstrip()} of {node.call.source.function}(), fused"
    ),
    nodes.BinaryOperation: lambda node: f"operator {format_operator(node.source)}",
    nodes.Negation: lambda _: "negation",
}
