import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from query.kernels.buckets import bucket_fraction, bucket_quantile

BOUNDS = [0.1, 0.5, 1.0, 5.0, math.inf]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Kernels run inside the engine's errstate."""
    with np.errstate(all="ignore"):
        yield


def quantile_oracle(q: float, bounds: Sequence[float], counts: Sequence[float]) -> float:
    """One histogram whose counts never fall."""
    total = counts[-1]
    if not total:
        return math.nan
    rank = q * total
    bucket = next(index for index, count in enumerate(counts) if count >= rank)
    if bucket == len(bounds) - 1:
        return bounds[-2]
    if bucket == 0 and bounds[0] <= 0:
        return bounds[0]
    start, before = (bounds[bucket - 1], counts[bucket - 1]) if bucket else (0.0, 0.0)
    within = counts[bucket] - before
    return start + (bounds[bucket] - start) * ((rank - before) / within if within else math.nan)


def fraction_oracle(lower: float, upper: float, bounds: Sequence[float], counts: Sequence[float]) -> float:
    """One histogram: what each bucket contributes, in proportion to its overlap with the limits."""
    share = 0.0
    start, before = (0.0 if bounds[0] > 0 else -math.inf), 0.0
    for bound, count in zip(bounds, counts, strict=True):
        low, high = max(lower, start), min(upper, bound)
        if high > low:
            whole = low == start and high == bound
            infinite = math.isinf(start) or math.isinf(bound)
            overlap = 1.0 if whole else 0.0 if infinite else (high - low) / (bound - start)
            share += (count - before) * overlap
        start, before = bound, count
    return share / counts[-1] if counts[-1] else math.nan


@pytest.mark.parametrize("seed", range(20))
def test_quantile_agrees_with_its_oracle(seed: int) -> None:
    random = np.random.default_rng(seed)
    bounds = np.array(BOUNDS) - (0.0, 0.7)[seed % 2]
    counts = random.integers(0, 4, (len(bounds), 6, 3)).cumsum(axis=0).astype(np.float64)
    q = float(random.random())
    values, mending = bucket_quantile(np.array([[q]]), bounds, counts)
    assert mending is None
    for step, histogram in np.ndindex(6, 3):
        expected = quantile_oracle(q, bounds.tolist(), counts[:, step, histogram].tolist())
        assert values[step, histogram] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("seed", range(20))
def test_fraction_agrees_with_its_oracle(seed: int) -> None:
    random = np.random.default_rng(seed)
    counts = random.integers(0, 4, (len(BOUNDS), 6, 3)).cumsum(axis=0).astype(np.float64)
    lower, upper = sorted(random.uniform(-1, 4.9, 2).tolist())
    values = bucket_fraction(np.array([[lower]]), np.array([[upper]]), np.array(BOUNDS), counts)
    for step, histogram in np.ndindex(6, 3):
        expected = fraction_oracle(lower, upper, BOUNDS, counts[:, step, histogram].tolist())
        assert values[step, histogram] == pytest.approx(expected, nan_ok=True)


def quantile(q: float, bounds: Sequence[float], counts: Sequence[float]) -> float:
    values, _ = bucket_quantile(np.array([q]), np.array(bounds), np.array(counts)[:, None])
    return float(values[0])


def test_quantile_without_an_inf_bucket_is_nan() -> None:
    assert math.isnan(quantile(0.5, [1.0, 2.0], [1.0, 2.0]))


def test_quantile_of_a_single_bucket_is_nan() -> None:
    assert math.isnan(quantile(0.5, [math.inf], [2.0]))


def test_quantile_without_observations_is_nan_even_if_the_lowest_bound_is_negative() -> None:
    assert math.isnan(quantile(0.5, [-1.0, 0.0, math.inf], [0.0, 0.0, 0.0]))


def test_quantile_below_zero_is_minus_inf_even_without_buckets_to_look_at() -> None:
    assert quantile(-0.1, [1.0], [1.0]) == -math.inf


def test_quantile_in_the_highest_bucket_is_the_bound_below_it() -> None:
    assert quantile(0.99, [1.0, 2.0, math.inf], [0.0, 0.0, 5.0]) == 2.0


def test_falling_counts_are_raised_and_reported() -> None:
    counts = np.array([[10.0], [8.0], [9.0], [20.0]])
    values, mending = bucket_quantile(np.array([0.5]), np.array([1.0, 2.0, 3.0, math.inf]), counts)
    assert values[0] == 1.0
    assert mending is not None
    assert (mending.lowest[0], mending.highest[0], mending.difference[0]) == (2.0, 3.0, 2.0)
    assert mending.forced.tolist() == [True]


def test_difference_below_the_tolerance_is_levelled_in_silence() -> None:
    counts = np.array([[10.0], [10.0 - 1e-12], [20.0]])
    _, mending = bucket_quantile(np.array([0.5]), np.array([1.0, 2.0, math.inf]), counts)
    assert mending is not None
    assert not mending.forced.any()


def test_counts_of_the_caller_are_not_written_to() -> None:
    counts = np.array([[10.0], [8.0], [20.0]])
    bucket_quantile(np.array([0.5]), np.array([1.0, 2.0, math.inf]), counts)
    assert counts.tolist() == [[10.0], [8.0], [20.0]]


def test_fraction_of_limits_the_wrong_way_round_is_zero() -> None:
    fraction = bucket_fraction(
        np.array([2.0]), np.array([1.0]), np.array([1.0, math.inf]), np.array([[3.0], [4.0]])
    )
    assert fraction.tolist() == [0.0]
