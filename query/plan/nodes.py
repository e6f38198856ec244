"""The plan of a query: what is to be computed, with every modifier resolved to milliseconds.

Plan nodes are frozen and compare by value, so that equal parts of a query are found. A node keeps the AST
node it came from as `source`: for names, grouping, matching, literal arguments and the place in the text.
"""

from dataclasses import dataclass
from typing import TypeAlias

from query.language import ast
from tsdb import Matcher


@dataclass(frozen=True, slots=True)
class QueryWindow:
    """The steps that the whole query is asked for; an instant query has equal bounds and `step_ms` 0."""

    start_ms: int
    end_ms: int
    step_ms: int


@dataclass(frozen=True, slots=True)
class Number:
    """The same number at every step."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal."""

    text: str


@dataclass(frozen=True, slots=True)
class InstantSelect:
    """The newest sample of each series within the lookback before `at_ms` (None: the step) - `offset_ms`.

    `skips_buckets`: of native histograms only counts and sums are of use to what stands above.
    """

    matchers: tuple[Matcher, ...]
    offset_ms: int
    at_ms: int | None
    source: ast.VectorSelector
    skips_buckets: bool = False


@dataclass(frozen=True, slots=True)
class RangeSelect:
    """All samples of each series in the `range_ms` before `at_ms` (None: the step) - `offset_ms`."""

    matchers: tuple[Matcher, ...]
    range_ms: int
    offset_ms: int
    at_ms: int | None
    source: ast.MatrixSelector
    skips_buckets: bool = False


@dataclass(frozen=True, slots=True)
class SubqueryRange:
    """`operand` at each multiple of `step_ms` in the range; its samples are those of a range selector."""

    operand: "PlanNode"
    range_ms: int
    step_ms: int
    offset_ms: int
    at_ms: int | None
    source: ast.Subquery


@dataclass(frozen=True, slots=True)
class Invariant:
    """`operand` is the same at every step, and evaluated at the first only."""

    operand: "PlanNode"


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """`args` belong to `source.args`, one by one."""

    args: tuple["PlanNode", ...]
    source: ast.Call


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Series of `operand` grouped into fewer, or the pick of them."""

    operand: "PlanNode"
    param: "PlanNode | None"
    source: ast.Aggregation


@dataclass(frozen=True, slots=True)
class AggregateOverTime:
    """`source.op` of `call`, a function of nothing but `ranges`: one node instead of two.

    The samples of a group's series are added up (or compared) first, and windows taken of the sums.
    """

    ranges: RangeSelect
    call: FunctionCall
    source: ast.Aggregation


@dataclass(frozen=True, slots=True)
class BinaryOperation:
    """Two scalars, a scalar and a vector, or two vectors."""

    lhs: "PlanNode"
    rhs: "PlanNode"
    source: ast.Binary


@dataclass(frozen=True, slots=True)
class Negation:
    """Each sample with the other sign."""

    operand: "PlanNode"
    source: ast.Unary


RangeNode: TypeAlias = RangeSelect | SubqueryRange
PlanNode: TypeAlias = (
    Number
    | Text
    | InstantSelect
    | RangeSelect
    | SubqueryRange
    | Invariant
    | FunctionCall
    | Aggregate
    | AggregateOverTime
    | BinaryOperation
    | Negation
)
