"""Trees that mean the same for the same reason, made equal: spelling and order aside."""

from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar, cast

from query.language.ast import (
    Aggregation,
    Binary,
    Call,
    DurationParen,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Subquery,
    Unary,
    VectorMatching,
    VectorSelector,
)
from query.language.printer import format_expr

Node = TypeVar("Node")


def tidied(expr: Expr) -> Expr:
    """The tree with its matchers and its lists of labels in order."""
    return _each(expr, _tidied_node)


def is_same(one: Expr, other: Expr) -> bool:
    """Whether two trees differ at most in order of matchers and labels, parentheses and spelling."""
    return difference(one, other) is None


def difference(expected: Expr, actual: Expr) -> str | None:
    """The first place where two trees differ otherwise than `is_same` overlooks, in words."""
    return _difference(tidied(expected), tidied(actual))


def _difference(expected: Any, actual: Any) -> str | None:
    expected, actual = _bare(expected), _bare(actual)
    if _key(expected) == _key(actual):
        return None
    if type(expected) is type(actual):
        differing = [
            (ours, theirs)
            for ours, theirs in zip(_parts(expected), _parts(actual), strict=True)
            if _key(ours) != _key(theirs)
        ]
        if len(differing) == 1 and all(isinstance(side, _BELOW) for side in differing[0]):
            return _difference(*differing[0])
    return f"expected {format_expr(expected)}, got {format_expr(actual)}"


_BELOW: Final = (Aggregation, Binary, Call, MatrixSelector, Paren, Subquery, Unary, VectorSelector)
"""What a difference is looked for in; that of others is told by what they stand in."""


def _parts(node: Any) -> list[Any]:
    """The values of a node's fields; its arguments one by one, if they are as many as one."""
    values = [getattr(node, field.name) for field in fields(node) if field.compare]
    if isinstance(node, Call) and len(node.args) == 1:
        return [node.function, node.args[0]]
    return values


def _bare(expr: Expr) -> Expr:
    while isinstance(expr, Paren):
        expr = expr.expr
    return expr


def _key(node: Any) -> str:
    """The same text for what means the same."""
    return repr(_each(node, _comparable_node))


def _each(node: Node, change: Any) -> Node:
    """The tree with `change` applied to each node, those below first."""
    if not is_dataclass(node):
        return node
    changed = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, tuple):
            new: Any = tuple(_each(item, change) for item in value)
        else:
            new = _each(value, change)
        if new is not value:
            changed[field.name] = new
    rebuilt = replace(cast("Any", node), **changed) if changed else node
    return cast("Node", change(rebuilt))


def _tidied_node(node: Any) -> Any:
    match node:
        case VectorSelector():
            first = () if node.name is None else node.matchers[:1]
            rest = sorted(node.matchers[len(first) :], key=lambda one: (one.name, one.op.value, one.value))
            return replace(node, matchers=(*first, *rest))
        case Aggregation():
            return replace(node, grouping=tuple(sorted(set(node.grouping))))
        case VectorMatching():
            labels, include = tuple(sorted(set(node.labels))), tuple(sorted(set(node.include)))
            return replace(node, labels=labels, include=include)
        case _:
            return node


def _comparable_node(node: Any) -> Any:
    match node:
        case Paren():
            return node.expr
        case DurationParen():
            return node.operand
        case NumberLiteral():
            return replace(node, is_duration=False)
        case VectorSelector(name=str()):
            return _tidied_node(replace(node, name=None))
        case _:
            return node
