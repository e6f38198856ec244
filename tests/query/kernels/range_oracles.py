"""What each function over ranges means for one window of one series: slow, obvious, from upstream's text.

An oracle takes the window's times in ms and its values, the bounds of the range, the time of evaluation and
the scalar arguments; it computes with exact fractions where the numbers are finite.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final


@dataclass(frozen=True)
class Window:
    times_ms: list[int]
    values: list[float]
    start_ms: int
    end_ms: int
    step_ms: int
    args: Sequence[float]


def exact_sum(values: Sequence[float]) -> float:
    if not all(map(math.isfinite, values)):
        return sum(values)
    total = sum(map(Fraction, values), Fraction(0))
    try:
        return float(total)
    except OverflowError:
        return math.inf if total > 0 else -math.inf


def mean(values: Sequence[float]) -> float:
    if not all(map(math.isfinite, values)):
        return sum(values) / len(values)
    return float(sum(map(Fraction, values), Fraction(0)) / len(values))


def variance(window: Window) -> float:
    if not all(map(math.isfinite, window.values)):
        return math.nan
    middle = sum(map(Fraction, window.values), Fraction(0)) / len(window.values)
    squares = [(Fraction(value) - middle) ** 2 for value in window.values]
    return float(sum(squares, Fraction(0)) / len(squares))


def quantile(values: Sequence[float], rank: float) -> float:
    if math.isnan(rank):
        return math.nan
    if not 0 <= rank <= 1:
        return math.copysign(math.inf, rank)
    ordered = sorted(values, key=lambda value: (not math.isnan(value), value))
    place = rank * (len(ordered) - 1)
    lower = math.floor(place)
    upper = min(lower + 1, len(ordered) - 1)
    weight = place - lower
    return ordered[lower] * (1 - weight) + ordered[upper] * weight


def median_distance(window: Window) -> float:
    if any(map(math.isnan, window.values)):
        return math.nan
    median = quantile(window.values, 0.5)
    return quantile([abs(value - median) for value in window.values], 0.5)


def extreme(window: Window, wanted: Callable[[Sequence[float]], float]) -> float:
    numbers = [value for value in window.values if not math.isnan(value)]
    return wanted(numbers) if numbers else math.nan


def time_of_extreme(window: Window, wanted: Callable[[Sequence[float]], float]) -> float:
    sought = extreme(window, wanted)
    rows = [row for row, value in enumerate(window.values) if value == sought or math.isnan(sought)]
    return window.times_ms[rows[-1]] / 1000


def lost_to_resets(values: Sequence[float]) -> float:
    return exact_sum([before for before, after in pairwise(values) if after < before])


def extrapolated(window: Window, *, is_counter: bool, per_second: bool) -> float:
    """Upstream's extrapolatedRate, for one series."""
    first, last = window.values[0], window.values[-1]
    result = last - first
    if is_counter:
        result += lost_to_resets(window.values)
    to_start = (window.times_ms[0] - window.start_ms) / 1000
    to_end = (window.end_ms - window.times_ms[-1]) / 1000
    sampled = (window.times_ms[-1] - window.times_ms[0]) / 1000
    distance = sampled / (len(window.values) - 1)
    if to_start >= distance * 1.1:
        to_start = distance / 2
    if is_counter and result > 0 and first >= 0:
        to_start = min(to_start, sampled * (first / result))
    if to_end >= distance * 1.1:
        to_end = distance / 2
    factor = (sampled + to_start + to_end) / sampled
    if per_second:
        factor /= (window.end_ms - window.start_ms) / 1000
    return result * factor


def last_difference(window: Window, *, is_rate: bool) -> float:
    before, after = window.values[-2:]
    difference = after if is_rate and after < before else after - before
    return difference / ((window.times_ms[-1] - window.times_ms[-2]) / 1000) if is_rate else difference


def line(window: Window, origin_ms: int) -> tuple[float, float]:
    """Slope and value at `origin_ms` of the line of least squares."""
    if not all(map(math.isfinite, window.values)):
        return math.nan, math.nan
    seconds = [Fraction(time - origin_ms, 1000) for time in window.times_ms]
    samples = [Fraction(value) for value in window.values]
    count = len(samples)
    mean_x, mean_y = sum(seconds) / count, sum(samples, Fraction(0)) / count
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(seconds, samples, strict=True)) / sum(
        (x - mean_x) ** 2 for x in seconds
    )
    return float(slope), float(mean_y - slope * mean_x)


def predicted(window: Window) -> float:
    slope, intercept = line(window, window.step_ms)
    return slope * window.args[0] + intercept


def smoothed(window: Window) -> float:
    factor, trend_factor = window.args
    level, trend = window.values[0], window.values[1] - window.values[0]
    before = 0.0
    for row, value in enumerate(window.values[1:]):
        if row:
            trend = trend_factor * (level - before) + (1 - trend_factor) * trend
        before, level = level, factor * value + (1 - factor) * (level + trend)
    return level


def differs(before: float, after: float) -> bool:
    return before != after and not (math.isnan(before) and math.isnan(after))


RANGE_ORACLES: Final[Mapping[str, Callable[[Window], float]]] = {
    "avg_over_time": lambda window: mean(window.values),
    "changes": lambda window: sum(differs(*pair) for pair in pairwise(window.values)),
    "count_over_time": lambda window: len(window.values),
    "delta": lambda window: extrapolated(window, is_counter=False, per_second=False),
    "deriv": lambda window: line(window, window.times_ms[0])[0],
    "double_exponential_smoothing": smoothed,
    "first_over_time": lambda window: window.values[0],
    "idelta": lambda window: last_difference(window, is_rate=False),
    "increase": lambda window: extrapolated(window, is_counter=True, per_second=False),
    "irate": lambda window: last_difference(window, is_rate=True),
    "last_over_time": lambda window: window.values[-1],
    "mad_over_time": median_distance,
    "max_over_time": lambda window: extreme(window, max),
    "min_over_time": lambda window: extreme(window, min),
    "predict_linear": predicted,
    "present_over_time": lambda _: 1.0,
    "quantile_over_time": lambda window: quantile(window.values, window.args[0]),
    "rate": lambda window: extrapolated(window, is_counter=True, per_second=True),
    "resets": lambda window: sum(after < before for before, after in pairwise(window.values)),
    "stddev_over_time": lambda window: math.sqrt(variance(window)),
    "stdvar_over_time": variance,
    "sum_over_time": lambda window: exact_sum(window.values),
    "ts_of_first_over_time": lambda window: window.times_ms[0] / 1000,
    "ts_of_last_over_time": lambda window: window.times_ms[-1] / 1000,
    "ts_of_max_over_time": lambda window: time_of_extreme(window, max),
    "ts_of_min_over_time": lambda window: time_of_extreme(window, min),
}
