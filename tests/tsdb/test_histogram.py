import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsdb.histogram import (
    CUSTOM_BUCKETS,
    Bucket,
    Buckets,
    CounterReset,
    FloatHistogram,
    exponential_bound,
)
from tsdb.numbers import format_number

EXPONENTIAL = FloatHistogram(
    schema=0,
    count=10,
    sum=3.5,
    zero_threshold=0.25,
    zero_count=2,
    positive=Buckets.dense(-2, [1, 0, 3]),
    negative=Buckets.dense(0, [4]),
)
CUSTOM = FloatHistogram(
    schema=CUSTOM_BUCKETS,
    count=6,
    sum=20,
    positive=Buckets.dense(0, [1, 2, 3]),
    custom_values=(0.5, 5.0),
)


@pytest.mark.parametrize(
    ("index", "schema", "bound"),
    [
        (0, 0, 1.0),
        (1, 0, 2.0),
        (-1, 0, 0.5),
        (1, -1, 4.0),
        (-1, -4, 2.0**-16),
        (1, 1, 1.414213562373095),
        (2, 1, 2.0),
        (-1, 2, 0.8408964152537144),
        (1024, 0, 1.7976931348623157e308),
        (1025, 0, math.inf),
        (64, -4, 1.7976931348623157e308),
        (65, -4, math.inf),
        (262144, 8, 1.7976931348623157e308),
    ],
)
def test_bound_is_the_one_of_upstream(index: int, schema: int, bound: float) -> None:
    assert exponential_bound(index, schema) == bound


@given(st.integers(-4, 8), st.integers(-1000, 200))
def test_bounds_divide_each_power_of_two_evenly_on_a_logarithmic_scale(schema: int, index: int) -> None:
    exact = 2.0 ** (index * 2.0**-schema) if abs(index * 2.0**-schema) < 1000 else None
    if exact is not None:
        assert exponential_bound(index, schema) == pytest.approx(exact, rel=1e-14)


def test_buckets_ascend_from_negative_over_zero_to_positive() -> None:
    assert list(EXPONENTIAL.buckets()) == [
        Bucket(-1.0, -0.5, True, False, 4),
        Bucket(-0.25, 0.25, True, True, 2),
        Bucket(0.25, 0.25, False, True, 1),
        Bucket(0.25, 0.5, False, True, 0),
        Bucket(0.5, 1.0, False, True, 3),
    ]


def test_bucket_is_cut_at_the_zero_threshold() -> None:
    histogram = FloatHistogram(zero_threshold=0.75, zero_count=1, positive=Buckets.dense(0, [1]))
    assert list(histogram.buckets())[1] == Bucket(0.75, 1.0, False, True, 1)


def test_custom_buckets_reach_from_minus_to_plus_infinity() -> None:
    assert list(CUSTOM.buckets()) == [
        Bucket(-math.inf, 0.5, True, True, 1),
        Bucket(0.5, 5.0, False, True, 2),
        Bucket(5.0, math.inf, False, True, 3),
    ]


def test_only_the_first_custom_bucket_includes_its_lower_bound() -> None:
    histogram = FloatHistogram(
        schema=CUSTOM_BUCKETS, positive=Buckets.dense(0, [1, 1]), custom_values=(-2.0, -1.0)
    )
    assert [bucket.lower_inclusive for bucket in histogram.buckets()] == [True, False]


@pytest.mark.parametrize(
    ("lower_inclusive", "upper_inclusive", "rule"),
    [(False, True, 0), (True, False, 1), (False, False, 2), (True, True, 3)],
)
def test_boundary_rule_of_the_api(lower_inclusive: bool, upper_inclusive: bool, rule: int) -> None:
    assert Bucket(0, 1, lower_inclusive, upper_inclusive, 1).boundary_rule == rule


def test_text_leaves_out_empty_buckets() -> None:
    assert str(EXPONENTIAL) == "{count:10, sum:3.5, [-1,-0.5):4, [-0.25,0.25]:2, (0.125,0.25]:1, (0.5,1]:3}"


def test_text_of_custom_buckets() -> None:
    assert str(CUSTOM) == "{count:6, sum:20, [-Inf,0.5]:1, (0.5,5]:2, (5,+Inf]:3}"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (100.0, "100"),
        (123400.0, "123400"),
        (1e6, "1e+06"),
        (2349209.324, "2.349209324e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-1.5e-7, "-1.5e-07"),
        (1e100, "1e+100"),
        (math.inf, "+Inf"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_are_printed_as_go_does(number: float, text: str) -> None:
    assert format_number(number) == text


@given(st.floats(allow_nan=False))
def test_printed_number_reads_back(number: float) -> None:
    assert float(format_number(number)) == number


def test_multiplication_scales_all_counts_and_the_sum() -> None:
    doubled = EXPONENTIAL.multiply(2)
    assert str(doubled) == "{count:20, sum:7, [-1,-0.5):8, [-0.25,0.25]:4, (0.125,0.25]:2, (0.5,1]:6}"
    assert doubled.counter_reset_hint is CounterReset.UNKNOWN


def test_negative_factor_makes_a_gauge() -> None:
    assert EXPONENTIAL.multiply(-1).counter_reset_hint is CounterReset.GAUGE
    assert EXPONENTIAL.divide(-1).counter_reset_hint is CounterReset.GAUGE


def test_division_by_zero_leaves_no_buckets() -> None:
    divided = EXPONENTIAL.divide(0)
    assert (divided.count, divided.sum, divided.zero_count) == (math.inf, math.inf, math.inf)
    assert not len(divided.positive)
    assert not len(divided.negative)


def test_histograms_that_differ_in_an_empty_bucket_are_not_equal_until_compact() -> None:
    with_empty = FloatHistogram(count=1, positive=Buckets.dense(0, [1, 0]))
    without = FloatHistogram(count=1, positive=Buckets.dense(0, [1]))
    assert with_empty != without
    assert with_empty.compact() == without
    assert hash(with_empty.compact()) == hash(without)


def test_hint_does_not_matter_for_equality() -> None:
    assert EXPONENTIAL.with_hint(CounterReset.GAUGE) == EXPONENTIAL


def test_histograms_with_a_nan_sum_are_equal() -> None:
    assert FloatHistogram(sum=math.nan) == FloatHistogram(sum=math.nan)


@pytest.mark.parametrize(
    "histogram",
    [
        FloatHistogram(count=math.inf),
        FloatHistogram(sum=-math.inf),
        FloatHistogram(zero_count=math.inf),
        FloatHistogram(positive=Buckets.dense(0, [math.inf])),
        FloatHistogram(negative=Buckets.dense(0, [math.inf])),
    ],
)
def test_overflow_is_seen_in_each_field(histogram: FloatHistogram) -> None:
    assert histogram.has_overflow()


def test_finite_histogram_has_no_overflow() -> None:
    assert not EXPONENTIAL.has_overflow()


def test_compact_keeps_the_arrays_of_a_compact_side() -> None:
    side = Buckets.dense(0, np.array([1.0, 2.0]))
    assert side.compact() is side
