"""Going through a tree."""

from collections.abc import Iterator

from query.language.ast import (
    Aggregation,
    Binary,
    Call,
    DurationBinary,
    DurationCall,
    DurationExpr,
    DurationParen,
    DurationUnary,
    Expr,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly below, in upstream's order (an aggregation's parameter after its vector)."""
    match expr:
        case Aggregation():
            return (expr.expr,) if expr.param is None else (expr.expr, expr.param)
        case Binary():
            return (expr.lhs, expr.rhs)
        case Call():
            return expr.args
        case MatrixSelector():
            return (expr.selector,)
        case Subquery() | Unary() | Paren():
            return (expr.expr,)
        case _:
            return ()


def duration_operands(duration: DurationExpr) -> tuple[DurationExpr, ...]:
    """The durations directly below."""
    match duration:
        case DurationBinary():
            return (duration.lhs, duration.rhs)
        case DurationCall():
            return duration.args
        case DurationUnary() | DurationParen():
            return (duration.operand,)
        case _:
            return ()


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and everything below it, parents first."""
    pending = [expr]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(children(node)))
