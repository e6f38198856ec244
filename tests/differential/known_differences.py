"""What changed between Prometheus 2.42 and 3.x, and how the other tests keep clear of it.

A test shows that each query here is in fact answered differently, so that nothing stays here that need not.
One thing is left to chance and can't be shown: which of equal values topk and bottomk keep, in which order.
"""

from dataclasses import dataclass
from typing import Final

from tests.differential.answers import Window
from tests.differential.samples import END_MS, START_MS, datasets

RENAMED: Final = {"double_exponential_smoothing": "holt_winters"}
"""New names of functions, and those that 2.42 knows. Changed in 3.0."""

NEW_FUNCTIONS: Final = frozenset(
    {
        *(
            "end",
            "first_over_time",
            "histogram_avg",
            "histogram_quantiles",
            "histogram_stddev",
            "histogram_stdvar",
        ),
        *(
            "info",
            "mad_over_time",
            "max_of",
            "min_of",
            "range",
            "sort_by_label",
            "sort_by_label_desc",
            "start",
        ),
        *("start_timestamp", "step", "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time"),
        *("ts_of_min_over_time", "limitk", "limit_ratio"),
    }
)
"""Functions and aggregations that 2.42 lacks."""

NATIVE_HISTOGRAM_FUNCTIONS: Final = frozenset({"histogram_count", "histogram_fraction", "histogram_sum"})
"""Functions that floats give nothing to do, and the samples here are floats."""

_MIDDLE: Final = Window(START_MS + 1_500_500)
_WHOLE: Final = Window(START_MS + 500, END_MS, 131_000)


@dataclass(frozen=True)
class Difference:
    """A query that 2.42 answers differently, and why; `release` is that of the change, where it is known."""

    reason: str
    query: str
    window: Window = _MIDDLE
    release: str = ""


def differences() -> tuple[Difference, ...]:
    """All that are known."""
    a_sample_ms, the_last_before_silence_ms = (
        int(datasets()[target].timestamps_ms[row]) for target, row in ((0, 100), (2, 79))
    )
    return (
        Difference(
            "a range is left-open: all windows begin off the samples",
            'count_over_time(up{instance="api-0:80"}[1m])',
            Window(a_sample_ms + 60_000),
            "3.0",
        ),
        Difference(
            "the lookback is left-open",
            'latency_seconds_count{instance="api-2:80"}',
            Window(the_last_before_silence_ms + 300_000),
            "3.0",
        ),
        Difference(
            "a subquery is left-open: its ranges end on 5 ms",
            "count_over_time(vector(1)[5m:1m])",
            Window(START_MS // 60_000 * 60_000 + 600_000),
            "3.0.1",
        ),
        Difference(
            "before a counter that begins inside the range, a rate is extrapolated by half an interval at "
            "most; in 2.42 by up to 1.1 if the counter would then reach zero: counters begin high",
            'increase(young_total{instance="api-0:80"}[20m])',
            Window(START_MS + 1_700_500),
            "2.51",
        ),
        Difference(
            "atan2 drops the metric's name like other arithmetic: its operands are given without names",
            "queue_depth atan2 1",
        ),
        Difference(
            "predict_linear of a range that stands still (@) has an answer at each step of a range query, in "
            "2.42 at the first only: generated ones do not use @",
            f"predict_linear(requests_total[10m] @ {START_MS // 1000 + 1500}, 60)",
            _WHOLE,
            "2.51",
        ),
        Difference(
            "timestamp() of a selector with both @ and offset: upstream (3.14, too) looks without the offset "
            "for a sample among those read with it; here it is the time of the selector's sample",
            f'timestamp(latency_seconds_count{{instance="api-2:80"}} @ {START_MS // 1000 + 1500} offset 30s)',
        ),
        Difference(
            "a date that is NaN or infinite has the parts of what the processor makes of it as an integer "
            "(3.14, too); here they are NaN",
            "year(vector(NaN))",
        ),
        Difference(
            "a deviation is NaN where a value is infinite or NaN, also if it is the first",
            "stdvar(vector(Inf))",
            release="3.0",
        ),
        Difference(
            "sum() is compensated: generated sums do not cancel",
            'sum(vector(1e17) or label_replace(vector(1), "a", "1", "", "") or '
            'label_replace(vector(-1e17), "a", "2", "", ""))',
            release="2.54",
        ),
        Difference(
            "stdvar_over_time() and the like lose digits in 2.42 where values are large and close",
            "stdvar_over_time((1e7 * timestamp(up))[7m5ms:])",
            _WHOLE,
        ),
        Difference(
            "counts of classic buckets that differ by less than 1e-12 count as equal: these differ by more",
            'histogram_quantile(1, label_replace(vector(10), "le", "1", "", "") or '
            'label_replace(vector(10 + 1e-12), "le", "2", "", "") or '
            'label_replace(vector(10 + 1e-12), "le", "+Inf", "", ""))',
            release="2.49",
        ),
        Difference("topk() with a number below all integers keeps nothing", "topk(-1e30, up)"),
        Difference(
            "a dot in a regular expression matches line feeds, too: no label has one",
            r'label_replace(label_replace(vector(1), "a", "x\ny", "", ""), "b", "z", "a", "x.y")',
            release="3.0",
        ),
        Difference(
            "series whose labels become equal are joined where they have no step in common",
            '-label_replace(label_replace(label_replace(build_info, "__name__", "$1", "version", "(.*)"), '
            '"version", "", "", ""), "commit", "", "", "")',
            _WHOLE,
            "3.9",
        ),
        Difference(
            "a comparison, too, fails where many series match one, even if it keeps one of them only",
            '(label_replace(vector(1), "a", "1", "", "") or label_replace(vector(5), "a", "2", "", "")) '
            "> on () vector(3)",
            release="3.9",
        ),
        Difference(
            "label names may be any UTF-8", 'label_replace(up, "1a", "b", "job", ".*")', release="3.0"
        ),
        Difference("label names may be quoted", 'sum by ("job") (up)', release="3.0"),
        Difference("metric names may be quoted, within braces", '{"up"}', release="3.0"),
        Difference("numbers may stand for durations", "count_over_time(up[300])", release="2.54"),
        Difference("durations may stand for numbers", "up * 5m", release="2.54"),
        Difference("numbers may have underscores", "up * 1_000", release="2.54"),
        Difference("durations may be calculated", "count_over_time(up[2 * 1m])", release="3.4"),
        Difference("an offset may have two signs", "up offset --5m", release="3.4"),
        Difference("an offset may be zero", "up offset 0s"),
    )
