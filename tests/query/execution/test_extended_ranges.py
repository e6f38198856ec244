"""Anchored and smoothed ranges against upstream's own procedure, written for one window of one series."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from query import Engine, EngineOptions, EvaluationError
from query.kernels.extended import ANCHORED_KERNELS, SMOOTHED_KERNELS
from query.language import EVERYTHING
from tests.query.execution.asking import Samples, every, instants, matrix, raw, snapshot_of

LOOKBACK_MS = 25_000
RANGE_MS = 30_000
ENGINE = Engine(EngineOptions(lookback_ms=LOOKBACK_MS, parser=EVERYTHING))


def between(before: tuple[int, float], after: tuple[int, float], time_ms: int, *, is_counter: bool) -> float:
    low = 0.0 if is_counter and after[1] < before[1] else before[1]
    return low + (after[1] - low) * (time_ms - before[0]) / (after[0] - before[0])


def bounds(window: Samples, start_ms: int, end_ms: int, *, smoothed: bool) -> Samples | None:
    """From the last sample at or before the start to the last, or to the first at or after the end."""
    early = [sample for sample in window if sample[0] <= start_ms]
    rest = [sample for sample in window if sample[0] > start_ms]
    if not rest or (smoothed and not early and rest[0][0] > end_ms):
        return None
    used = [*early[-1:], *rest]
    if smoothed:
        late = [sample for sample in used if sample[0] >= end_ms]
        used = [sample for sample in used if sample[0] < end_ms] + late[:1]
    return used


def rise(used: Samples, start_ms: int, end_ms: int, *, smoothed: bool, is_counter: bool) -> float:
    left, right = used[0][1], used[-1][1]
    if smoothed and used[0][0] < start_ms:
        left = between(used[0], used[1], start_ms, is_counter=is_counter)
    if smoothed and used[-1][0] > end_ms:
        right = between(used[-2], used[-1], end_ms, is_counter=is_counter)
    inner = [value for time_ms, value in used if start_ms < time_ms < end_ms]
    way = [left, *inner, right]
    lost = sum(low for low, high in pairwise(way) if high < low)
    return right - left + (lost if is_counter else 0.0)


def expected(name: str, samples: Samples, time_ms: int, *, smoothed: bool) -> float | None:
    start_ms, end_ms = time_ms - RANGE_MS, time_ms
    reach_ms = end_ms + (LOOKBACK_MS if smoothed else 0)
    window = [sample for sample in samples if start_ms - LOOKBACK_MS < sample[0] <= reach_ms]
    used = bounds(window, start_ms, end_ms, smoothed=smoothed)
    if used is None:
        return None
    if name == "changes":
        return float(sum(before[1] != after[1] for before, after in pairwise(used)))
    if name == "resets":
        return float(sum(after[1] < before[1] for before, after in pairwise(used)))
    value = rise(used, start_ms, end_ms, smoothed=smoothed, is_counter=name != "delta")
    return value / (RANGE_MS / 1000) if name == "rate" else value


CASES = [("anchored", name) for name in ANCHORED_KERNELS] + [("smoothed", name) for name in SMOOTHED_KERNELS]


@pytest.mark.parametrize(("extension", "name"), CASES)
@pytest.mark.parametrize("apart_ms", [7_000, 20_000, 45_000])
def test_extended_function_agrees_with_upstreams_procedure(extension: str, name: str, apart_ms: int) -> None:
    rng = np.random.default_rng(apart_ms)
    times_ms = np.cumsum(rng.integers(apart_ms // 2, apart_ms, 40)).tolist()
    values = (rng.integers(0, 4, 40).cumsum() % 13).astype(float).tolist()
    samples = list(zip(times_ms, values, strict=True))
    snapshot = snapshot_of({"x_total": samples})
    query = f"{name}(x_total[{RANGE_MS}ms] {extension})"
    answer = matrix(ENGINE.range(snapshot, query, 0, times_ms[-1] + 60_000, 5_000)).get("", {})
    steps = range(0, times_ms[-1] + 60_001, 5_000)
    wanted = {step: expected(name, samples, step, smoothed=extension == "smoothed") for step in steps}
    assert answer == {step: pytest.approx(value) for step, value in wanted.items() if value is not None}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "deriv(x[1m] anchored)",
            "anchored modifier can only be used with: changes, delta, increase, rate, resets"
            " - not with deriv",
        ),
        (
            "resets(x[1m] smoothed)",
            "smoothed modifier can only be used with: delta, increase, rate - not with resets",
        ),
    ],
)
def test_other_functions_of_extended_ranges_are_refused(query: str, message: str) -> None:
    with pytest.raises(EvaluationError) as refusal:
        ENGINE.instant(snapshot_of({"x": [(0, 1.0)]}), query, 0)
    assert str(refusal.value) == message


def smoothed_at(samples: Sequence[tuple[int, float]], time_ms: int) -> dict[str, float]:
    return instants(ENGINE.instant(snapshot_of({"x": samples}), "x smoothed", time_ms))


def test_smoothed_selector_draws_a_line_between_two_samples() -> None:
    assert smoothed_at(every(10_000, [1.0, 2.0]), 2_500) == {"x": 1.25}


def test_smoothed_selector_holds_the_last_sample_and_starts_with_the_first() -> None:
    assert smoothed_at(every(10_000, [1.0, 2.0]), 10_000 + LOOKBACK_MS - 1) == {"x": 2.0}
    assert smoothed_at(every(10_000, [1.0, 2.0]), 10_000 + LOOKBACK_MS) == {}
    assert smoothed_at([(5_000, 1.0)], 4_999) == {}


def test_smoothed_selector_does_not_look_ahead_further_than_the_lookback() -> None:
    assert smoothed_at([(0, 1.0), (LOOKBACK_MS + 10_001, 2.0)], 10_000) == {"x": 1.0}
    assert smoothed_at([(0, 1.0), (LOOKBACK_MS, 2.0)], 5_000) == {"x": pytest.approx(1.2)}


def test_extended_range_by_itself_shows_values_at_its_bounds() -> None:
    snapshot = snapshot_of({"x": every(10_000, [1.0, 2.0, 3.0, 4.0], start_ms=5_000)})
    assert raw(ENGINE.instant(snapshot, "x[20s] anchored", 30_000)) == {
        "x": [(10_000, 1.0), (15_000, 2.0), (25_000, 3.0), (30_000, 3.0)]
    }
    assert raw(ENGINE.instant(snapshot, "x[20s] smoothed", 30_000)) == {
        "x": [(10_000, 1.5), (15_000, 2.0), (25_000, 3.0), (30_000, 3.5)]
    }
