"""Types, and the other rules that the grammar can't express.

Source: upstream's checkAST in promql/parser/parse.go; the messages are upstream's, as clients see them.
"""

from dataclasses import dataclass, replace
from typing import Final, NoReturn, TypeVar

from query.language.ast import (
    Aggregation,
    Binary,
    Call,
    Cardinality,
    DurationCall,
    DurationExpr,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Span,
    StringLiteral,
    Subquery,
    Unary,
    VectorMatching,
    VectorSelector,
)
from query.language.functions import AGGREGATORS, FUNCTIONS, Function, ValueType
from query.language.literals import quote
from query.language.operations import COMPARISONS, SET_OPERATORS
from query.language.problem import ProblemError
from query.language.walk import duration_operands
from tsdb import METRIC_NAME

Node = TypeVar("Node", Aggregation, Paren, Unary, Subquery)

MAX_DEPTH: Final = 200
"""Expressions nest at most so deep, so that no recursion over a tree meets Python's limit."""


@dataclass(frozen=True, slots=True)
class ParserOptions:
    """The parts of the language that upstream hides behind `--enable-feature`; off like there."""

    experimental_functions: bool = False
    duration_expressions: bool = False
    extended_range_selectors: bool = False
    binop_fill_modifiers: bool = False


def value_type(expr: Expr) -> ValueType:
    """What a checked expression evaluates to."""
    match expr:
        case NumberLiteral():
            return ValueType.SCALAR
        case StringLiteral():
            return ValueType.STRING
        case VectorSelector() | Aggregation():
            return ValueType.VECTOR
        case MatrixSelector() | Subquery():
            return ValueType.MATRIX
        case Call():
            return FUNCTIONS[expr.function].return_type
        case Paren() | Unary():
            return value_type(expr.expr)
        case Binary():
            return _binary_type(value_type(expr.lhs), value_type(expr.rhs))


def _binary_type(lhs: ValueType, rhs: ValueType) -> ValueType:
    return ValueType.SCALAR if lhs is rhs is ValueType.SCALAR else ValueType.VECTOR


def check(expr: Expr, text: str, options: ParserOptions) -> Expr:
    """The tree without the matching of operations that are not between two vectors. Raises `ProblemError`."""
    checked, _ = _Checker(text, options).check(expr, 0)
    return checked


class _Checker:
    """One pass from the leaves up; each method returns the node, maybe rebuilt, and its type."""

    def __init__(self, text: str, options: ParserOptions) -> None:
        self._text = text
        self._options = options

    def check(self, expr: Expr, depth: int) -> tuple[Expr, ValueType]:
        if depth >= MAX_DEPTH:
            _refuse(f"expression is nested more than {MAX_DEPTH} levels deep", expr.span)
        match expr:
            case VectorSelector():
                self._check_selector(expr)
                return expr, ValueType.VECTOR
            case MatrixSelector():
                self._check_duration(expr.range)
                self._check_selector(expr.selector)
                return expr, ValueType.MATRIX
            case Call():
                return self._check_call(expr, depth)
            case Aggregation():
                return self._check_aggregation(expr, depth), ValueType.VECTOR
            case Binary():
                return self._check_binary(expr, depth)
            case Paren():
                inner, kind = self.check(expr.expr, depth + 1)
                return _with_expr(expr, inner), kind
            case Unary():
                return self._check_unary(expr, depth)
            case Subquery():
                return self._check_subquery(expr, depth), ValueType.MATRIX
            case _:
                return expr, value_type(expr)

    def _check_selector(self, selector: VectorSelector, *, may_be_empty: bool = False) -> None:
        if selector.extension and not self._options.extended_range_selectors:
            _refuse(f"{selector.extension.value} modifier is experimental and not enabled", selector.span)
        self._check_duration(selector.offset)
        if selector.name is not None:
            for matcher in selector.matchers[1:]:
                if matcher.name == METRIC_NAME:
                    names = f"{quote(selector.name)} or {quote(matcher.value)}"
                    _refuse(f"metric name must not be set twice: {names}", selector.span)
        elif not may_be_empty and all(matcher.matches("") for matcher in selector.matchers):
            _refuse("vector selector must contain at least one non-empty matcher", selector.span)

    def _check_aggregation(self, node: Aggregation, depth: int) -> Aggregation:
        aggregator = AGGREGATORS[node.op]
        if aggregator.experimental and not self._options.experimental_functions:
            flag = "--enable-feature=promql-experimental-functions"
            _refuse(f"{node.op}() is experimental and must be enabled with {flag}", node.span)
        expr = self._expect(node.expr, ValueType.VECTOR, "aggregation expression", depth)
        if node.param is None or aggregator.param_type is None:
            return _with_expr(node, expr)
        param = self._expect(node.param, aggregator.param_type, "aggregation parameter", depth)
        return _with_expr(node, expr) if param is node.param else replace(node, expr=expr, param=param)

    def _expect(self, expr: Expr, wanted: ValueType, context: str, depth: int) -> Expr:
        checked, kind = self.check(expr, depth + 1)
        if kind is not wanted:
            _refuse(f"expected type {wanted.documented} in {context}, got {kind.documented}", expr.span)
        return checked

    def _check_call(self, node: Call, depth: int) -> tuple[Expr, ValueType]:
        function = FUNCTIONS[node.function]
        if function.experimental and not self._options.experimental_functions:
            _refuse(f"function {quote(node.function)} is not enabled", node.span)
        _check_arity(node, function)
        context = f"call to function {quote(node.function)}"
        args = []
        for index, arg in enumerate(node.args):
            if node.function == "info" and index == 1:
                self._check_info_selector(arg, depth)
                args.append(arg)
            else:
                args.append(self._expect(arg, function.arg_type(index), context, depth))
        same = all(new is old for new, old in zip(args, node.args, strict=True))
        return (node if same else replace(node, args=tuple(args))), function.return_type

    def _check_info_selector(self, arg: Expr, depth: int) -> None:
        """info()'s second argument is a set of matchers in the shape of a selector."""
        if isinstance(arg, VectorSelector):
            if arg.name is not None:
                _refuse("expected label selectors only, got vector selector instead", arg.span)
            self._check_selector(arg, may_be_empty=True)
            return
        self._expect(arg, ValueType.VECTOR, 'call to function "info"', depth)
        _refuse("expected label selectors only", arg.span)

    def _check_unary(self, node: Unary, depth: int) -> tuple[Expr, ValueType]:
        inner, kind = self.check(node.expr, depth + 1)
        if kind not in (ValueType.SCALAR, ValueType.VECTOR):
            _refuse(
                "unary expression only allowed on expressions of type scalar or instant vector, "
                f"got {quote(kind.documented)}",
                node.span,
            )
        return _with_expr(node, inner), kind

    def _check_subquery(self, node: Subquery, depth: int) -> Subquery:
        for duration in (node.range, node.step, node.offset):
            self._check_duration(duration)
        inner, kind = self.check(node.expr, depth + 1)
        if kind is not ValueType.VECTOR:
            _refuse(f"subquery is only allowed on instant vector, got {kind.value} instead", node.span)
        return _with_expr(node, inner)

    def _check_binary(self, node: Binary, depth: int) -> tuple[Expr, ValueType]:
        matching = node.matching or VectorMatching()
        fills = (matching.fill_left, matching.fill_right) != (None, None)
        if fills and not self._options.binop_fill_modifiers:
            _refuse("binop fill modifiers are experimental and not enabled", node.span)
        lhs, lhs_type = self.check(node.lhs, depth + 1)
        rhs, rhs_type = self.check(node.rhs, depth + 1)
        both_scalar = lhs_type is rhs_type is ValueType.SCALAR
        if node.return_bool and node.op not in COMPARISONS:
            _refuse("bool modifier can only be used on comparison operators", self._operator_span(node))
        if node.op in COMPARISONS and not node.return_bool and both_scalar:
            _refuse("comparisons between scalars must use BOOL modifier", self._operator_span(node))
        for label in matching.labels if matching.on else ():
            if label in matching.include:
                message = f"label {quote(label)} must not occur in ON and GROUP clause at once"
                _refuse(message, self._operator_span(node))
        for side, kind in ((lhs, lhs_type), (rhs, rhs_type)):
            if kind not in (ValueType.SCALAR, ValueType.VECTOR):
                _refuse("binary expression must contain only scalar and instant vector types", side.span)
        between_vectors = lhs_type is rhs_type is ValueType.VECTOR
        if not between_vectors:
            _check_scalar_operation(node, matching, fills)
        elif node.op in SET_OPERATORS:
            _check_set_operation(node, matching, fills)
        kept = node.matching if between_vectors else None
        if lhs is not node.lhs or rhs is not node.rhs or kept is not node.matching:
            node = replace(node, lhs=lhs, rhs=rhs, matching=kept)
        return node, _binary_type(lhs_type, rhs_type)

    def _operator_span(self, node: Binary) -> Span:
        between = self._text[node.lhs.span.end : node.rhs.span.start]
        start = node.lhs.span.end + len(between) - len(between.lstrip(" \t\r\n"))
        return Span(start, start + len(between.strip(" \t\r\n")))

    def _check_duration(self, duration: DurationExpr | None, depth: int = 0) -> None:
        """Operands before their operation: the order in which upstream's parser meets them."""
        if duration is None or isinstance(duration, NumberLiteral):
            return
        if depth >= MAX_DEPTH:
            _refuse(f"duration expression is nested more than {MAX_DEPTH} levels deep", duration.span)
        operands = duration_operands(duration)
        for operand in operands:
            self._check_duration(operand, depth + 1)
        if not self._options.duration_expressions:
            culprit = duration if isinstance(duration, DurationCall) else operands[0]
            _refuse("experimental duration expression is not enabled", culprit.span)


def _refuse(message: str, span: Span) -> NoReturn:
    raise ProblemError(message, span)


def _with_expr(node: Node, expr: Expr) -> Node:
    return node if expr is node.expr else replace(node, expr=expr)


def _check_arity(node: Call, function: Function) -> None:
    given = len(node.args)
    tail = f"argument(s) in call to {quote(node.function)}, got {given}"
    if not function.variadic and given != len(function.arg_types):
        _refuse(f"expected {len(function.arg_types)} {tail}", node.span)
    if given < function.min_args:
        _refuse(f"expected at least {function.min_args} {tail}", node.span)
    if function.max_args is not None and given > function.max_args:
        _refuse(f"expected at most {function.max_args} {tail}", node.span)


def _check_scalar_operation(node: Binary, matching: VectorMatching, fills: bool) -> None:
    if matching.labels:
        _refuse("vector matching only allowed between instant vectors", node.span)
    if fills:
        _refuse("filling in missing series only allowed between instant vectors", node.span)
    if node.op in SET_OPERATORS:
        _refuse(f"set operator {quote(node.op)} not allowed in binary scalar expression", node.span)


def _check_set_operation(node: Binary, matching: VectorMatching, fills: bool) -> None:
    if matching.cardinality is not Cardinality.MANY_TO_MANY:
        _refuse(f"no grouping allowed for {quote(node.op)} operation", node.span)
    if fills:
        _refuse("filling in missing series not allowed for set operators", node.span)
