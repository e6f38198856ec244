"""Functions over ranges that hold native histograms, window by window (upstream promql/functions.go).

Windows of floats alone are the kernels' business. A window with a histogram in it is rare enough to be
looked at by itself.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

from query.execution.annotations import (
    Annotations,
    histogram_ignored_in_range,
    mixed_floats_and_histograms,
    quoted,
)
from query.execution.building import VectorBuilder
from query.execution.context import EvalContext
from query.execution.ranges import RangeVector
from query.execution.result import RawSeries
from query.kernels.rates import NEAR_BOUNDARY
from query.language import ast
from tsdb import METRIC_NAME
from tsdb.errors import IncompatibleHistogramsError
from tsdb.histogram import CounterReset, FloatHistogram
from tsdb.histogram_arithmetic import Combined, HistogramSum, add, is_reset, reduce_resolution, subtract
from tsdb.sample import BoolArray

Sample: TypeAlias = float | FloatHistogram


@dataclass(frozen=True)
class Remarks:
    """Where a window's remarks go, and what of."""

    annotations: Annotations
    metric_name: str
    span: ast.Span

    def mixed(self) -> None:
        self.annotations.add(mixed_floats_and_histograms(self.metric_name, self.span))

    def ignored(self) -> None:
        self.annotations.add(histogram_ignored_in_range(self.metric_name, self.span))

    def of_metric(self, text: str) -> None:
        self.annotations.warning(f"{text} {quoted(self.metric_name)}", self.span)

    def not_a(self, kind: str) -> None:
        self.of_metric(f"this native histogram metric is not a {kind}:")

    def mixed_layouts(self) -> None:
        self.of_metric(
            "vector contains a mix of histograms with exponential and custom buckets schemas for metric name"
        )

    def combined(self, combined: Combined, operation: str) -> FloatHistogram:
        """The result of an operation, and that it had to reconcile bounds."""
        if combined.bounds_reconciled:
            text = f"mismatched custom buckets were reconciled during {operation}"
            self.annotations.info(text, self.span)
        return combined.histogram


@dataclass(frozen=True)
class Window:
    """The samples of one series in the range (`start_ms`, `end_ms`]; at least one is a histogram.

    `of_floats` is what the kernel made of the floats alone, None if they were too few for it.
    """

    samples: RawSeries
    start_ms: int
    end_ms: int
    of_floats: float | None
    remarks: Remarks = field(repr=False)

    @property
    def float_count(self) -> int:
        return len(self.samples.values)

    @property
    def histograms(self) -> tuple[FloatHistogram, ...]:
        return self.samples.histograms

    def in_order(self) -> Iterator[tuple[int, Sample]]:
        """All samples with their times."""
        floats = zip(self.samples.timestamps_ms.tolist(), self.samples.values.tolist(), strict=True)
        histograms = zip(self.samples.histogram_timestamps_ms.tolist(), self.histograms, strict=True)
        merged: list[tuple[int, Sample]] = [*floats, *histograms]
        return iter(sorted(merged, key=lambda sample: sample[0]))


def overlay_histogram_windows(
    call: ast.Call, ranges: RangeVector, builder: VectorBuilder, context: EvalContext
) -> None:
    """Replace what the kernel gave at the steps whose window holds a histogram."""
    function = _FUNCTIONS[call.function]
    names = ranges.labels.values(METRIC_NAME)
    span = call.args[0].span
    floats = ranges.floats_of([each.position for each in ranges.histograms])
    for series in ranges.histograms:
        context.check()
        first = np.searchsorted(series.timestamps_ms, ranges.start_ms, side="right")
        stop = np.searchsorted(series.timestamps_ms, ranges.end_ms, side="right")
        where = stop > first
        context.budget.looked_at(int((stop - first).sum()))
        computed = builder.column(series.position)
        remarks = Remarks(context.annotations, names[series.position], span)
        results: list[Sample | None] = [None] * len(where)
        nothing = RawSeries(series.timestamps_ms[:0], np.empty(0))
        for step in np.flatnonzero(where).tolist():
            start_ms, end_ms = int(ranges.start_ms[step]), int(ranges.end_ms[step])
            samples = replace(
                floats.get(series.position, nothing).between(start_ms, end_ms),
                histogram_timestamps_ms=series.timestamps_ms[first[step] : stop[step]],
                histograms=tuple(series.histograms[first[step] : stop[step]]),
            )
            results[step] = function(Window(samples, start_ms, end_ms, computed[step], remarks))
        _overlay(series.position, where, results, builder)


def _overlay(position: int, where: BoolArray, results: list[Sample | None], builder: VectorBuilder) -> None:
    histograms = np.empty(len(results), dtype=object)
    histograms[:] = [result if isinstance(result, FloatHistogram) else None for result in results]
    values = np.array([result if isinstance(result, int | float) else 0.0 for result in results])
    present = np.array([result is not None for result in results])
    builder.overlay(position, where, present, values, histograms)


def _ignoring_histograms(window: Window) -> float | None:
    """Functions of floats: histograms among them are left out, with a remark."""
    if window.float_count:
        window.remarks.ignored()
    return window.of_floats


def _first(window: Window) -> Sample:
    return next(window.in_order())[1]


def _last(window: Window) -> Sample:
    return list(window.in_order())[-1][1]


def _changes(window: Window) -> float:
    return float(sum(_differ(before, after) for (_, before), (_, after) in pairwise(window.in_order())))


def _differ(before: Sample, after: Sample) -> bool:
    if isinstance(before, float) and isinstance(after, float):
        return before != after and not (np.isnan(before) and np.isnan(after))
    return type(before) is not type(after) or before != after


def _resets(window: Window) -> float:
    return float(sum(_is_reset(before, after) for (_, before), (_, after) in pairwise(window.in_order())))


def _is_reset(before: Sample, after: Sample) -> bool:
    if isinstance(before, FloatHistogram) and isinstance(after, FloatHistogram):
        return is_reset(after, before)
    if isinstance(before, FloatHistogram) or isinstance(after, FloatHistogram):
        return True
    return after < before


def _sum(window: Window) -> FloatHistogram | None:
    if window.float_count:
        window.remarks.mixed()
        return None
    total = _added_up(window)
    return None if total is None else total.value


def _average(window: Window) -> FloatHistogram | None:
    """The mean; where the sum would overflow, the running one."""
    if window.float_count:
        window.remarks.mixed()
        return None
    total = _added_up(window)
    if total is None:
        return None
    if not total.value.has_overflow():
        return total.value.divide(len(window.histograms))
    mean = HistogramSum(window.histograms[0])
    for count, histogram in enumerate(window.histograms[1:], start=2):
        mean.scale((count - 1) / count)
        mean.add(histogram.divide(count))
    return mean.value


def _added_up(window: Window) -> HistogramSum | None:
    total = HistogramSum(window.histograms[0])
    try:
        for histogram in window.histograms[1:]:
            window.remarks.combined(total.add(histogram), "aggregation")
    except IncompatibleHistogramsError:
        window.remarks.mixed_layouts()
        return None
    hints = {histogram.counter_reset_hint for histogram in window.histograms}
    if {CounterReset.RESET, CounterReset.NOT_RESET} <= hints:
        text = "conflicting counter resets during histogram aggregation"
        window.remarks.annotations.warning(text, window.remarks.span)
    return total


def _difference_of_last_two(window: Window, *, is_rate: bool) -> Sample | None:
    """Irate and idelta (upstream instantValue)."""
    last_two = list(window.in_order())[-2:]
    if len(last_two) < 2:
        return None
    (before_ms, before), (after_ms, after) = last_two
    if isinstance(before, float) and isinstance(after, float):
        return window.of_floats
    if isinstance(before, float) or isinstance(after, float):
        window.remarks.mixed()
        return None
    gauges = [histogram.counter_reset_hint is CounterReset.GAUGE for histogram in (before, after)]
    if is_rate and any(gauges):
        window.remarks.not_a("counter")
    if not is_rate and not all(gauges):
        window.remarks.not_a("gauge")
    result = after
    if not is_rate or not is_reset(after, before):
        try:
            result = window.remarks.combined(subtract(after, before), "subtraction")
        except IncompatibleHistogramsError:
            window.remarks.mixed_layouts()
            return None
    result = result.with_hint(CounterReset.GAUGE).compact()
    return result.divide((after_ms - before_ms) / 1000) if is_rate else result


def _extrapolated(window: Window, *, is_counter: bool, per_second: bool) -> FloatHistogram | None:
    """rate, increase and delta (upstream extrapolatedRate; `kernels.rates` has the same for floats)."""
    if window.float_count:
        window.remarks.mixed()
        return None
    if len(window.histograms) < 2:
        return None
    try:
        result = _increase(window, is_counter=is_counter)
    except IncompatibleHistogramsError:
        window.remarks.mixed_layouts()
        return None
    times_ms = window.samples.histogram_timestamps_ms
    sampled = float(times_ms[-1] - times_ms[0]) / 1000
    distance = sampled / (len(times_ms) - 1)
    to_start = float(times_ms[0] - window.start_ms) / 1000
    to_end = float(window.end_ms - times_ms[-1]) / 1000
    if to_start >= distance * NEAR_BOUNDARY:
        to_start = distance / 2
    if is_counter and result.count > 0 and window.histograms[0].count >= 0:
        to_start = min(to_start, sampled * (window.histograms[0].count / result.count))
    if to_end >= distance * NEAR_BOUNDARY:
        to_end = distance / 2
    factor = (sampled + to_start + to_end) / sampled
    if per_second:
        factor /= (window.end_ms - window.start_ms) / 1000
    return result.multiply(factor)


def _increase(window: Window, *, is_counter: bool) -> FloatHistogram:
    """The difference between the last and the first histogram, with what was lost to resets.

    Source: upstream histogramRate. Raises `IncompatibleHistogramsError`.
    """
    first, second, last = window.histograms[0], window.histograms[1], window.histograms[-1]
    gauges = [histogram.counter_reset_hint is CounterReset.GAUGE for histogram in window.histograms]
    if is_counter and any(gauges):
        window.remarks.not_a("counter")
    if not is_counter and not (gauges[0] and gauges[-1]):
        window.remarks.not_a("gauge")
    if is_counter and is_reset(second, first):
        # What the first one looked like does not matter: the counter began anew after it.
        first = FloatHistogram(schema=second.schema, custom_values=second.custom_values)
    compared = [first, *window.histograms[1:]] if is_counter else [first, last]
    if len({histogram.uses_custom_buckets for histogram in compared}) > 1:
        raise IncompatibleHistogramsError
    if not last.uses_custom_buckets:
        last = reduce_resolution(last, min(histogram.schema for histogram in compared))
    result = window.remarks.combined(subtract(last, first), "subtraction")
    if is_counter:
        for before, after in pairwise(compared):
            if is_reset(after, before):
                result = window.remarks.combined(add(result, before), "addition")
    return result.with_hint(CounterReset.GAUGE).compact()


_FUNCTIONS: Final[Mapping[str, Callable[[Window], Sample | None]]] = {
    **dict.fromkeys(
        (
            *("deriv", "double_exponential_smoothing", "mad_over_time", "max_over_time", "min_over_time"),
            *("predict_linear", "quantile_over_time", "stddev_over_time", "stdvar_over_time"),
            *("ts_of_max_over_time", "ts_of_min_over_time"),
        ),
        _ignoring_histograms,
    ),
    "avg_over_time": _average,
    "changes": _changes,
    "count_over_time": lambda window: float(window.float_count + len(window.histograms)),
    "delta": lambda window: _extrapolated(window, is_counter=False, per_second=False),
    "first_over_time": _first,
    "idelta": lambda window: _difference_of_last_two(window, is_rate=False),
    "increase": lambda window: _extrapolated(window, is_counter=True, per_second=False),
    "irate": lambda window: _difference_of_last_two(window, is_rate=True),
    "last_over_time": _last,
    "present_over_time": lambda _: 1.0,
    "rate": lambda window: _extrapolated(window, is_counter=True, per_second=True),
    "resets": _resets,
    "sum_over_time": _sum,
    "ts_of_first_over_time": lambda window: next(window.in_order())[0] / 1000,
    "ts_of_last_over_time": lambda window: list(window.in_order())[-1][0] / 1000,
}
