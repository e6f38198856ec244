"""The abstract syntax tree of PromQL: frozen nodes, each with the span of text it came from, nothing else.

Spans do not take part in equality, so `parse(print(tree)) == tree`.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from tsdb import Matcher


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of character positions in the query text."""

    start: int
    end: int


NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """`1`, `0x1F`, `Inf`, or a duration such as `5m`, whose value is in seconds."""

    value: float
    is_duration: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class StringLiteral:
    """`"text"`, `'text'` or `` `text` ``."""

    value: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


class DurationFunction(Enum):
    """Functions inside a duration expression."""

    STEP = "step"
    RANGE = "range"
    MIN = "min_of"
    MAX = "max_of"


@dataclass(frozen=True, slots=True)
class DurationCall:
    """`step()`, `range()`, `min_of(a, b)`, `max_of(a, b)`."""

    function: DurationFunction
    args: tuple["DurationExpr", ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DurationUnary:
    """`-d` or `+d`."""

    op: str
    operand: "DurationExpr"
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DurationBinary:
    """`a op b`, op one of + - * / % ^."""

    op: str
    lhs: "DurationExpr"
    rhs: "DurationExpr"
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DurationParen:
    """`(d)`."""

    operand: "DurationExpr"
    span: Span = field(default=NOWHERE, compare=False, repr=False)


DurationExpr: TypeAlias = NumberLiteral | DurationCall | DurationUnary | DurationBinary | DurationParen


class AtAnchor(Enum):
    """`@ start()` and `@ end()`: the bounds of the query."""

    START = "start"
    END = "end"


class Extension(Enum):
    """How a selector sees samples at the bounds of its range."""

    ANCHORED = "anchored"
    SMOOTHED = "smoothed"


@dataclass(frozen=True, slots=True)
class VectorSelector:
    """`name{matchers} anchored|smoothed offset d @ t`.

    `name` is what stood before the braces; `matchers` holds the one for `__name__`, too,
    first where `name` is given. `at` is in milliseconds.
    """

    name: str | None
    matchers: tuple[Matcher, ...]
    extension: Extension | None = None
    offset: DurationExpr | None = None
    at: int | AtAnchor | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MatrixSelector:
    """`selector[range]`; the selector carries the modifiers that follow the brackets in the text."""

    selector: VectorSelector
    range: DurationExpr
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Subquery:
    """`expr[range:step] offset d @ t`; `step` is None for the default resolution."""

    expr: "Expr"
    range: DurationExpr
    step: DurationExpr | None
    offset: DurationExpr | None = None
    at: int | AtAnchor | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`function(args...)`."""

    function: str
    args: tuple["Expr", ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Aggregation:
    """`op by|without (grouping) (param, expr)`; no clause is `by ()`."""

    op: str
    expr: "Expr"
    param: "Expr | None" = None
    grouping: tuple[str, ...] = ()
    without: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False)


class Cardinality(Enum):
    """How many series of each side may share a match group."""

    ONE_TO_ONE = "one-to-one"
    MANY_TO_ONE = "many-to-one"
    ONE_TO_MANY = "one-to-many"
    MANY_TO_MANY = "many-to-many"


@dataclass(frozen=True, slots=True)
class VectorMatching:
    """`on|ignoring (labels) group_left|group_right (include) fill(v)`. No clause is `ignoring ()`.

    `fill_left` stands in for a missing left side, `fill_right` for a missing right one.
    """

    cardinality: Cardinality = Cardinality.ONE_TO_ONE
    labels: tuple[str, ...] = ()
    on: bool = False
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """`lhs op bool matching rhs`; `matching` is None unless both sides are vectors."""

    op: str
    lhs: "Expr"
    rhs: "Expr"
    return_bool: bool = False
    matching: VectorMatching | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-expr` or `+expr`."""

    op: str
    expr: "Expr"
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Paren:
    """`(expr)`."""

    expr: "Expr"
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Expr: TypeAlias = (
    NumberLiteral
    | StringLiteral
    | VectorSelector
    | MatrixSelector
    | Subquery
    | Call
    | Aggregation
    | Binary
    | Unary
    | Paren
)
