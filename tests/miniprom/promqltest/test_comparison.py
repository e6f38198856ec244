import math

import pytest

from miniprom.promqltest.comparison import ActualSeries, differences, is_sorted, numbers_agree
from miniprom.promqltest.histogram_notation import parse_histogram
from miniprom.promqltest.series import parse_series
from tsdb import STALE
from tsdb.histogram import CounterReset

ACTUAL = "schema:1 count:4 sum:6 z_bucket:2 z_bucket_w:0.5 buckets:[2 0 2] offset:3 n_buckets:[1]"


def histogram_differences(expected: str, hint: CounterReset = CounterReset.NOT_RESET) -> list[str]:
    actual = parse_histogram(ACTUAL).histogram.with_hint(hint)
    return differences([parse_series(f"h {{{{{expected}}}}}")], [0], [_series("h", actual)], ordered=False)


def _series(name: str, *samples: object) -> ActualSeries:
    labels = parse_series(name).labels
    return ActualSeries(labels, dict(enumerate(samples)))  # type: ignore[arg-type]  # samples of either kind


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1.0, 1.0),
        (math.nan, -math.nan),
        (math.inf, math.inf),
        (1e300, 1.000001e300),
        (float(STALE), float(STALE)),
        (0.0, -0.0),
    ],
)
def test_numbers_that_agree(expected: float, actual: float) -> None:
    assert numbers_agree(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1.0, 1.000003),
        (math.nan, 0.0),
        (math.inf, -math.inf),
        (math.inf, 1e308),
        (math.nan, float(STALE)),
        (0.0, 1e-300),
        (1.0, -1.0),
    ],
)
def test_numbers_that_differ(expected: float, actual: float) -> None:
    assert not numbers_agree(expected, actual)
    assert not numbers_agree(actual, expected)


def test_equal_histograms_agree_whatever_the_hint_if_none_is_stated() -> None:
    assert histogram_differences(ACTUAL) == []


def test_empty_buckets_are_no_difference() -> None:
    assert histogram_differences(ACTUAL.replace("[2 0 2] offset:3", "[0 0 2 0 2 0] offset:1")) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("schema:1", "schema:2"),
        ("count:4", "count:5"),
        ("sum:6", "sum:7"),
        ("z_bucket:2", "z_bucket:3"),
        ("z_bucket_w:0.5", "z_bucket_w:0.50000001"),
        ("buckets:[2 0 2]", "buckets:[2 1 2]"),
        ("buckets:[2 0 2]", "buckets:[2 0 3]"),
        ("offset:3", "offset:4"),
        ("n_buckets:[1]", "n_buckets:[2]"),
        ("n_buckets:[1]", ""),
        ("schema:1", "schema:1 counter_reset_hint:gauge"),
    ],
)
def test_any_other_field_is_a_difference(before: str, after: str) -> None:
    (problem,) = histogram_differences(ACTUAL.replace(before, after, 1))
    assert problem.startswith("h{} at 0s: expected {{")


def test_stated_hint_that_agrees_is_no_difference() -> None:
    assert histogram_differences(ACTUAL + " counter_reset_hint:gauge", CounterReset.GAUGE) == []


def test_float_in_place_of_a_histogram_is_a_difference() -> None:
    (problem,) = differences([parse_series("h {{count:4}}")], [0], [_series("h", 4.0)], ordered=False)
    assert problem == "h{} at 0s: expected {{count:4}}, got 4"


def test_series_that_stands_there_twice_is_a_difference() -> None:
    problems = differences([parse_series("m 4")], [0], [_series("m", 4.0)] * 2, ordered=False)
    assert problems == ["m{}: stands there twice"]


def test_stale_marker_is_not_nan() -> None:
    (problem,) = differences([parse_series("m NaN")], [0], [_series("m", float(STALE))], ordered=False)
    assert problem == "m{} at 0s: expected NaN, got stale"


def test_series_are_sorted_by_label_names_first() -> None:
    by_name, by_label = _series('m{a="1"}'), _series('{b="0"}')
    assert is_sorted([by_name, by_label])
    assert not is_sorted([by_label, by_name])
