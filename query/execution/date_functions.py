"""Parts of dates, in UTC, as upstream's promql/functions.go: dateWrapper."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from query.execution.context import EvalContext
from query.execution.math_functions import InstantFunction, map_floats
from query.execution.values import Value, Vector
from query.language.ast import Call
from tsdb import LabelFrame
from tsdb.sample import FloatArray

_Dates: TypeAlias = NDArray[np.datetime64]
_Part: TypeAlias = Callable[[_Dates], NDArray[np.int64]]

_LAST_SECOND: Final = 2.0**62


def _count(dates: _Dates, unit: str) -> NDArray[np.int64]:
    """Whole units since 1970, rounded down."""
    return dates.astype(f"datetime64[{unit}]").astype(np.int64)


def _start_of(dates: _Dates, unit: str) -> NDArray[np.int64]:
    """The day, counted from 1970, on which the month or year of each date begins."""
    return _count(dates.astype(f"datetime64[{unit}]"), "D")


def _days_in_month(dates: _Dates) -> NDArray[np.int64]:
    months = dates.astype("datetime64[M]")
    return _count((months.astype(np.int64) + 1).astype("datetime64[M]"), "D") - _count(months, "D")


_PARTS: Final[Mapping[str, _Part]] = {
    "minute": lambda dates: _count(dates, "m") % 60,
    "hour": lambda dates: _count(dates, "h") % 24,
    "day_of_week": lambda dates: (_count(dates, "D") + 4) % 7,
    "day_of_month": lambda dates: _count(dates, "D") - _start_of(dates, "M") + 1,
    "day_of_year": lambda dates: _count(dates, "D") - _start_of(dates, "Y") + 1,
    "days_in_month": _days_in_month,
    "month": lambda dates: _count(dates, "M") % 12 + 1,
    "year": lambda dates: _count(dates, "Y") + 1970,
}


def _part_of_date(part: _Part, _node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    """Of the values as seconds since 1970; without an argument, of the time of evaluation."""

    def of_seconds(seconds: FloatArray) -> FloatArray:
        # What is no date (NaN, Inf) has no parts either; upstream's answer to it depends on the processor.
        is_date = np.abs(seconds) < _LAST_SECOND
        dates = np.where(is_date, seconds, 0.0).astype(np.int64).astype("datetime64[s]")
        return np.where(is_date, part(dates).astype(np.float64), np.nan)

    if not args:
        seconds = (context.steps_ms // 1000).astype(np.float64)
        return Vector(LabelFrame.empty(context.scope, 1), of_seconds(seconds)[:, None])
    (vector,) = args
    assert isinstance(vector, Vector)
    return map_floats(vector, of_seconds, context)


DATE_FUNCTIONS: Final[Mapping[str, InstantFunction]] = {
    name: partial(_part_of_date, part) for name, part in _PARTS.items()
}
