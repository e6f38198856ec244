"""Anchored and smoothed windows that hold native histograms (upstream functions.go: extendedHistogramRate).

`kernels.extended` says what such windows are, and does the same for floats.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from query.execution.single_windows import Remarks, Sample, Window
from query.execution.window_functions import changes, resets
from tsdb.errors import IncompatibleHistogramsError
from tsdb.histogram import CounterReset, FloatHistogram
from tsdb.histogram_arithmetic import add, is_reset, subtract

Timed = tuple[int, FloatHistogram]


def interpolated_histogram(
    before: Timed, after: Timed, time_ms: int, remarks: Remarks, *, is_counter: bool
) -> FloatHistogram:
    """The histogram on the line between two; a counter that was reset between them is taken to rise from 0.

    Raises `IncompatibleHistogramsError`.
    """
    (before_ms, left), (after_ms, right) = before, after
    if time_ms in (before_ms, after_ms):
        return left if time_ms == before_ms else right
    passed = (time_ms - before_ms) / (after_ms - before_ms)
    if is_counter and is_reset(right, left):
        return right.multiply(passed)
    rise = remarks.combined(subtract(right, left), "subtraction").multiply(passed)
    return remarks.combined(add(rise, left), "addition")


def _rise(
    window: Window, *, smoothed: bool, is_counter: bool = True, per_second: bool = False
) -> Sample | None:
    if window.float_count:
        window.remarks.mixed()
        return None
    used = _used(window, smoothed=smoothed)
    if not used:
        return None
    try:
        result = _rise_over(used, window, smoothed=smoothed, is_counter=is_counter)
    except IncompatibleHistogramsError:
        window.remarks.mixed_layouts()
        return None
    if per_second:
        result = result.divide((window.end_ms - window.start_ms) / 1000)
    return result.with_hint(CounterReset.GAUGE).compact()


def _used(window: Window, *, smoothed: bool) -> list[Timed]:
    """From the last histogram at or before the start to the last, or to the first at or after the end."""
    times_ms = window.samples.histogram_timestamps_ms.tolist()
    samples = list(zip(times_ms, window.histograms, strict=True))
    early = [sample for sample in samples if sample[0] <= window.start_ms]
    rest = [sample for sample in samples if sample[0] > window.start_ms]
    if not rest or (smoothed and not early and rest[0][0] > window.end_ms):
        return []
    used = [*early[-1:], *rest]
    if smoothed:
        late = [sample for sample in used if sample[0] >= window.end_ms]
        used = [sample for sample in used if sample[0] < window.end_ms] + late[:1]
    return used


def _rise_over(used: list[Timed], window: Window, *, smoothed: bool, is_counter: bool) -> FloatHistogram:
    histograms = [histogram for _, histogram in used]
    for histogram in histograms:
        if histogram.uses_custom_buckets is not histograms[0].uses_custom_buckets:
            raise IncompatibleHistogramsError
        if is_counter and histogram.counter_reset_hint is CounterReset.GAUGE:
            window.remarks.not_a("counter")
    between = partial(interpolated_histogram, remarks=window.remarks, is_counter=is_counter)
    starts_early = smoothed and used[0][0] < window.start_ms
    ends_late = smoothed and len(used) > 1 and used[-1][0] > window.end_ms
    left = between(used[0], used[1], window.start_ms) if starts_early else histograms[0]
    right = between(used[-2], used[-1], window.end_ms) if ends_late else histograms[-1]
    if not is_counter:
        if any(each.counter_reset_hint is not CounterReset.GAUGE for each in (left, right)):
            window.remarks.not_a("gauge")
        return window.remarks.combined(subtract(right, left), "subtraction")
    result = window.remarks.combined(subtract(right, left), "subtraction")
    before, way = left, histograms[1:-1]
    if starts_early and is_reset(histograms[1], histograms[0]):
        # The interpolation has taken this reset into account.
        if len(histograms) == 2:
            return result
        before, way = histograms[1], histograms[2:-1]
    if len(histograms) == 1:
        return result
    for after in (*way, right):
        if is_reset(after, before):
            result = window.remarks.combined(add(result, before), "addition")
        before = after
    return result


def _from_anchor(function: Callable[[Window], float]) -> Callable[[Window], Sample | None]:
    """A count of turns from the last sample at or before the start on, whatever its kind."""

    def counted(window: Window) -> Sample | None:
        times_ms = [time_ms for time_ms, _ in window.in_order()]
        if times_ms[-1] <= window.start_ms:
            return None
        anchor_ms = max((time_ms for time_ms in times_ms if time_ms <= window.start_ms), default=times_ms[0])
        return function(replace(window, samples=window.samples.between(anchor_ms - 1, times_ms[-1])))

    return counted


def _rates(*, smoothed: bool) -> dict[str, Callable[[Window], Sample | None]]:
    rise = partial(_rise, smoothed=smoothed)
    return {
        "delta": partial(rise, is_counter=False),
        "increase": rise,
        "rate": partial(rise, per_second=True),
    }


ANCHORED_WINDOW_FUNCTIONS: Final[Mapping[str, Callable[[Window], Sample | None]]] = {
    "changes": _from_anchor(changes),
    **_rates(smoothed=False),
    "resets": _from_anchor(resets),
}
SMOOTHED_WINDOW_FUNCTIONS: Final[Mapping[str, Callable[[Window], Sample | None]]] = _rates(smoothed=True)
