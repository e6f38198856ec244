"""What generated queries are made of: the metrics of samples.py, and functions by what they do to digits."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Metric:
    """A metric; each of `matchers` selects some of its series. `distinct`: no two series share a value."""

    labels: frozenset[str]
    matchers: tuple[str, ...] = ()
    is_counter: bool = False
    distinct: bool = False
    finite: bool = True


TARGET: Final = frozenset({"job", "instance"})
TARGET_MATCHERS: Final = (
    'job="api"', 'job!="api"', 'job=~"web|db"', 'job=~".+"', 'absent=""',
    'instance=~".*-[01]:80"', 'instance!~"web-0.*"', 'instance="api-2:80"',
)  # fmt: skip

METRICS: Final = {
    "requests_total": Metric(
        TARGET | {"method", "code"},
        ('code="200"', 'code!="500"', 'method="GET"', 'code=~"4..|5.."', 'method!~"G.*"'),
        is_counter=True,
    ),
    "latency_seconds_bucket": Metric(TARGET | {"le"}, ('le!="+Inf"', 'le=~"0.*"', 'le="1"'), is_counter=True),
    "latency_seconds_sum": Metric(TARGET, is_counter=True),
    "latency_seconds_count": Metric(TARGET, is_counter=True),
    "queue_depth": Metric(TARGET | {"shard"}, ('shard="0"', 'shard!="0"'), distinct=True),
    "temperature_celsius": Metric(TARGET | {"room"}, ('room=~"a|b"', 'room!="a"'), distinct=True),
    "odd_values": Metric(TARGET | {"kind"}, ('kind!="nan"', 'kind=~"mixed|zero"'), finite=False),
    "up": Metric(TARGET),
    "start_time_seconds": Metric(TARGET),
}
COUNTERS: Final = tuple(name for name, metric in METRICS.items() if metric.is_counter)
DISTINCT: Final = tuple(name for name, metric in METRICS.items() if metric.distinct)
FINITE: Final = tuple(name for name, metric in METRICS.items() if metric.finite)

RANGES: Final = ("1m", "2m30s", "5m", "7m", "20m", "1h")
STEPS: Final = ("", "30s", "1m", "97s", "3m")
OFFSETS: Final = ("30s", "1m", "7m", "-1m", "-4m")
NUMBERS: Final = ("0", "1", "2", "-1", "0.5", "3.75", "10", "100", "1e3", "0x1F", "-2.5", "1e-3")
QUANTILES: Final = ("0.5", "0.25", "0.9", "0.99", "0", "1", "-0.5", "1.5")
ARITHMETIC: Final = ("+", "-", "*", "/", "%", "^", "atan2")
COMPARISONS: Final = ("==", "!=", ">", "<", ">=", "<=")

EXACT_OVER_TIME: Final = ("min", "max", "count", "last", "present")
ROUNDING_OVER_TIME: Final = ("avg", "sum", "stddev", "stdvar", "quantile")
EXACT_AGGREGATIONS: Final = ("min", "max", "count", "group")

JUMPING: Final = (
    "ceil({})", "floor({})", "sgn({})", "round({})", "round({}, 0.5)", "round({}, 10)", "abs({})",
)  # fmt: skip
"""What a difference in the last digit could take to another side."""
STEEP: Final = tuple(
    f"{name}({{}})" for name in ("exp", "sin", "cos", "tan", "asin", "acos", "sinh", "cosh", "acosh", "atanh")
)
"""What makes much of a difference in the last digit."""
SMOOTH: Final = tuple(
    f"{name}({{}})" for name in ("ln", "log2", "log10", "sqrt", "atan", "asinh", "tanh", "deg", "rad")
)
CLAMPS: Final = ("clamp({}, -1, 50)", "clamp_min({}, 3)", "clamp_max({}, 0.25)")
DATES: Final = (
    "day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year",
)  # fmt: skip
