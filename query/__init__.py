"""PromQL: text to syntax tree to plan to numpy."""

from query.errors import ParseError, PlanError, QueryError
from query.execution.context import EngineOptions
from query.execution.control import Control
from query.execution.engine import Engine
from query.execution.errors import (
    EvaluationError,
    LimitError,
    QueryCanceledError,
    QueryTimeoutError,
    TooManySamplesError,
    UnsupportedError,
)
from query.execution.result import (
    InstantVector,
    RangeMatrix,
    RawMatrix,
    RawSeries,
    Result,
    ScalarPoint,
    Statistics,
    StringPoint,
)
from query.execution.trace import Explanation
from query.language import ParserOptions, parse
from query.plan import Batch, QueryWindow

__all__ = [
    "Batch",
    "Control",
    "Engine",
    "EngineOptions",
    "EvaluationError",
    "Explanation",
    "InstantVector",
    "LimitError",
    "ParseError",
    "ParserOptions",
    "PlanError",
    "QueryCanceledError",
    "QueryError",
    "QueryTimeoutError",
    "QueryWindow",
    "RangeMatrix",
    "RawMatrix",
    "RawSeries",
    "Result",
    "ScalarPoint",
    "Statistics",
    "StringPoint",
    "TooManySamplesError",
    "UnsupportedError",
    "parse",
]
