"""Queries that can't be asked, or not be answered. `{}` stands for each of the words given beside it."""

from collections.abc import Sequence
from typing import Final

_UNASKABLE: Final[Sequence[tuple[str, Sequence[str]]]] = (
    # Text that is no expression
    (
        "{}",
        (
            "", " ", "# nothing", "(", ")", "()", "up)", "(up", "((up)", "up up", "1 1", "up 1", '"a" "b"',
            "+", "up +", "* up", "up + * up", "/", "up,", ",", "@", "up @", "{", "}", "{}", "up{", "up}",
            "up[", "up]", "up[5m", "[5m]", "5m]", "up[]", "up[:]", "up[:1m]", "up[5m:1m", "up[5m][5m]",
            "up[5m:1m][5m]", "up[5m:1m:1m]", "!up", "~up", "up!", "^up", "a.b", "a-", "$up", "up;", "up?",
            "`up", "'up", '"up', "up\\\\", "1.2.3", "0xg", "1e", "--", "a=b", "a==", "==a", "a=~b", "1..2",
            "5mm", "up and", "or up", "bool", "up by (job)", "offset 5m",
        ),
    ),
    # Selectors
    (
        "up{{{}}}",
        (
            "job", "job=", "=x", 'job=="x"', 'job~"x"', 'job="x" instance="y"', 'job="x",,', ',job="x"',
            "job=x", "job=1", 'job=~"("', 'job=~"*"', 'job!~"[a"', 'job=~"(?<n>"', 'job=~"a**"',
            '__name__="x"', '1="x"', 'job:x="y"', 'job="x"=', 'job="\\q"', "job='x", 'job<"x"',
            'job=~"a{{1001}}"',
        ),
    ),
    (
        "{{{}}}",
        (
            'job=""', 'job=~".*"', 'job!="x"', 'job!~"x"', '__name__=""', '__name__=~".*"',
            'job=~".*", x!="y"',
        ),
    ),
    ("up[{}]", ("-5m", "0s", "m", "5m5", "1.5m", "5x", "5 m", '"5m"', "1m1h", "5m5m", "up", "$__interval")),
    ("up[5m:{}]", ("-1m", "0s", "x", '"1m"', "1m1h")),
    ("up offset {}", ("", "5x", "up", '"5m"', "1m offset 2m", "(", "-", "m")),
    (
        "up @ {}",
        (
            "", "x", "up", '"5"', "5 @ 6", "start", "start(1)", "middle()", "Inf", "NaN", "-Inf", "1e30",
            "()",
        ),
    ),
    ("{} offset 5m", ("1", '"x"', "sum(up)", "(up)", "rate(up[5m])", "up + up * (1)", "time()")),
    ("{} @ 5", ("1", '"x"', "sum(up)", "(up)", "rate(up[5m])", "time()")),
    ("{}[5m]", ("1", '"x"', "sum(up)", "(up)", "rate(up[5m])", "up offset 1m", "up @ 1", "-up", "up + up")),
    ("{}[5m:1m]", ("1", '"x"', "time()", "up[5m]", "(1)")),
    # Types and counts of arguments
    (
        "rate({})",
        (
            "", "up", "1", '"x"', "up[5m], 1", "sum(up)", "sum(up)[5m]", "up[5m] offset", "(up)", "up[5m],",
            ",", "up[5m] up[5m]",
        ),
    ),
    ("abs({})", ("", "1", '"x"', "up[5m]", "up, up", "up,", "time()", ", up")),
    (
        "{}",
        (
            "nosuch(up)", "Rate(up[5m])", "RATE(up[5m])", "abs up", "abs[up]", "up(1)", "sum(up", "time(1)",
            "pi(up)",
        ),
    ),
    (
        "{}(up)",
        (
            "vector", "clamp", "clamp_min", "predict_linear", "label_replace", "label_join",
            "histogram_quantile", "quantile_over_time", "deriv", "absent_over_time",
        ),
    ),
    ("scalar({})", ("1", "up[5m]", "", "up, up")),
    ("vector({})", ("up", '"x"', "", "1, 2", "up[5m]")),
    ("round({})", ("", "1", "up, up", "up, 1, 2", 'up, "x"')),
    ("hour({})", ("1", "up[5m]", "up, up")),
    (
        "label_replace(up, {})",
        ('"a", "b", "c"', '"a", "b", "c", 1', 'a, "b", "c", "d"', '"a", "b", "c", "d", "e"'),
    ),
    ("label_join({})", ('up, "a"', "up", 'up, 1, "-", "job"', '"a", "b", "c"', 'up, "a", "-", job')),
    ("predict_linear({})", ("up, 1", "up[5m]", 'up[5m], "x"', "up[5m], up", "1, up[5m]")),
    ("histogram_quantile({})", ("up", "up, 0.5", "0.5", "0.5, up[5m]", "0.5, up, up", '"0.5", up', "0.5, 1")),
    # Aggregations
    (
        "{}",
        (
            "sum()", "sum(1)", 'sum("x")', "sum(up[5m])", "sum(up, up)", "sum(1, up)", "sum by (up)",
            "sum by job (up)", "sum by (job) up", "sum by (job,,code) (up)", "sum by (,) (up)",
            "sum by (1) (up)", 'sum by (job="x") (up)', "sum by (job) (up) by (job)",
            "sum by (job) without (job) (up)", "sum (up) on (job)", "sum bool (up)", "sum(up) by",
            "sum (up) by job", "sum offset 5m (up)", "sum{}(up)", "sum.by(up)", "sum on (job) (up)",
            "by (job) (up)",
        ),
    ),
    ("topk({})", ("up", "1", "up, 1", "1, 1", '"x", up', "1, up, up", "up, up", "1, up[5m]", "", "1,")),
    ("quantile({})", ("up", "0.5", "up, 0.5", "0.5, 1", '"x", up', "0.5, up[5m]")),
    ("count_values({})", ("up", '"x"', "1, up", 'up, "x"', '"x", up[5m]', "x, up", '"x", 1')),
    # Operators
    (
        "up {} up",
        ("=", "=>", "===", "!", "!==", "=!", "&&", "||", "<>", "**", "//", "xor", "not", "=~", "!~", "in"),
    ),
    ("1 {} 2", ("and", "or", "unless", "==", "!=", ">", "<", ">=", "<=", "+ on (job)", "- ignoring (x)")),
    (
        "up {} 1",
        ("and", "or", "unless", "+ on (job)", "> on (job)", "+ bool", "* group_left", "and bool", "on (x)"),
    ),
    (
        "up + {} up",
        (
            "bool", "on", "on job", "on (job", "on (job,,x)", "on (1)", "group_left", "group_left (job)",
            "group_right", "on (job) group_left (job)", "on (job) on (job)", "on (job) ignoring (x)",
            "by (job)", "on (job) bool", "on (job) group_left group_right", "ignoring",
            "ignoring (job) group_middle",
        ),
    ),
    (
        "up {} up",
        (
            "and bool", "and on (job) group_left", "or on (job) group_right", "unless bool on (job)",
            "or bool", "unless group_left", "and group_left (x)",
        ),
    ),
    (
        "{}",
        (
            '"a" + "b"', '"a" == "a"', 'up + "a"', '"a" > 1', '-"a"', '+"a"', "-up[5m]", "up[5m] + up",
            "up + up[5m]", "up[5m] + 1", "1 + up[5m]", "up[5m] and up", 'up == "1"', "up[5m] == up[5m]",
            "up and 1", "1 or up",
        ),
    ),
    (
        "sum by (job) ({})",
        ("up +", "up{", "(up", "up[5m]", "rate(up)", "1", '"x"', "up and 1", "up == on (job) 1"),
    ),
)  # fmt: skip

UNANSWERABLE: Final = (
    "requests_total / requests_total{code='200'} * on (job) requests_total", "up + on (job) up",
    "up * on () up", "requests_total + on (instance) up", "up - on (job) group_left () up",
    "up + on (job) group_right () up", "requests_total * ignoring (code) group_left () requests_total",
    "up == on (job) group_left () up", "sum by (job) (up) > on () sum by (job) (up)",
    'label_replace(up, "a", "b", "c", "(")', 'label_replace(up, "a", "b", "job", "*")',
    'label_replace(up, "", "b", "job", ".*")', 'label_replace(requests_total, "code", "", "", "")',
    'label_replace(up, "instance", "x", "instance", ".*")', 'label_join(up, "", "-", "job")',
    'label_join(requests_total, "code", "-", "job")', 'label_join(requests_total, "method", "-", "none")',
    'count_values("", up)', 'rate({__name__=~"latency_seconds_.*", le=""}[5m])',
    'abs({__name__=~"latency_seconds_(sum|count)"})', '-{__name__=~"latency_seconds_(sum|count)"}',
    '{__name__=~"latency_seconds_(sum|count)"} + 1', '{__name__=~"latency_seconds_(sum|count)"} > bool 1',
    'max_over_time({__name__=~"up|latency_seconds_sum"}[5m])',
    'timestamp({__name__=~"latency_seconds_(sum|count)"})',
    'sum_over_time({__name__=~"up|latency_seconds_sum"}[5m:1m])', "topk(NaN, up)", "bottomk(1e30, up)",
    "topk(Inf, up)", "histogram_quantile(0.9, latency_seconds_bucket) + on (job) up",
    "build_info * on (job) group_left (version) build_info", "up * on (job) group_left (version) build_info",
)  # fmt: skip
"""Queries that fail at the samples."""


def unaskable_queries() -> tuple[str, ...]:
    """Queries that no samples could answer, each once."""
    return tuple(dict.fromkeys(template.format(word) for template, words in _UNASKABLE for word in words))
