"""The text of a tree: on one line, or broken over several lines where it is long.

Sources: upstream's promql/parser/printer.go (String) and prettier.go (Prettify).
"""

import re
from typing import Final, assert_never

from query.language.ast import (
    Aggregation,
    AtAnchor,
    Binary,
    Call,
    Cardinality,
    DurationBinary,
    DurationCall,
    DurationExpr,
    DurationParen,
    DurationUnary,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorMatching,
    VectorSelector,
)
from query.language.literals import format_duration_ms, format_number, quote
from tsdb import METRIC_NAME, Matcher, MatchOp

MAX_LINE_BYTES: Final = 100

_PLAIN_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_GROUP_SIDES: Final = {Cardinality.MANY_TO_ONE: "group_left", Cardinality.ONE_TO_MANY: "group_right"}


def format_expr(expr: Expr) -> str:
    """The query on one line; `parse` of it gives the tree back."""
    match expr:
        case NumberLiteral():
            return _format_literal(expr)
        case StringLiteral():
            return quote(expr.value)
        case VectorSelector():
            return (
                f"{_format_matchers(expr)}{_format_at(expr)}{_format_extension(expr)}{_format_offset(expr)}"
            )
        case MatrixSelector():
            return f"{_format_matchers(expr.selector)}{_format_range(expr)}"
        case Subquery():
            return f"{format_expr(expr.expr)}{_format_subquery_range(expr)}"
        case Call():
            return f"{expr.function}({', '.join(map(format_expr, expr.args))})"
        case Aggregation():
            args = [expr.expr] if expr.param is None else [expr.param, expr.expr]
            return f"{format_aggregator(expr)}({', '.join(map(format_expr, args))})"
        case Binary():
            return f"{format_expr(expr.lhs)} {format_operator(expr)} {format_expr(expr.rhs)}"
        case Unary():
            return f"{expr.op}{format_expr(expr.expr)}"
        case Paren():
            return f"({format_expr(expr.expr)})"
        case _:
            assert_never(expr)


def prettify(expr: Expr) -> str:
    """The query with each part that is longer than `MAX_LINE_BYTES` split, two spaces a level."""
    return _pretty(expr, 0)


def _pretty(expr: Expr, level: int) -> str:
    indent = "  " * level
    line = format_expr(expr)
    is_long = len(line.encode()) > MAX_LINE_BYTES
    match expr:
        case Unary():
            return f"{indent}{expr.op}{_pretty(expr.expr, level).strip()}"
        case Subquery():
            return f"{_pretty(expr.expr, level)}{_format_subquery_range(expr)}" if is_long else line
        case Aggregation() if is_long:
            args = (expr.expr,) if expr.param is None else (expr.param, expr.expr)
            return f"{indent}{format_aggregator(expr)}(\n{_pretty_list(args, level + 1)}\n{indent})"
        case Call() if is_long:
            return f"{indent}{expr.function}(\n{_pretty_list(expr.args, level + 1)}\n{indent})"
        case Paren() if is_long:
            return f"{indent}(\n{_pretty(expr.expr, level + 1)}\n{indent})"
        case Binary() if is_long:
            lhs, rhs = _pretty(expr.lhs, level + 1), _pretty(expr.rhs, level + 1)
            return f"{lhs}\n{indent}{format_operator(expr)}\n{rhs}"
        case _:
            return f"{indent}{line}"


def _pretty_list(args: tuple[Expr, ...], level: int) -> str:
    return ",\n".join(_pretty(arg, level) for arg in args)


def _format_literal(number: NumberLiteral) -> str:
    # Go truncates to whole milliseconds when it prints.
    return (
        format_duration_ms(int(round(number.value * 1e9) / 1e6))
        if number.is_duration
        else format_number(number.value)
    )


def format_duration(duration: DurationExpr) -> str:
    """A duration expression on one line."""
    match duration:
        case NumberLiteral():
            return _format_literal(duration)
        case DurationCall():
            return f"{duration.function.value}({', '.join(map(format_duration, duration.args))})"
        case DurationUnary():
            return f"{duration.op}{format_duration(duration.operand)}"
        case DurationBinary():
            return f"{format_duration(duration.lhs)} {duration.op} {format_duration(duration.rhs)}"
        case DurationParen():
            return f"({format_duration(duration.operand)})"
        case _:
            assert_never(duration)


def format_label_name(name: str) -> str:
    """The name, quoted where it isn't an identifier."""
    return name if _PLAIN_LABEL.fullmatch(name) else quote(name)


def _format_labels(names: tuple[str, ...]) -> str:
    return f"({', '.join(map(format_label_name, names))})"


def _format_matchers(selector: VectorSelector) -> str:
    """The name and the braces, matchers in alphabetical order."""
    is_name = Matcher(METRIC_NAME, MatchOp.EQUAL, selector.name or "")
    shown = sorted(
        f"{format_label_name(matcher.name)}{matcher.op.value}{quote(matcher.value)}"
        for matcher in selector.matchers
        if not selector.name or matcher != is_name
    )
    braces = f"{{{','.join(shown)}}}" if shown or not selector.name else ""
    return f"{selector.name or ''}{braces}"


def _format_at(node: VectorSelector | Subquery) -> str:
    if node.at is None:
        return ""
    return f" @ {node.at.value}()" if isinstance(node.at, AtAnchor) else f" @ {node.at / 1000:.3f}"


def _format_offset(node: VectorSelector | Subquery) -> str:
    return "" if node.offset is None else f" offset {format_duration(node.offset)}"


def _format_extension(selector: VectorSelector) -> str:
    return "" if selector.extension is None else f" {selector.extension.value}"


def _format_range(node: MatrixSelector) -> str:
    selector = node.selector
    modifiers = f"{_format_extension(selector)}{_format_at(selector)}{_format_offset(selector)}"
    return f"[{format_duration(node.range)}]{modifiers}"


def _format_subquery_range(node: Subquery) -> str:
    step = "" if node.step is None else format_duration(node.step)
    return f"[{format_duration(node.range)}:{step}]{_format_at(node)}{_format_offset(node)}"


def format_aggregator(node: Aggregation) -> str:
    if not node.without and not node.grouping:
        return node.op
    return f"{node.op} {'without' if node.without else 'by'} {_format_labels(node.grouping)} "


def format_operator(node: Binary) -> str:
    parts = [node.op]
    if node.return_bool:
        parts.append("bool")
    if node.matching is not None:
        parts.extend(_format_matching(node.matching))
    return " ".join(parts)


def _format_matching(matching: VectorMatching) -> list[str]:
    parts = []
    side = _GROUP_SIDES.get(matching.cardinality)
    if matching.labels or matching.on or side:
        parts.append(f"{'on' if matching.on else 'ignoring'} {_format_labels(matching.labels)}")
    if side:
        parts.append(f"{side} {_format_labels(matching.include)}")
    if matching.fill_left is not None and matching.fill_left == matching.fill_right:
        return [*parts, f"fill ({format_number(matching.fill_left)})"]
    for keyword, value in (("fill_left", matching.fill_left), ("fill_right", matching.fill_right)):
        if value is not None:
            parts.append(f"{keyword} ({format_number(value)})")
    return parts
