"""Trees that mean the same for the same reason, made equal: spelling and order aside."""

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from query.language.ast import (
    Aggregation,
    DurationParen,
    Expr,
    NumberLiteral,
    Paren,
    VectorMatching,
    VectorSelector,
)
from query.language.printer import format_expr
from tsdb import METRIC_NAME, MatchOp

Node = TypeVar("Node")


def tidied(expr: Expr) -> Expr:
    """The tree with its matchers and its lists of labels in order."""
    return _each(expr, _tidied_node)


def is_same(one: Expr, other: Expr) -> bool:
    """Whether two trees differ at most in order of matchers and labels, parentheses and spelling."""
    return difference(one, other) is None


def difference(expected: Expr, actual: Expr) -> str | None:
    """The first place where two trees differ otherwise than `is_same` overlooks, in words."""
    return _difference(_comparable(expected), _comparable(actual))


def _difference(expected: Any, actual: Any) -> str | None:
    if repr(expected) == repr(actual):
        return None
    if type(expected) is type(actual) and is_dataclass(expected) and not isinstance(expected, NumberLiteral):
        differing = [
            field.name
            for field in fields(expected)
            if field.compare and repr(getattr(expected, field.name)) != repr(getattr(actual, field.name))
        ]
        if len(differing) == 1:
            inner = getattr(expected, differing[0]), getattr(actual, differing[0])
            if all(isinstance(side, Expr) for side in inner):
                return _difference(*inner)
            if differing[0] == "args" and len(inner[0]) == len(inner[1]):
                return next(filter(None, map(_difference, *inner)))
    return f"expected {_shown(expected)}, got {_shown(actual)}"


def _shown(node: Any) -> str:
    return format_expr(node) if isinstance(node, Expr) else str(node)


def _comparable(expr: Expr) -> Expr:
    return _each(tidied(expr), _comparable_node)


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
            matchers = tuple(sorted(node.matchers, key=lambda one: (one.name, one.op.value, one.value)))
            names = [one for one in matchers if one.name == METRIC_NAME and one.op is MatchOp.EQUAL]
            if len(names) != 1:
                return replace(node, matchers=matchers)
            rest = tuple(one for one in matchers if one is not names[0])
            return replace(node, name=names[0].value, matchers=(names[0], *rest))
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
        case _:
            return node
