"""Signatures of every function and aggregation of Prometheus 3.14.

Source: upstream's promql/parser/functions.go.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class ValueType(Enum):
    """What an expression evaluates to; the values are upstream's names in JSON."""

    SCALAR = "scalar"
    STRING = "string"
    VECTOR = "vector"
    MATRIX = "matrix"

    @property
    def documented(self) -> str:
        """The name that the documentation and most messages use."""
        return {ValueType.VECTOR: "instant vector", ValueType.MATRIX: "range vector"}.get(self, self.value)


UNBOUNDED: Final = -1


@dataclass(frozen=True)
class Function:
    """A signature. `variadic` is 0 where all arguments are required; otherwise the last one may be left out
    or given up to `variadic` times (`UNBOUNDED`: any number).
    """

    name: str
    arg_types: tuple[ValueType, ...]
    return_type: ValueType = ValueType.VECTOR
    variadic: int = 0
    experimental: bool = False

    @property
    def min_args(self) -> int:
        return len(self.arg_types) - (1 if self.variadic else 0)

    @property
    def max_args(self) -> int | None:
        """None where there is no limit."""
        return None if self.variadic == UNBOUNDED else self.min_args + self.variadic

    def arg_type(self, index: int) -> ValueType:
        """The type of the argument at this index; further ones are like the last."""
        return self.arg_types[min(index, len(self.arg_types) - 1)]


_S, _T, _V, _M = ValueType.SCALAR, ValueType.STRING, ValueType.VECTOR, ValueType.MATRIX

_SIGNATURES: Final = (
    Function("abs", (_V,)),
    Function("absent", (_V,)),
    Function("absent_over_time", (_M,)),
    Function("acos", (_V,)),
    Function("acosh", (_V,)),
    Function("asin", (_V,)),
    Function("asinh", (_V,)),
    Function("atan", (_V,)),
    Function("atanh", (_V,)),
    Function("avg_over_time", (_M,)),
    Function("ceil", (_V,)),
    Function("changes", (_M,)),
    Function("clamp", (_V, _S, _S)),
    Function("clamp_max", (_V, _S)),
    Function("clamp_min", (_V, _S)),
    Function("cos", (_V,)),
    Function("cosh", (_V,)),
    Function("count_over_time", (_M,)),
    Function("day_of_month", (_V,), variadic=1),
    Function("day_of_week", (_V,), variadic=1),
    Function("day_of_year", (_V,), variadic=1),
    Function("days_in_month", (_V,), variadic=1),
    Function("deg", (_V,)),
    Function("delta", (_M,)),
    Function("deriv", (_M,)),
    Function("double_exponential_smoothing", (_M, _S, _S), experimental=True),
    Function("end", (), _S, experimental=True),
    Function("exp", (_V,)),
    Function("first_over_time", (_M,)),
    Function("floor", (_V,)),
    Function("histogram_avg", (_V,)),
    Function("histogram_count", (_V,)),
    Function("histogram_fraction", (_S, _S, _V)),
    Function("histogram_quantile", (_S, _V)),
    Function("histogram_quantiles", (_V, _T, _S, _S), variadic=9, experimental=True),
    Function("histogram_stddev", (_V,)),
    Function("histogram_stdvar", (_V,)),
    Function("histogram_sum", (_V,)),
    Function("hour", (_V,), variadic=1),
    Function("idelta", (_M,)),
    Function("increase", (_M,)),
    Function("info", (_V, _V), variadic=1, experimental=True),
    Function("irate", (_M,)),
    Function("label_join", (_V, _T, _T, _T), variadic=UNBOUNDED),
    Function("label_replace", (_V, _T, _T, _T, _T)),
    Function("last_over_time", (_M,)),
    Function("ln", (_V,)),
    Function("log10", (_V,)),
    Function("log2", (_V,)),
    Function("mad_over_time", (_M,), experimental=True),
    Function("max_of", (_S, _S), _S, experimental=True),
    Function("max_over_time", (_M,)),
    Function("min_of", (_S, _S), _S, experimental=True),
    Function("min_over_time", (_M,)),
    Function("minute", (_V,), variadic=1),
    Function("month", (_V,), variadic=1),
    Function("pi", (), _S),
    Function("predict_linear", (_M, _S)),
    Function("present_over_time", (_M,)),
    Function("quantile_over_time", (_S, _M)),
    Function("rad", (_V,)),
    Function("range", (), _S, experimental=True),
    Function("rate", (_M,)),
    Function("resets", (_M,)),
    Function("round", (_V, _S), variadic=1),
    Function("scalar", (_V,), _S),
    Function("sgn", (_V,)),
    Function("sin", (_V,)),
    Function("sinh", (_V,)),
    Function("sort", (_V,)),
    Function("sort_by_label", (_V, _T), variadic=UNBOUNDED, experimental=True),
    Function("sort_by_label_desc", (_V, _T), variadic=UNBOUNDED, experimental=True),
    Function("sort_desc", (_V,)),
    Function("sqrt", (_V,)),
    Function("start", (), _S, experimental=True),
    Function("start_timestamp", (_V,), experimental=True),
    Function("stddev_over_time", (_M,)),
    Function("stdvar_over_time", (_M,)),
    Function("step", (), _S, experimental=True),
    Function("sum_over_time", (_M,)),
    Function("tan", (_V,)),
    Function("tanh", (_V,)),
    Function("time", (), _S),
    Function("timestamp", (_V,)),
    Function("ts_of_first_over_time", (_M,), experimental=True),
    Function("ts_of_last_over_time", (_M,), experimental=True),
    Function("ts_of_max_over_time", (_M,), experimental=True),
    Function("ts_of_min_over_time", (_M,), experimental=True),
    Function("vector", (_S,)),
    Function("year", (_V,), variadic=1),
)

FUNCTIONS: Final = {function.name: function for function in _SIGNATURES}


@dataclass(frozen=True)
class Aggregator:
    """An aggregation operator; `param_type` is None where it takes the vector alone."""

    name: str
    param_type: ValueType | None = None
    experimental: bool = False


_AGGREGATORS: Final = (
    Aggregator("avg"),
    Aggregator("bottomk", _S),
    Aggregator("count"),
    Aggregator("count_values", _T),
    Aggregator("group"),
    Aggregator("limit_ratio", _S, experimental=True),
    Aggregator("limitk", _S, experimental=True),
    Aggregator("max"),
    Aggregator("min"),
    Aggregator("quantile", _S),
    Aggregator("stddev"),
    Aggregator("stdvar"),
    Aggregator("sum"),
    Aggregator("topk", _S),
)

AGGREGATORS: Final = {aggregator.name: aggregator for aggregator in _AGGREGATORS}
