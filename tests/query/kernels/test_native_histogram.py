import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.kernels.native_histogram import NanEffect, average, fraction, quantile, trimmed, variance
from tsdb.histogram import CUSTOM_BUCKETS, Buckets, FloatHistogram

# (0.5, 1]: 4, (1, 2]: 8, (2, 4]: 4
POSITIVE = FloatHistogram(count=16, sum=32, positive=Buckets.dense(0, [4, 8, 4]))
NEGATIVE = FloatHistogram(count=16, sum=-32, negative=Buckets.dense(0, [4, 8, 4]))
ZERO = FloatHistogram(count=4, sum=0, zero_threshold=0.5, zero_count=4)
# (-Inf, 2]: 4, (2, 4]: 4, (4, +Inf]: 2
CUSTOM = FloatHistogram(
    schema=CUSTOM_BUCKETS, count=10, sum=30, positive=Buckets.dense(0, [4, 4, 2]), custom_values=(2.0, 4.0)
)


@pytest.mark.parametrize(
    ("q", "histogram", "expected"),
    [
        (0.5, POSITIVE, math.sqrt(2)),  # half way on a logarithmic scale
        (0.25, POSITIVE, 1.0),
        (0, POSITIVE, 0.5),
        (1, POSITIVE, 4.0),
        (0.5, NEGATIVE, -math.sqrt(2)),
        (0.75, NEGATIVE, -1.0),
        (0.25, ZERO, -0.25),
        (0.2, CUSTOM, 1.0),  # custom buckets are linear, and the first begins at 0
        (0.6, CUSTOM, 3.0),
        (0.95, CUSTOM, 4.0),  # nothing is known inside the last
        (-0.1, POSITIVE, -math.inf),
        (1.1, POSITIVE, math.inf),
    ],
)
def test_quantile(q: float, histogram: FloatHistogram, expected: float) -> None:
    value, effect = quantile(q, histogram)
    assert value == pytest.approx(expected)
    assert effect is NanEffect.NONE


def test_quantile_in_the_zero_bucket_of_a_positive_histogram_is_not_negative() -> None:
    histogram = FloatHistogram(count=8, zero_threshold=0.5, zero_count=4, positive=Buckets.dense(0, [4]))
    assert quantile(0.25, histogram)[0] == 0.25


def test_quantile_below_zero_in_the_first_custom_bucket_is_its_bound() -> None:
    histogram = FloatHistogram(
        schema=CUSTOM_BUCKETS, count=4, positive=Buckets.dense(0, [4]), custom_values=(-2.0,)
    )
    assert quantile(0.5, histogram)[0] == -2.0


@pytest.mark.parametrize("q", [0.5, math.nan])
def test_quantile_of_nothing_is_nan(q: float) -> None:
    assert math.isnan(quantile(q, FloatHistogram() if q == 0.5 else POSITIVE)[0])


def test_quantile_among_nan_observations_is_nan() -> None:
    with_nan = FloatHistogram(count=20, sum=math.nan, positive=POSITIVE.positive)
    value, effect = quantile(0.9, with_nan)
    assert math.isnan(value)
    assert effect is NanEffect.RESULT_IS_NAN


def test_quantile_below_nan_observations_is_skewed() -> None:
    with_nan = FloatHistogram(count=20, sum=math.nan, positive=POSITIVE.positive)
    assert quantile(0.1, with_nan)[1] is NanEffect.SKEWED


@pytest.mark.parametrize(
    ("lower", "upper", "histogram", "expected"),
    [
        (-math.inf, math.inf, POSITIVE, 1.0),
        (1, 2, POSITIVE, 0.5),
        (math.sqrt(2), 2, POSITIVE, 0.25),
        (-2, -math.sqrt(2), NEGATIVE, 0.25),
        (-0.25, 0, ZERO, 0.25),
        (3, 4, CUSTOM, 0.2),
        (-math.inf, 1, CUSTOM, 0.2),
        (5, math.inf, CUSTOM, 0.2),
        (2, 1, POSITIVE, 0.0),
        (7, 9, POSITIVE, 0.0),
    ],
)
def test_fraction(lower: float, upper: float, histogram: FloatHistogram, expected: float) -> None:
    part, effect = fraction(lower, upper, histogram)
    assert part == pytest.approx(expected)
    assert effect is NanEffect.NONE


def test_fraction_does_not_count_nan_observations_as_inside() -> None:
    with_nan = FloatHistogram(count=20, sum=math.nan, positive=POSITIVE.positive)
    assert fraction(-math.inf, math.inf, with_nan) == (0.8, NanEffect.SKEWED)


@pytest.mark.parametrize("bounds", [(math.nan, 1.0), (1.0, math.nan)])
def test_fraction_between_nan_is_nan(bounds: tuple[float, float]) -> None:
    assert math.isnan(fraction(*bounds, POSITIVE)[0])


def test_fraction_of_nothing_is_nan() -> None:
    assert math.isnan(fraction(0, 1, FloatHistogram())[0])


def test_average() -> None:
    assert average(POSITIVE) == 2.0
    assert math.isnan(average(FloatHistogram()))


def test_variance_takes_observations_for_the_geometric_middle_of_their_bucket() -> None:
    expected = (
        4 * (math.sqrt(0.5) - 2) ** 2 + 8 * (math.sqrt(2) - 2) ** 2 + 4 * (math.sqrt(8) - 2) ** 2
    ) / 16
    assert variance(POSITIVE) == pytest.approx(expected)


def test_variance_takes_observations_in_the_zero_bucket_for_zero() -> None:
    assert variance(FloatHistogram(count=4, sum=8, zero_threshold=0.5, zero_count=4)) == 4.0


def test_variance_is_the_same_on_the_negative_side() -> None:
    assert variance(NEGATIVE) == pytest.approx(variance(POSITIVE))


def text(histogram: FloatHistogram, limit: float, *, keep_below: bool) -> str:
    return str(trimmed(histogram, limit, keep_below=keep_below))


def test_trimming_at_a_bound_keeps_whole_buckets() -> None:
    below = trimmed(POSITIVE, 2, keep_below=True)
    assert below.positive == Buckets.dense(0, [4, 8])
    assert below.count == 12
    assert below.sum == pytest.approx(4 * math.sqrt(0.5) + 8 * math.sqrt(2))
    above = trimmed(POSITIVE, 2, keep_below=False)
    assert above.positive == Buckets.dense(2, [4])
    assert above.sum == pytest.approx(4 * math.sqrt(8))


def test_trimming_inside_a_bucket_keeps_a_part_of_it() -> None:
    below = trimmed(POSITIVE, math.sqrt(2), keep_below=True)
    assert below.positive.counts.tolist() == pytest.approx([4, 4])


def test_trimming_nothing_keeps_count_and_sum_as_stated() -> None:
    assert trimmed(POSITIVE, 4, keep_below=True) is POSITIVE
    assert trimmed(POSITIVE, 0.5, keep_below=False) is POSITIVE


def test_trimming_the_zero_bucket_is_linear() -> None:
    assert text(ZERO, 0.25, keep_below=True) == "{count:3, sum:-0.375, [-0.5,0.5]:3}"
    assert text(ZERO, 0.25, keep_below=False) == "{count:1, sum:0.375, [-0.5,0.5]:1}"


def test_zero_bucket_of_a_positive_histogram_is_trimmed_from_zero_on() -> None:
    histogram = FloatHistogram(count=8, zero_threshold=0.5, zero_count=4, positive=Buckets.dense(0, [4]))
    assert trimmed(histogram, 0.25, keep_below=True).zero_count == 2


def test_zero_bucket_between_both_sides_is_trimmed_over_its_whole_width() -> None:
    histogram = FloatHistogram(
        count=12,
        zero_threshold=0.5,
        zero_count=4,
        positive=Buckets.dense(0, [4]),
        negative=Buckets.dense(0, [4]),
    )
    assert trimmed(histogram, 0.25, keep_below=True).zero_count == 3


@pytest.mark.parametrize(
    ("limit", "keep_below", "expected"),
    [
        (3.0, True, "{count:6, sum:9, [-Inf,2]:4, (2,4]:2}"),
        (3.0, False, "{count:4, sum:15, (2,4]:2, (4,+Inf]:2}"),
        (1.0, True, "{count:2, sum:1, [-Inf,2]:2}"),
        (1.0, False, "{count:8, sum:23, [-Inf,2]:2, (2,4]:4, (4,+Inf]:2}"),
        (5.0, True, "{count:8, sum:16, [-Inf,2]:4, (2,4]:4}"),
        (5.0, False, "{count:2, sum:10, (4,+Inf]:2}"),
    ],
)
def test_trimming_custom_buckets(limit: float, keep_below: bool, expected: str) -> None:
    assert text(CUSTOM, limit, keep_below=keep_below) == expected


@st.composite
def histograms(draw: st.DrawFn) -> FloatHistogram:
    counts = st.lists(st.integers(1, 50).map(float), min_size=1, max_size=6)
    positive = Buckets.dense(draw(st.integers(-3, 3)), draw(counts))
    negative = Buckets.dense(draw(st.integers(-3, 3)), draw(counts))
    total = float(positive.counts.sum() + negative.counts.sum())
    return FloatHistogram(
        schema=draw(st.integers(-1, 3)), count=total, sum=1.0, positive=positive, negative=negative
    )


@given(histograms(), st.floats(0.01, 0.99))
def test_fraction_inverts_quantile(histogram: FloatHistogram, q: float) -> None:
    value, _ = quantile(q, histogram)
    assert fraction(-math.inf, value, histogram)[0] == pytest.approx(q, abs=1e-6)


@given(histograms(), st.floats(-100, 100))
def test_both_parts_of_a_trim_make_up_the_whole(histogram: FloatHistogram, limit: float) -> None:
    below, above = (trimmed(histogram, limit, keep_below=side) for side in (True, False))
    assert below.count + above.count == pytest.approx(histogram.count)
    assert below.count == pytest.approx(fraction(-math.inf, limit, histogram)[0] * histogram.count, abs=1e-6)
