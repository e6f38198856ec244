"""Sums of histograms against an oracle that knows buckets only by their bounds."""

import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsdb.errors import IncompatibleHistogramsError
from tsdb.histogram import CUSTOM_BUCKETS, Buckets, CounterReset, FloatHistogram
from tsdb.histogram_arithmetic import HistogramSum, add, hint_after, is_reset, reduce_resolution, subtract

UNKNOWN, RESET, NOT_RESET, GAUGE = CounterReset


def exponential(schema: int = 0, *counts: float, offset: int = 0, zero: float = 0.0) -> FloatHistogram:
    total = sum(counts)
    return FloatHistogram(
        schema=schema, count=total, sum=total, zero_threshold=zero, positive=Buckets.dense(offset, counts)
    )


def custom(bounds: tuple[float, ...], *counts: float) -> FloatHistogram:
    total = sum(counts)
    return FloatHistogram(
        schema=CUSTOM_BUCKETS,
        count=total,
        sum=total,
        positive=Buckets.dense(0, counts),
        custom_values=bounds,
    )


def text(histogram: FloatHistogram) -> str:
    return str(histogram.compact())


def test_sum_of_one_layout_adds_bucket_by_bucket() -> None:
    assert text(add(exponential(0, 1, 2), exponential(0, 4, 8)).histogram) == (
        "{count:15, sum:15, (0.5,1]:5, (1,2]:10}"
    )


def test_sum_has_the_buckets_of_both() -> None:
    assert text(add(exponential(0, 1), exponential(0, 2, offset=3)).histogram) == (
        "{count:3, sum:3, (0.5,1]:1, (4,8]:2}"
    )


def test_sum_has_the_lower_resolution() -> None:
    combined = add(exponential(1, 1, 2, 4), exponential(0, 8, 16)).histogram
    assert combined.schema == 0
    assert text(combined) == "{count:31, sum:31, (0.5,1]:9, (1,2]:22}"


def test_sum_has_the_wider_zero_bucket() -> None:
    wide = FloatHistogram(count=1, zero_threshold=0.5, zero_count=1)
    combined = add(exponential(0, 2, 4, offset=-1), wide).histogram
    assert text(combined) == "{count:7, sum:6, [-0.5,0.5]:3, (0.5,1]:4}"


def test_zero_bucket_grows_over_the_populated_bucket_that_it_would_cut() -> None:
    wide = FloatHistogram(count=1, zero_threshold=0.75, zero_count=1)
    combined = add(exponential(0, 2, 4), wide).histogram
    assert combined.zero_threshold == 1.0
    assert text(combined) == "{count:7, sum:6, [-1,1]:3, (1,2]:4}"


def test_zero_bucket_may_cut_an_empty_bucket() -> None:
    wide = FloatHistogram(count=1, zero_threshold=0.75, zero_count=1)
    assert add(exponential(0, 0, 4), wide).histogram.zero_threshold == 0.75


def test_growing_zero_bucket_does_not_stop_inside_a_bucket_of_the_other_side() -> None:
    """0.75 grows to 1 on the positive side, and on to 4 on the negative."""
    both = FloatHistogram(
        schema=-1, count=3, positive=Buckets.dense(0, [1]), negative=Buckets.dense(1, [2]), zero_threshold=0.0
    )
    wide = FloatHistogram(schema=-1, zero_threshold=1.5, zero_count=1, count=1)
    combined = add(both, wide).histogram
    assert (combined.zero_threshold, combined.zero_count) == (4.0, 4.0)


def test_custom_bounds_that_differ_are_reconciled_to_those_of_both() -> None:
    combined = add(custom((1, 2, 5), 1, 2, 4, 8), custom((2, 3, 5), 16, 32, 64, 128))
    assert combined.bounds_reconciled
    assert text(combined.histogram) == "{count:255, sum:255, [-Inf,2]:19, (2,5]:100, (5,+Inf]:136}"


def test_equal_custom_bounds_need_no_reconciliation() -> None:
    assert not add(custom((1,), 1, 2), custom((1,), 1, 2)).bounds_reconciled


def test_custom_bounds_with_nothing_in_common_leave_one_bucket() -> None:
    assert text(add(custom((1,), 1, 2), custom((2,), 4, 8)).histogram) == "{count:15, sum:15, [-Inf,+Inf]:15}"


@pytest.mark.parametrize("combine", [add, subtract])
def test_exponential_and_custom_buckets_can_not_be_combined(combine: object) -> None:
    assert callable(combine)
    with pytest.raises(IncompatibleHistogramsError):
        combine(exponential(0, 1), custom((1,), 1))


@pytest.mark.parametrize(
    ("left", "right", "joint", "collision"),
    [
        (UNKNOWN, UNKNOWN, UNKNOWN, False),
        (RESET, RESET, RESET, False),
        (NOT_RESET, NOT_RESET, NOT_RESET, False),
        (GAUGE, RESET, GAUGE, False),
        (NOT_RESET, GAUGE, GAUGE, False),
        (UNKNOWN, RESET, UNKNOWN, False),
        (NOT_RESET, UNKNOWN, UNKNOWN, False),
        (RESET, NOT_RESET, UNKNOWN, True),
        (NOT_RESET, RESET, UNKNOWN, True),
    ],
)
def test_hint_of_a_sum(left: CounterReset, right: CounterReset, joint: CounterReset, collision: bool) -> None:
    combined = add(exponential().with_hint(left), exponential().with_hint(right))
    assert (combined.histogram.counter_reset_hint, combined.reset_collision) == (joint, collision)


@pytest.mark.parametrize(
    ("previous", "current", "reset"),
    [
        (exponential(0, 1, 2), exponential(0, 1, 2), False),
        (exponential(0, 1, 2), exponential(0, 2, 2), False),
        (exponential(0, 1, 2), exponential(0, 1, 2, 3), False),
        (exponential(0, 1, 2), exponential(0, 1, 1), True),
        (exponential(0, 1, 2), exponential(0, 0, 5), True),
        (exponential(0, 0, 2), exponential(0, 2, offset=1), False),
        (exponential(0, 1, 2), exponential(1, 1, 2, 0, 0), True),
        (exponential(1, 1, 2, 3), exponential(0, 1, 5), False),
        (exponential(1, 1, 2, 3), exponential(0, 2, 4), True),
        (exponential(0, 1, zero=0.25), exponential(0, 1), True),
        (exponential(0, 1), exponential(0, 1, zero=0.25), False),
        (exponential(0, 1), exponential(0, 1, zero=0.75), True),
        (exponential(0, 1), custom((1,), 1), True),
        (custom((1,), 1), exponential(0, 1), True),
        (custom((1, 2), 1, 2, 3), custom((1, 3), 1, 5, 3), False),
        (custom((1, 2), 1, 2, 3), custom((1, 3), 0, 9, 3), True),
        (replace(exponential(0, 1), zero_count=2), replace(exponential(0, 1), zero_count=1), True),
    ],
)
def test_reset(previous: FloatHistogram, current: FloatHistogram, reset: bool) -> None:
    assert is_reset(current, previous) is reset


@pytest.mark.parametrize(("hint", "reset"), [(RESET, True), (NOT_RESET, False)])
def test_stated_hint_decides_about_a_reset(hint: CounterReset, reset: bool) -> None:
    assert is_reset(exponential(0, 5).with_hint(hint), exponential(0, 9 if not reset else 1)) is reset


@pytest.mark.parametrize(
    ("previous", "current", "hint"),
    [
        (None, exponential(0, 1), UNKNOWN),
        (exponential(0, 1), exponential(0, 1), NOT_RESET),
        (exponential(0, 2), exponential(0, 1), UNKNOWN),
        (exponential(1, 1), exponential(0, 1), UNKNOWN),
        (exponential(0, 1), exponential(0, 1).with_hint(RESET), UNKNOWN),
        (exponential(0, 2), exponential(0, 1).with_hint(NOT_RESET), UNKNOWN),
        (exponential(0, 1), exponential(0, 1).with_hint(GAUGE), GAUGE),
        (exponential(0, 1).with_hint(GAUGE), exponential(0, 1), UNKNOWN),
        (exponential(0, 1), exponential(0, 1).with_hint(NOT_RESET), NOT_RESET),
        (custom((1,), 1), custom((2,), 1), UNKNOWN),
    ],
)
def test_hint_to_store_with(
    previous: FloatHistogram | None, current: FloatHistogram, hint: CounterReset
) -> None:
    assert hint_after(previous, current) is hint


def test_running_sum_loses_nothing_to_rounding() -> None:
    running = HistogramSum(exponential(0, 1e16))
    for _ in range(10):
        running.add(exponential(0, 1))
    running.add(exponential(0, -1e16))
    assert running.value.positive.counts.tolist() == [10.0]
    assert (running.value.count, running.value.sum) == (10.0, 10.0)


def test_running_sum_of_infinite_counts_stays_infinite() -> None:
    running = HistogramSum(exponential(0, math.inf))
    running.add(exponential(0, 1))
    assert running.value.count == math.inf


numbers = st.integers(0, 1000).map(float)


@st.composite
def histograms(draw: st.DrawFn, *, zero: bool = False) -> FloatHistogram:
    """Counts are whole, so that sums are exact in any order."""
    positive = Buckets.dense(draw(st.integers(-6, 6)), draw(st.lists(numbers, max_size=8)))
    negative = Buckets.dense(draw(st.integers(-6, 6)), draw(st.lists(numbers, max_size=8)))
    zero_count = draw(numbers)
    total = float(positive.counts.sum() + negative.counts.sum()) + zero_count
    return FloatHistogram(
        schema=draw(st.integers(-2, 3)),
        count=total,
        sum=draw(numbers),
        zero_threshold=draw(st.sampled_from([0.0, 2**-7, 0.3, 2.0])) if zero else 0.0,
        zero_count=zero_count,
        positive=positive,
        negative=negative,
    )


def by_bounds(histogram: FloatHistogram, schema: int) -> Counter[float]:
    """Counts by the outer bound that their bucket has in a coarser schema."""
    counts: Counter[float] = Counter()
    for sign, side in ((1, histogram.positive_buckets()), (-1, histogram.negative_buckets())):
        for bucket in side:
            outer = max(abs(bucket.lower), abs(bucket.upper))
            exponent = math.ceil(round(math.log2(outer) * 2.0**schema, 6))
            counts[sign * 2.0 ** (exponent * 2.0**-schema)] += int(bucket.count)
    return +counts


@given(histograms(), histograms())
def test_sum_is_that_of_a_mapping_from_bounds(left: FloatHistogram, right: FloatHistogram) -> None:
    combined = add(left, right).histogram
    schema = min(left.schema, right.schema)
    expected = by_bounds(left, schema) + by_bounds(right, schema)
    assert combined.schema == schema
    assert by_bounds(combined, schema) == pytest.approx(expected)
    assert combined.zero_count == left.zero_count + right.zero_count


@given(histograms(zero=True), histograms(zero=True))
def test_sum_loses_no_observation(left: FloatHistogram, right: FloatHistogram) -> None:
    combined = add(left, right).histogram
    in_buckets = combined.zero_count + combined.positive.counts.sum() + combined.negative.counts.sum()
    assert in_buckets == combined.count == left.count + right.count
    assert combined.zero_threshold >= max(left.zero_threshold, right.zero_threshold)


@given(histograms(), histograms())
def test_subtracting_what_was_added_gives_the_histogram_in_the_lower_resolution(
    left: FloatHistogram, right: FloatHistogram
) -> None:
    schema = min(left.schema, right.schema)
    restored = subtract(add(left, right).histogram, right).histogram.compact()
    assert restored == reduce_resolution(left, schema).compact()


@given(histograms(zero=True), histograms(zero=True))
def test_running_sum_of_whole_counts_is_the_sum(left: FloatHistogram, right: FloatHistogram) -> None:
    running = HistogramSum(left)
    running.add(right)
    assert running.value.compact() == add(left, right).histogram.compact()


@given(histograms(zero=True), histograms(zero=True))
def test_counter_that_grew_was_not_reset(left: FloatHistogram, right: FloatHistogram) -> None:
    assert not is_reset(add(left, right).histogram, left)
