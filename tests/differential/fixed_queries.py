"""Queries written by hand, by subject. Each has an answer at one of its times at least.

`{}` stands for each of the words given beside it.
"""

from collections.abc import Sequence
from typing import Final

from tests.differential.samples import START_MS

_OVER_TIME: Final = (
    "avg_over_time", "changes", "count_over_time", "delta", "idelta", "last_over_time", "max_over_time",
    "min_over_time", "present_over_time", "resets", "sum_over_time",
)  # fmt: skip
_MATHS: Final = (
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "deg", "exp", "floor",
    "ln", "log10", "log2", "rad", "round", "sgn", "sin", "sinh", "sqrt", "tan", "tanh",
)  # fmt: skip
_DATES: Final = (
    "day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year",
)  # fmt: skip
_METRICS: Final = (
    "requests_total", "latency_seconds_bucket", "latency_seconds_sum", "queue_depth", "temperature_celsius",
    "odd_values", "up", "build_info", "start_time_seconds",
)  # fmt: skip
_AT: Final = START_MS // 1000 + 1500

# Template, and what takes the place of {}.
_TEMPLATES: Final[Sequence[tuple[str, Sequence[str]]]] = (
    # Selectors, staleness, offset, @
    ("{}", _METRICS),
    ("{} offset 7m", _METRICS),
    (f"{{}} @ {_AT}", ("queue_depth", "odd_values", "build_info")),
    ("queue_depth offset {}", ("1s", "30s", "5m", "20m", "-30s", "-10m", "1m2s3ms")),
    (f"requests_total @ {_AT} offset {{}}", ("2m", "-2m")),
    ("queue_depth @ {}", ("start()", "end()", f"{_AT}.25")),
    (
        "requests_total{{{}}}",
        (
            'code="200"', 'code!="200"', 'code=~"4..|5.."', 'code!~"4.*"', 'none=""', 'none=~".*"',
            'method=~"(?i)get"', 'code="200",method!="GET"', 'instance=~"api-[^1]:.+",code="404"',
            'code=~".+"', 'none!="x"', 'code=~"200|404", code!="404"',
        ),
    ),
    ('{{__name__=~"{}"}}', ("up|build_info", "latency_seconds_(sum|count)", "q.*h")),
    # Ranges
    ("{}(requests_total[5m])", (*_OVER_TIME, "rate", "increase", "irate", "deriv")),
    ("{}(queue_depth[3m])", (*_OVER_TIME, "deriv", "stddev_over_time", "stdvar_over_time")),
    ("{}(temperature_celsius[20m])", (*_OVER_TIME, "stddev_over_time", "stdvar_over_time")),
    ("{}(odd_values[1m])", _OVER_TIME),
    ("{}(odd_values[10m])", _OVER_TIME),
    ("{}(build_info[12m])", ("count_over_time", "last_over_time", "changes", "present_over_time")),
    ("{}(requests_total[1m] offset 90s)", ("rate", "increase", "irate", "delta", "count_over_time")),
    (f"{{}}(requests_total[5m] @ {_AT})", ("rate", "increase", "max_over_time", "deriv")),
    ("rate(requests_total[{}])", ("20s", "31s", "1m", "7m30s", "20m", "1h", "2h", "90s500ms")),
    ("increase(latency_seconds_sum[{}])", ("20s", "45s", "10m", "1h")),
    ("predict_linear(requests_total[10m], {})", ("0", "60", "3600", "-600", "1e6", "scalar(max(up)) * 60")),
    ("quantile_over_time({}, queue_depth[10m])", ("0", "0.1", "0.5", "0.99", "1", "-1", "2", "NaN")),
    ("quantile_over_time({}, odd_values[10m])", ("0", "0.5", "1", "2")),
    ('absent_over_time(up{{job="{}"}}[5m])', ("db", "web")),
    ('absent_over_time({{job="{}", instance=~".+", none="x"}}[5m])', ("api",)),
    # Subqueries
    (
        "{}(rate(requests_total[2m])[10m5ms:1m])",
        ("avg_over_time", "max_over_time", "delta", "last_over_time"),
    ),
    ("{}(queue_depth[20m5ms:])", _OVER_TIME),
    ("max_over_time(queue_depth[10m5ms:{}])", ("1s", "7s", "15s", "1m", "11m")),
    (
        "sum_over_time(up[10m5ms:30s] {})",
        ("offset 3m", "offset -3m", f"@ {_AT}", f"@ {_AT} offset 1m", "@ end()"),
    ),
    ("max_over_time(deriv(rate(requests_total[2m])[6m5ms:30s])[20m5ms:{}])", ("1m", "2m")),
    ("count_over_time((queue_depth > 50)[10m5ms:{}])", ("20s", "1m")),
    ("min_over_time(vector(time())[5m5ms:{}])", ("1s", "10s", "45s")),
    # Functions
    ("{}(temperature_celsius)", _MATHS),
    ("{}(odd_values)", _MATHS),
    ("{}(up)", _MATHS),
    ("{}()", _DATES),
    ("{}(start_time_seconds)", _DATES),
    ("{}(vector(1709164800))", _DATES),
    ("{}(-start_time_seconds * 3)", _DATES),
    ("{}(round(odd_values - odd_values + odd_values, 1) * 86400 > -Inf < Inf)", _DATES),
    ("round(temperature_celsius, {})", ("0.1", "0.5", "3", "10", "-2", "0", "1e-3")),
    ("clamp(temperature_celsius, {})", ("-1, 1", "0, 0", "NaN, 3", "-Inf, 2", "2, Inf")),
    ("clamp_min({}, 3)", ("temperature_celsius", "odd_values")),
    ("clamp_max({}, 3)", ("temperature_celsius", "odd_values")),
    (
        "timestamp({})",
        ("up", "queue_depth", "-up", "(up)", f"up @ {_AT}", "up offset 5m", "sum(up)", "vector(1)"),
    ),
    ("absent({})", ('up{job="db"}', "nothing", 'up{job=~"x", job!="y", a="b"}', "sum(nothing)", "up > 2")),
    ("scalar({})", ('up{instance="api-0:80"}', "up", "nothing", "vector(7)", "count(up)")),
    ("vector({})", ("1", "time()", "scalar(sum(up))", "-0", "1e300 * 1e300", "NaN")),
    ("{}(queue_depth)", ("sort", "sort_desc")),
    ("{}(temperature_celsius > 0)", ("sort", "sort_desc")),
    (
        "{}",
        (
            "time()", "pi()", "1", "-1.5e-7", "1 / 0", "0 / 0", "0x1f", "Inf", "1 - 2 ^ 3 ^ 2", "-2 ^ 2",
            "7 % -3",
        ),
    ),
    (
        "label_replace(up, {})",
        (
            '"dst", "$1-x", "instance", "(.*):80"', '"job", "", "job", ".*"', '"dst", "v", "none", ""',
            '"dst", "${1}${2}", "instance", "([a-z]+)-(.).*"', '"dst", "$9", "job", "(a).*"',
            '"dst", "v", "job", "ap"', '"dst", "$name", "job", "(?P<name>w.b)"',
            '"__name__", "down", "job", "web"', '"dst", "$$1", "job", "(.*)"',
        ),
    ),
    (
        "label_join(up, {})",
        (
            '"dst", "-", "job", "instance"', '"dst", ", ", "none", "job"', '"dst", ""',
            '"job", "/", "job", "job"',
        ),
    ),
    ("double_exponential_smoothing({})", ("queue_depth[5m], 0.5, 0.5", "requests_total[10m], 0.1, 0.9")),
    # Classic histograms
    (
        "histogram_quantile({}, rate(latency_seconds_bucket[5m]))",
        ("0", "0.001", "0.25", "0.5", "0.9", "0.99", "1", "-1", "2", "NaN"),
    ),
    ("histogram_quantile({}, sum by (le) (latency_seconds_bucket))", ("0.1", "0.5", "0.999")),
    (
        "histogram_quantile(0.5, {})",
        ('latency_seconds_bucket{le!="+Inf"}', 'latency_seconds_bucket{le=~"5|.Inf"}'),
    ),
    (
        "histogram_quantile(0.9, sum by ({}) (increase(latency_seconds_bucket[10m])))",
        ("le", "job, le", "le, instance"),
    ),
    ("histogram_quantile(scalar(max(up)) / {}, latency_seconds_bucket)", ("2", "4")),
    # Aggregations
    (
        "{} (requests_total)",
        (
            "sum", "sum by (job)", "sum by (job, code)", "sum without (instance)", "sum by ()",
            "sum by (none)", "sum without ()", "avg by (code)", "min by (method)", "max by (method)",
            "count by (job, none)", "group by (job)", "stddev by (job)", "stdvar by (code)",
            "stddev without (method, code)",
        ),
    ),
    ("{} by (kind) (odd_values)", ("sum", "avg", "min", "max", "count", "group")),
    ("{} by (job) (odd_values)", ("sum", "avg", "min", "max", "count", "group")),
    ("quantile({}, temperature_celsius)", ("0", "0.3", "0.5", "1", "-1", "2", "NaN", "scalar(max(up)) / 3")),
    ("quantile by (kind) ({}, odd_values)", ("0", "0.5", "0.75", "1")),
    ("topk({}, queue_depth)", ("1", "3", "100", "1.9", "scalar(vector(2))")),
    ("bottomk({}, queue_depth)", ("1", "3", "100")),
    ("topk by (job) ({}, temperature_celsius)", ("1", "4")),
    ("bottomk without (room) ({}, temperature_celsius)", ("1", "2")),
    (
        'count_values("v", {})',
        ("up", "build_info", "odd_values", "round(temperature_celsius / 10)", "requests_total"),
    ),
    ('count_values by (job) ("{}", up)', ("v", "job", "instance")),
    # Operators
    ("temperature_celsius {} 2", ("+", "-", "*", "/", "%", "^", "== bool", "!=", ">", "<", ">=", "<=")),
    ("2 {} temperature_celsius", ("+", "-", "*", "/", "%", "^", "!=", ">", "<", ">=", "<= bool", "== bool")),
    (
        "odd_values {} odd_values",
        ("+", "-", "*", "/", "%", "^", "==", "!=", ">=", "> bool", "<= bool", "!= bool"),
    ),
    (
        "odd_values {} 0",
        ("+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", "== bool", "!= bool", ">= bool"),
    ),
    ("1 {} bool 2", ("==", "!=", ">", "<", ">=", "<=")),
    ("sgn(temperature_celsius) atan2 {}", ("1", "0", "sgn(temperature_celsius)", "-0")),
    ("{}temperature_celsius", ("-", "+", "--", "2 * -", "1 - ")),
    (
        "latency_seconds_sum {} latency_seconds_count",
        ("/", "- on (job, instance)", "+ ignoring (none)", "> bool"),
    ),
    ("requests_total / on (job, instance) group_left {} up", ("", "()")),
    (
        "requests_total {} max by (job) (queue_depth)",
        ("* on (job) group_left", "> on (job) group_left ()", "- on (job) group_left"),
    ),
    ("max by (job) (queue_depth) {} requests_total", ("+ on (job) group_right", "/ on (job) group_right ()")),
    (
        "up * on (job, instance) group_left ({}) build_info",
        ("version", "version, commit", "none", "version, none"),
    ),
    ("build_info * ignoring (version, commit) group_right ({}) up", ("version", "commit, version")),
    ("up + on (job, instance) group_left (job2) label_replace(up, {})", ('"job2", "$1", "job", "(.*)"',)),
    (
        'up{{job="api"}} {} up',
        ("and", "or", "and on (job)", "or on (instance)", "and ignoring (job)", "and on ()"),
    ),
    (
        'up {} up{{job="api"}}',
        ("unless", "unless on (job)", "unless on (instance)", "unless ignoring (instance)"),
    ),
    ("requests_total {} (queue_depth > 55)", ("and on (instance)", "unless on (instance)")),
    (
        "(temperature_celsius > 5) {} (temperature_celsius < 0)",
        ("or", "or on (instance)", "or ignoring (room)"),
    ),
    ("up == {} or up", ("0", "1", "bool 1")),
    ("sum(up) {} count(up) / 2 + 1", (">", "-", "%", "^", "and", "or")),
    # As dashboards and alerts ask
    (
        "sum by ({}) (rate(requests_total{{code=~'5..'}}[5m])) / sum by ({}) (rate(requests_total[5m]))",
        ("job", "instance"),
    ),
    (
        "avg by (job) (latency_seconds_sum / latency_seconds_count) {}",
        ("", "> 0.5", "* 1000", "and on (job) sum by (job) (up) > 2"),
    ),
    ("max_over_time(up[5m]) {} 1", ("< bool", "==", "-")),
    ("(time() - start_time_seconds) / 3600 {}", ("", "> 1000", "% 24")),
    ("100 * (1 - avg by (job) (up)) {}", ("", "> 10", "unless on (job) sum by (job) (up) == 1")),
)  # fmt: skip


EMPTY_QUERIES: Final = (
    "nothing", "queue_depth offset 1d", 'requests_total{code=~"2"}', "rate(nothing[5m])", "rate(up[10s])",
    "clamp(temperature_celsius, 5, -5)", "topk(0, queue_depth)", "topk(-1, queue_depth)",
    "odd_values > odd_values", "up unless up", "up unless on (none) up", "up and on (none) nothing",
    "sum(nothing)", "count(nothing) or nothing", "absent(vector(1))", "histogram_quantile(0.9, up)", "up > 2",
    "1 > up * 2 > 2", "queue_depth / on (room, shard, job, instance) (temperature_celsius)",
    "scalar(nothing) > up",
)  # fmt: skip
"""Queries that no series answers at any time."""


def fixed_queries() -> tuple[str, ...]:
    """All queries that have an answer, each once."""
    return tuple(
        dict.fromkeys(
            template.format(*[word] * template.count("{}"))
            for template, words in _TEMPLATES
            for word in words
        )
    )
