"""Functions of ranges that give nothing."""

import pytest

from tests.query.why.asking import cause, store_of, told

STORE = store_of("x{a='1'} 0+1x10")


def test_range_with_one_sample_is_told_with_the_interval() -> None:
    assert told(STORE, "rate(x[50s])") == (
        "short_range",
        "x[50s]",
        "rate() needs two samples, and no series has more than one in a range of 50s: "
        "samples are 1m apart: write [4m]",
    )


def test_range_between_two_samples_is_told_as_too_short() -> None:
    finding = cause(STORE, "sum(increase(x[20s]))", 570)
    assert finding.kind.value == "short_range"
    assert "30s earlier, before the range; samples are 1m apart: write [4m]" in finding.text


def test_range_after_the_last_sample_is_not_told_as_too_short() -> None:
    finding = cause(STORE, "rate(x[1m])", 3600)
    assert finding.kind.value == "no_sample"
    assert finding.text.endswith("50m earlier, before the range of 1m")


def test_first_sample_of_a_series_needs_a_second() -> None:
    assert cause(STORE, "rate(x[5m])", 0).text.endswith("in a range of 5m: there has been no other yet")


def test_function_that_one_sample_is_enough_for_is_not_empty() -> None:
    with pytest.raises(AssertionError):
        cause(STORE, "max_over_time(x[50s])")


def test_extended_range_is_explained_too() -> None:
    assert cause(STORE, "rate(nothing[5m] anchored)").kind.value == "unknown_metric"


def test_subquery_with_one_step_is_told_with_its_step() -> None:
    assert cause(STORE, "rate(x[5m:4m])", 599).text == (
        "rate() needs two samples, and no series has more than one in a range of 5m: "
        "the subquery is evaluated every 4m"
    )


def test_subquery_without_a_step_in_its_range() -> None:
    finding = cause(STORE, "max_over_time(x[1m:10m])", 599)
    assert finding.kind.value == "short_range"
    assert "no multiple of the step 10m" in finding.text


def test_cause_inside_a_subquery_is_found() -> None:
    assert told(STORE, "max_over_time((x > 100)[5m:1m])")[:2] == ("filtered", "x > 100")


def test_absence_over_a_range_that_is_not() -> None:
    assert told(STORE, "absent_over_time(x[5m])")[:2] == ("not_absent", "absent_over_time(x[5m])")


def test_function_of_floats_leaves_histograms_out() -> None:
    store = store_of("h {{schema:0 sum:1 count:1 buckets:[1]}}x10")
    assert told(store, "deriv(h[5m])")[:2] == ("wrong_samples", "deriv(h[5m])")
