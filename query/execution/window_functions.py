"""Functions over ranges, window by window (upstream promql/functions.go).

Windows of floats alone are the kernels' business. Those with a native histogram in them, or of series whose
start timestamps matter, are few enough to be looked at one by one.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final

import numpy as np

from query.execution.building import VectorBuilder
from query.execution.context import EvalContext
from query.execution.histogram_stats import stored_sizes
from query.execution.ranges import RangeVector
from query.execution.result import RawSeries
from query.execution.single_windows import Remarks, Sample, Window
from query.kernels.rates import NEAR_BOUNDARY
from query.language import ast
from tsdb import METRIC_NAME, HistogramSeries
from tsdb.errors import IncompatibleHistogramsError
from tsdb.histogram import CounterReset, FloatHistogram
from tsdb.histogram_arithmetic import HistogramSum, add, is_reset, reduce_resolution, subtract
from tsdb.sample import BoolArray, IntArray

_AWARE_OF_STARTS: Final = frozenset({"rate", "increase", "irate", "resets"})


def overlay_single_windows(
    call: ast.Call,
    ranges: RangeVector,
    builder: VectorBuilder,
    context: EvalContext,
    function: Callable[[Window], Sample | None],
) -> None:
    """Replace what the kernel gave where a window holds a histogram, or it is known when counts began."""
    names = ranges.labels.values(METRIC_NAME)
    histograms = {each.position: each for each in ranges.histograms}
    starts = _starts(call, ranges, context)
    floats = ranges.floats_of({**histograms, **starts})
    nothing = RawSeries(np.empty(0, dtype=np.int64), np.empty(0))
    for position in {**histograms, **starts}:
        context.check()
        samples = floats.get(position, nothing)
        if position in histograms:
            samples = samples.with_histograms(histograms[position])
            context.looked_at(_histogram_samples(histograms[position], ranges))
        remarks = Remarks(context.annotations, names[position], call.args[0].span)
        computed = builder.column(position)
        where = np.zeros(context.step_count, dtype=np.bool_)
        results: list[Sample | None] = [None] * context.step_count
        for step, (start_ms, end_ms) in enumerate(zip(ranges.start_ms, ranges.end_ms, strict=True)):
            inside = samples.between(int(start_ms) - ranges.before_ms, int(end_ms) + ranges.after_ms)
            if not inside.histograms and (position not in starts or len(inside.values) == 0):
                continue
            window = Window(
                inside, int(start_ms), int(end_ms), computed[step], starts.get(position, {}), remarks
            )
            where[step] = True
            results[step] = function(window)
        _overlay(position, where, results, builder)


def _starts(call: ast.Call, ranges: RangeVector, context: EvalContext) -> dict[int, dict[int, int]]:
    """When counts began, by the position of a series and the time of a sample."""
    if not context.options.use_start_timestamps or call.function not in _AWARE_OF_STARTS:
        return {}
    if ranges.extension is not None and call.function != "resets":
        return {}  # upstream's rates of such ranges don't ask either
    return {
        each.position: dict(zip(each.timestamps_ms.tolist(), each.start_timestamps_ms.tolist(), strict=True))
        for each in ranges.start_timestamps
    }


def _histogram_samples(series: HistogramSeries, ranges: RangeVector) -> IntArray:
    """int64[step]: as how many samples the histograms of each window count."""
    sizes = np.concatenate(([0], np.cumsum(stored_sizes(series))))
    first = np.searchsorted(series.timestamps_ms, ranges.start_ms - ranges.before_ms, side="right")
    end = np.searchsorted(series.timestamps_ms, ranges.end_ms + ranges.after_ms, side="right")
    samples: IntArray = sizes[end] - sizes[first]
    return samples


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
    return window.in_order()[0][1]


def _last(window: Window) -> Sample:
    return window.in_order()[-1][1]


def changes(window: Window) -> float:
    """How often a sample differs from the one before, in value or in kind."""
    return float(sum(_differ(before, after) for (_, before), (_, after) in pairwise(window.in_order())))


def _differ(before: Sample, after: Sample) -> bool:
    if isinstance(before, float) and isinstance(after, float):
        return before != after and not (np.isnan(before) and np.isnan(after))
    return type(before) is not type(after) or before != after


def resets(window: Window) -> float:
    """How often a counter began anew; a change of kind counts."""
    pairs = pairwise(window.in_order())
    return float(
        sum(
            window.began_anew(before[0], after[0]) or _is_reset(before[1], after[1])
            for before, after in pairs
        )
    )


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
    """The sum of all histograms; that some can't be added is all that is told then."""
    total = HistogramSum(window.histograms[0])
    try:
        reconciled = [total.add(histogram).bounds_reconciled for histogram in window.histograms[1:]]
    except IncompatibleHistogramsError:
        window.remarks.mixed_layouts()
        return None
    if any(reconciled):
        window.remarks.reconciled("aggregation")
    hints = {histogram.counter_reset_hint for histogram in window.histograms}
    if {CounterReset.RESET, CounterReset.NOT_RESET} <= hints:
        text = "conflicting counter resets during histogram aggregation"
        window.remarks.annotations.warning(text, window.remarks.span)
    return total


def _difference_of_last_two(window: Window, *, is_rate: bool) -> Sample | None:
    """Irate and idelta (upstream instantValue)."""
    last_two = window.in_order()[-2:]
    if len(last_two) < 2:
        return None
    (before_ms, before), (after_ms, after) = last_two
    seconds = (after_ms - before_ms) / 1000
    began_anew = is_rate and window.began_anew(before_ms, after_ms)
    if isinstance(before, FloatHistogram) and isinstance(after, FloatHistogram):
        result = _histogram_difference(window, before, after, is_rate=is_rate, began_anew=began_anew)
        return result.divide(seconds) if is_rate and result is not None else result
    if isinstance(before, FloatHistogram) or isinstance(after, FloatHistogram):
        window.remarks.mixed()
        return None
    difference = after if is_rate and (after < before or began_anew) else after - before
    return difference / seconds if is_rate else difference


def _histogram_difference(
    window: Window, before: FloatHistogram, after: FloatHistogram, *, is_rate: bool, began_anew: bool
) -> FloatHistogram | None:
    gauges = [histogram.counter_reset_hint is CounterReset.GAUGE for histogram in (before, after)]
    if is_rate and any(gauges):
        window.remarks.not_a("counter")
    if not is_rate and not all(gauges):
        window.remarks.not_a("gauge")
    result = after
    if not is_rate or not (began_anew or is_reset(after, before)):
        try:
            result = window.remarks.combined(subtract(after, before), "subtraction")
        except IncompatibleHistogramsError:
            window.remarks.mixed_layouts()
            return None
    return result.with_hint(CounterReset.GAUGE).compact()


def _extrapolated(window: Window, *, is_counter: bool, per_second: bool) -> Sample | None:
    """rate, increase and delta (upstream extrapolatedRate; `kernels.rates` has the same for many floats)."""
    samples = window.in_order()
    if window.float_count and window.histograms:
        window.remarks.mixed()
        return None
    try:
        result = _increase(window, samples, is_counter=is_counter) if len(samples) > 1 else None
        (first_ms, first), last_ms = samples[0], samples[-1][0]
        distance = (last_ms - first_ms) / 1000 / max(len(samples) - 1, 1)
        to_end = (window.end_ms - last_ms) / 1000
        if to_end >= distance * NEAR_BOUNDARY:
            to_end = distance / 2
        start_ms = window.starts_ms.get(first_ms, 0)
        if is_counter and start_ms != 0 and window.start_ms < start_ms < first_ms:
            # A count that began inside the range was 0 then.
            result = first if result is None else _added(window, result, first)
            sampled, to_start = (last_ms - start_ms) / 1000, 0.0
        elif result is None:
            return None
        else:
            sampled = (last_ms - first_ms) / 1000
            to_start = (first_ms - window.start_ms) / 1000
            if to_start >= distance * NEAR_BOUNDARY:
                to_start = distance / 2
            if is_counter and _amount(result) > 0 and _amount(first) >= 0:
                to_start = min(to_start, sampled * (_amount(first) / _amount(result)))
    except IncompatibleHistogramsError:
        window.remarks.mixed_layouts()
        return None
    factor = (sampled + to_start + to_end) / sampled
    if per_second:
        factor /= (window.end_ms - window.start_ms) / 1000
    return result.multiply(factor) if isinstance(result, FloatHistogram) else result * factor


def _amount(sample: Sample) -> float:
    return sample.count if isinstance(sample, FloatHistogram) else sample


def _added(window: Window, left: Sample, right: Sample) -> Sample:
    if isinstance(left, FloatHistogram) and isinstance(right, FloatHistogram):
        return window.remarks.combined(add(left, right), "addition")
    assert isinstance(left, float)
    assert isinstance(right, float)
    return left + right


def _increase(window: Window, samples: list[tuple[int, Sample]], *, is_counter: bool) -> Sample:
    """The difference between the last and the first sample, with what was lost to resets.

    Raises `IncompatibleHistogramsError`.
    """
    times_ms = [time_ms for time_ms, _ in samples]
    anew = [is_counter and window.began_anew(*pair) for pair in pairwise(times_ms)]
    increase: Sample
    if window.histograms:
        increase = _histogram_increase(window, anew, is_counter=is_counter)
    else:
        increase = _float_increase(window, anew, is_counter=is_counter)
    if is_counter and any(window.is_overlapping(*pair) for pair in pairwise(times_ms)):
        window.remarks.overlapping()
    return increase


def _float_increase(window: Window, anew: list[bool], *, is_counter: bool) -> float:
    """`anew` says for neighbours that start timestamps tell of a reset."""
    values = window.samples.values.tolist()
    result: float = values[-1] - values[0]
    for (before, after), began_anew in zip(pairwise(values), anew, strict=True):
        if is_counter and (began_anew or after < before):
            result += before
    return result


def _histogram_increase(window: Window, anew: list[bool], *, is_counter: bool) -> FloatHistogram:
    """Source: upstream histogramRate. `anew` as above. Raises `IncompatibleHistogramsError`."""
    first, second, last = window.histograms[0], window.histograms[1], window.histograms[-1]
    gauges = [histogram.counter_reset_hint is CounterReset.GAUGE for histogram in window.histograms]
    if is_counter and (anew[0] or is_reset(second, first)):
        # What the first one looked like does not matter: the counter began anew after it.
        first = FloatHistogram(schema=second.schema, custom_values=second.custom_values)
    compared = [first, *window.histograms[1:]] if is_counter else [first, last]
    if len({histogram.uses_custom_buckets for histogram in compared}) > 1:
        # Where the ends go together, upstream forgets what it remarked on before it saw the others.
        if is_counter and first.uses_custom_buckets != last.uses_custom_buckets and (gauges[0] or gauges[-1]):
            window.remarks.not_a("counter")
        raise IncompatibleHistogramsError
    if is_counter and any(gauges):
        window.remarks.not_a("counter")
    if not is_counter and not (gauges[0] and gauges[-1]):
        window.remarks.not_a("gauge")
    if not last.uses_custom_buckets:
        last = reduce_resolution(last, min(histogram.schema for histogram in compared))
    result = window.remarks.combined(subtract(last, first), "subtraction")
    if is_counter:
        for (before, after), began_anew in zip(pairwise(compared), anew, strict=True):
            if began_anew or is_reset(after, before):
                result = window.remarks.combined(add(result, before), "addition")
    return result.with_hint(CounterReset.GAUGE).compact()


WINDOW_FUNCTIONS: Final[Mapping[str, Callable[[Window], Sample | None]]] = {
    **dict.fromkeys(
        (
            *("deriv", "double_exponential_smoothing", "mad_over_time", "max_over_time", "min_over_time"),
            *("predict_linear", "quantile_over_time", "stddev_over_time", "stdvar_over_time"),
            *("ts_of_max_over_time", "ts_of_min_over_time"),
        ),
        _ignoring_histograms,
    ),
    "avg_over_time": _average,
    "changes": changes,
    "count_over_time": lambda window: float(window.float_count + len(window.histograms)),
    "delta": lambda window: _extrapolated(window, is_counter=False, per_second=False),
    "first_over_time": _first,
    "idelta": lambda window: _difference_of_last_two(window, is_rate=False),
    "increase": lambda window: _extrapolated(window, is_counter=True, per_second=False),
    "irate": lambda window: _difference_of_last_two(window, is_rate=True),
    "last_over_time": _last,
    "present_over_time": lambda _: 1.0,
    "rate": lambda window: _extrapolated(window, is_counter=True, per_second=True),
    "resets": resets,
    "sum_over_time": _sum,
    "ts_of_first_over_time": lambda window: window.in_order()[0][0] / 1000,
    "ts_of_last_over_time": lambda window: window.in_order()[-1][0] / 1000,
}
