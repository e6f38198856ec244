"""Random queries over samples of every kind: floats, histograms of both kinds, gaps, stale markers.

`query(seed)` is always the same. Nothing in them depends on where the steps of a query begin or end.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

SAMPLES: Final = """
load 1m
  a{x="1", y="1"} 1 2 _ stale NaN 5 6 7
  a{x="2", y="1"} _ _ 3 -4 Inf 5 4 1e300
  a{x="2", y="2"} 0 -0 1 2 3 4 _ -Inf
  b{x="1"} 10 stale _ 30 40 50 20 30
  b{x="2"} -1 -2 {{sum:5 count:4 buckets:[1 2 1]}} _ 3 {{sum:5 count:4 buckets:[1 2 1]}} stale _
  h{x="1"} {{sum:5 count:4 buckets:[1 2 1]}}+{{sum:5 count:4 buckets:[1 2 1]}}x3 {{sum:1 count:2 z_bucket:1 z_bucket_w:0.5 buckets:[1]}}x3
  h{x="2"} {{schema:1 sum:3 count:6 n_buckets:[2] buckets:[1 2 1]}} _ stale {{schema:0 sum:NaN count:6 buckets:[1 2 1]}}x4
  g{x="1"} {{sum:5 count:4 counter_reset_hint:gauge buckets:[1 2 1]}}-{{sum:1 count:1 buckets:[1]}}x7
  c{x="1"} {{schema:-53 sum:5 count:4 custom_values:[1 2] buckets:[1 2 1]}}x3 {{schema:-53 sum:7 count:5 custom_values:[1 3] buckets:[1 2 2]}}x3
  c{x="2"} {{schema:-53 sum:5 count:4 custom_values:[1 2] buckets:[1 2 1]}}x2 {{sum:5 count:4 buckets:[1 2 1]}}x2 _ 1 2
  d_bucket{le="1", x="1"} 1 2 3 4 5 6 7 8
  d_bucket{le="2", x="1"} 1 1 _ stale 5 9 9 9
  d_bucket{le="+Inf", x="1"} 3 4 5 6 7 8 _ 10
  d_bucket{le="bad", x="1"} 3 stale
  r_total{x="1"} 1 5 2 8 _ 3 9 12
  r_total{x="2"} 0x3 4 _ 5 5 5
  r_total{x="2", y="2"} _x3 7 8 9 10 11
  k{x="1", instance="i", job="j"} 1x7
  k{x="2", instance="o", job="j"} 2x3 stale _x3
  target_info{instance="i", job="j", v="1"} 1x3 stale
  target_info{instance="i", job="j", v="2"} _x4 1x4
  build_info{instance="i", job="j", w="1", v="1"} 1x7
"""  # noqa: E501  a series a line

_WORDS: Final[Mapping[str, str]] = {
    "by": "| by (x)| without (x)| by (__name__, y)",
    "arithmetic": "+|-|*|/|%|^|atan2",
    "comparison": "==|!=|>|<|>=|<=|== bool|> bool|!= bool",
    "matching": (
        "|on (x)|ignoring (y)|ignoring (le, y)|on (x) group_left (y)|on (x) group_right ()|on ()"
        "|on (x) fill (1)|fill_left (2)|on (x) group_left () fill_right (0)|ignoring (x) fill (3)"
    ),
    "sets": "|on (x)|ignoring (y)|on ()",
    "label": "x|y|z|__name__|le",
    "number": "2|0|-1|0.5|NaN|Inf|1e308",
    "quantile": "0.5|0|1|2|-1|NaN|0.9",
    "duration": "1m|90s|3m|2m30s|10m",
    "offset": "||| offset 1m| offset -1m| @ 120| @ 60 offset 30s",
    "selector": 'a|b|h|g|c|d_bucket|r_total|k|nothing|a{x="2"}|{__name__=~".+"}|{x="1"}|{__name__=~"[bhg]"}',
    "regex": "(.*)|(.).*|([^1]*)|",
    "template": "$1|${1}b|$$|c|",
    "float_function": "abs|ceil|sgn|ln|sqrt|exp|floor|sin|year|minute|round|deg|acosh|day_of_week",
    "statistic": "histogram_avg|histogram_count|histogram_sum|histogram_stddev|histogram_stdvar",
    "reduction": "sum|avg|min|max|count|group|stddev|stdvar",
    "selection": "topk|bottomk|limitk|limit_ratio",
    "over_time": (
        "sum_over_time|avg_over_time|min_over_time|max_over_time|count_over_time|last_over_time"
        "|first_over_time|present_over_time|absent_over_time|stddev_over_time|stdvar_over_time|mad_over_time"
        "|ts_of_max_over_time|ts_of_min_over_time|ts_of_last_over_time|ts_of_first_over_time|rate|increase"
        "|delta|irate|idelta|deriv|changes|resets"
    ),
    "extended": "rate|increase|delta",
    "extension": "anchored|smoothed",
}

# The first two of each have no blanks for further expressions.
_VECTORS: Final[Sequence[str]] = (
    "{selector}{offset}",
    "{selector}{offset}",
    "{reduction}{by} ({v})",
    "quantile{by} ({s}, {v})",
    "{selection}{by} ({s}, {v})",
    'count_values{by} ("{label}", {v})',
    "({v} {arithmetic} {matching} {v})",
    "({v} {comparison} {matching} {v})",
    "({v} and {sets} {v})",
    "({v} or {sets} {v})",
    "({v} unless {sets} {v})",
    "({v} {arithmetic} {s})",
    "({s} {arithmetic} {v})",
    "({v} {comparison} {s})",
    "({s} {comparison} {v})",
    "({v} </ {s})",
    "({v} >/ {s})",
    "({v} >/ {matching} {v})",
    "{float_function}({v})",
    "-({v})",
    "clamp({v}, {s}, {s})",
    "clamp_min({v}, {s})",
    "round({v}, {s})",
    "{statistic}({v})",
    "histogram_quantile({quantile}, {v})",
    "histogram_quantile({s}, d_bucket or {v})",
    "histogram_fraction({s}, {s}, {v})",
    'histogram_quantiles({v}, "q", {s}, {s})',
    "absent({v})",
    "timestamp({v})",
    "timestamp({selector}{offset})",
    "vector({s})",
    "sort({v})",
    'sort_by_label({v}, "x")',
    'label_replace({v}, "{label}", "{template}", "{label}", "{regex}")',
    'label_join({v}, "{label}", "-", "x", "y")',
    "info({v})",
    'info(k{offset}, {__name__=~".+_info", w=~".*"})',
    "{over_time}({r})",
    "{over_time}({r})",
    "{over_time}({r})",
    "quantile_over_time({s}, {r})",
    "predict_linear({r}, {s})",
    "double_exponential_smoothing({r}, 0.5, 0.3)",
    "{extended}({selector}[{duration}] {extension})",
    "changes({selector}[{duration}] anchored)",
    "{selector} smoothed",
)
_SCALARS: Final[Sequence[str]] = (
    "{number}",
    "{number}",
    "time() / 120",
    "scalar({v})",
    "(time() - {s})",
    "max_of({s}, {s})",
)
_RANGES: Final[Sequence[str]] = (
    "{selector}[{duration}]{offset}",
    "{selector}[{duration}]{offset}",
    "({v})[{duration}:1m]{offset}",
    "({v})[{duration}:50s]{offset}",
)


def query(seed: int) -> str:
    """An expression of an instant vector, nested up to three levels deep."""
    return _filled("{v}", Random(seed), 1 + seed % 3)


def _filled(template: str, random: Random, depth: int) -> str:
    """The template with all its blanks filled in."""
    text = template
    for blank, options in (("v", _VECTORS), ("s", _SCALARS), ("r", _RANGES)):
        while "{" + blank + "}" in text:
            chosen = random.choice(options if depth else options[:2])
            text = text.replace("{" + blank + "}", _filled(chosen, random, depth - 1), 1)
    for blank, words in _WORDS.items():
        while "{" + blank + "}" in text:
            text = text.replace("{" + blank + "}", random.choice(words.split("|")), 1)
    return text
