"""The tree as JSON values, as /api/v1/parse_query answers.

Source: upstream's web/api/v1/translate_ast.go.
"""

from typing import Any, assert_never

from query.language.ast import (
    Aggregation,
    AtAnchor,
    Binary,
    Call,
    DurationBinary,
    DurationCall,
    DurationExpr,
    DurationParen,
    DurationUnary,
    Expr,
    Extension,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorMatching,
    VectorSelector,
)
from query.language.functions import FUNCTIONS
from query.language.literals import as_utf8, format_number
from tsdb import Matcher

Json = dict[str, Any]


def to_json(expr: Expr) -> Json:
    """Dicts, lists, strings and numbers; durations and times in milliseconds."""
    match expr:
        case NumberLiteral():
            return {"type": "numberLiteral", "val": format_number(expr.value)}
        case StringLiteral():
            return {"type": "stringLiteral", "val": as_utf8(expr.value)}
        case VectorSelector():
            return {"type": "vectorSelector", **_selector(expr)}
        case MatrixSelector():
            return {"type": "matrixSelector", **_duration("range", expr.range), **_selector(expr.selector)}
        case Subquery():
            return {
                "type": "subquery",
                "expr": to_json(expr.expr),
                **_duration("range", expr.range),
                **_duration("step", expr.step),
                **_time_modifiers(expr),
            }
        case Call():
            return {
                "type": "call",
                "func": _function(expr.function),
                "args": [to_json(arg) for arg in expr.args],
            }
        case Aggregation():
            return {
                "type": "aggregation",
                "op": expr.op,
                "expr": to_json(expr.expr),
                "param": None if expr.param is None else to_json(expr.param),
                "grouping": list(expr.grouping),
                "without": expr.without,
            }
        case Binary():
            return {
                "type": "binaryExpr",
                "op": expr.op,
                "lhs": to_json(expr.lhs),
                "rhs": to_json(expr.rhs),
                "matching": None if expr.matching is None else _matching(expr.matching),
                "bool": expr.return_bool,
            }
        case Unary():
            return {"type": "unaryExpr", "op": expr.op, "expr": to_json(expr.expr)}
        case Paren():
            return {"type": "parenExpr", "expr": to_json(expr.expr)}
        case _:
            assert_never(expr)


def _selector(selector: VectorSelector) -> Json:
    return {
        "name": selector.name or "",
        "matchers": [_matcher(matcher) for matcher in selector.matchers],
        "anchored": selector.extension is Extension.ANCHORED,
        "smoothed": selector.extension is Extension.SMOOTHED,
        **_time_modifiers(selector),
    }


def _matcher(matcher: Matcher) -> Json:
    return {"name": matcher.name, "value": matcher.value, "type": matcher.op.value}


def _time_modifiers(node: VectorSelector | Subquery) -> Json:
    return {
        **_duration("offset", node.offset),
        "timestamp": node.at if isinstance(node.at, int) else None,
        "startOrEnd": node.at.value if isinstance(node.at, AtAnchor) else None,
    }


def _function(name: str) -> Json:
    function = FUNCTIONS[name]
    return {
        "name": name,
        "argTypes": [arg_type.value for arg_type in function.arg_types],
        "variadic": function.variadic,
        "returnType": function.return_type.value,
    }


def _matching(matching: VectorMatching) -> Json:
    return {
        "card": matching.cardinality.value,
        "labels": list(matching.labels),
        "on": matching.on,
        "include": list(matching.include),
        "fillValues": {"lhs": matching.fill_left, "rhs": matching.fill_right},
    }


def _duration(name: str, duration: DurationExpr | None) -> Json:
    """A literal stands under the name in milliseconds, anything else as a tree under `<name>Expr`."""
    if duration is None:
        return {name: 0, f"{name}Expr": None}
    if isinstance(duration, NumberLiteral):
        return {name: int(duration.value * 1000), f"{name}Expr": None}
    return {name: 0, f"{name}Expr": _duration_tree(duration)}


def _duration_tree(duration: DurationExpr) -> Json:
    match duration:
        case NumberLiteral():
            value = format_number(duration.value)
            return {"type": "numberLiteral", "val": value, "duration": duration.is_duration}
        case DurationCall():
            lhs, rhs = map(_duration_tree, duration.args) if duration.args else (None, None)
            return _duration_node(duration.function.value, lhs, rhs)
        case DurationUnary():
            return _duration_node(duration.op, None, _duration_tree(duration.operand))
        case DurationBinary():
            return _duration_node(duration.op, _duration_tree(duration.lhs), _duration_tree(duration.rhs))
        case DurationParen(operand=NumberLiteral()):
            # Upstream can mark only operations as wrapped, so that a number becomes one with a plus.
            return _duration_node("+", None, _duration_tree(duration.operand), wrapped=True)
        case DurationParen():
            return {**_duration_tree(duration.operand), "wrapped": True}
        case _:
            assert_never(duration)


def _duration_node(op: str, lhs: Json | None, rhs: Json | None, *, wrapped: bool = False) -> Json:
    return {"type": "durationExpr", "op": op, "lhs": lhs, "rhs": rhs, "wrapped": wrapped}
