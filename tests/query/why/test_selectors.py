"""Selectors that find nothing: names, labels, and times."""

import numpy as np
import pytest

from query import QueryWindow
from tests.query.why.asking import ENGINE, cause, diagnosis, store_of, told
from tsdb import Store, labels_from

REQUESTS = store_of(
    """
    http_requests_total{job="api",code="200"} 0+10x10
    http_requests_total{job="api",code="500"} 0+1x10
    http_requests_total{job="web",code="200"} 0+5x10
    up{job="api",instance="a:80"} 1x10
    """
)


def test_answer_that_is_there_has_no_findings() -> None:
    found = diagnosis(REQUESTS, "sum(up)", 600)
    assert not found.empty
    assert not found.findings


def test_unknown_metric_is_told_with_the_nearest() -> None:
    assert told(REQUESTS, "sum(rate(http_request_total[5m]))") == (
        "unknown_metric",
        "http_request_total",
        "no series of http_request_total is stored; did you mean http_requests_total?",
    )


def test_name_that_is_only_a_part_is_near() -> None:
    assert "did you mean http_requests_total?" in cause(REQUESTS, "requests").text


def test_name_like_no_other_has_no_suggestion() -> None:
    assert cause(REQUESTS, "zzz").text == "no series of zzz is stored"


def test_pattern_that_no_name_satisfies() -> None:
    finding = cause(REQUESTS, '{__name__=~"https_.*"}')
    assert finding.text == 'none of the 2 metric names satisfies __name__=~"https_.*"'


def test_all_conditions_of_a_name_are_told() -> None:
    text = cause(REQUESTS, '{__name__=~"u.*",__name__!="up"}').text
    assert text.endswith('satisfies __name__=~"u.*" and __name__!="up"')


def test_store_of_series_without_names_is_not_empty() -> None:
    assert cause(store_of("{job='a'} 1"), "up").kind.value == "unknown_metric"


def test_empty_store_is_told_as_such() -> None:
    assert told(Store(retention_ms=None), "up") == ("empty_store", "up", "no series is stored at all")


def test_unknown_label_is_told_with_the_nearest() -> None:
    assert told(REQUESTS, 'http_requests_total{cod="200"}') == (
        "unknown_label",
        'http_requests_total{cod="200"}',
        "no series of http_requests_total has the label cod; did you mean code?",
    )


def test_unknown_label_like_no_other_is_told_with_those_that_are_there() -> None:
    text = cause(REQUESTS, 'http_requests_total{zone=~".+"}').text
    assert text == "no series of http_requests_total has the label zone; there are code, job"


def test_unknown_value_is_told_with_those_that_are_there_and_the_nearest() -> None:
    assert told(REQUESTS, 'http_requests_total{code="501"}') == (
        "unknown_value",
        'http_requests_total{code="501"}',
        'no series of http_requests_total satisfies code="501": code is "200", "500"; did you mean 500?',
    )


def test_pattern_that_no_value_satisfies() -> None:
    finding = cause(REQUESTS, 'http_requests_total{code=~"4.."}')
    assert finding.kind.value == "unknown_value"
    assert 'code is "200", "500"' in finding.text


def test_many_values_are_cut_short() -> None:
    store = store_of("\n".join(f'x{{pod="p{number}"}} 1' for number in range(8)))
    assert cause(store, 'x{pod="none"}', 0).text.endswith('pod is "p0", "p1", "p2", "p3", "p4" and 3 more')


@pytest.mark.parametrize("matcher", ['job!~"api|web"', 'job=""', 'job!~".+"'])
def test_matcher_that_shuts_all_series_out(matcher: str) -> None:
    finding = cause(REQUESTS, f"http_requests_total{{{matcher}}}")
    assert finding.kind.value == "excluded"
    assert finding.text.endswith('all of them have job "api", "web"')


def test_each_matcher_that_no_series_satisfies_is_told() -> None:
    found = diagnosis(REQUESTS, 'http_requests_total{job="db",code="301"}', 600)
    told = [finding.text.split(":")[0] for finding in found.findings]
    whose = "no series of http_requests_total satisfies"
    assert told == [f'{whose} job="db"', f'{whose} code="301"']


def test_matchers_that_no_series_satisfies_together_are_told_with_the_one_to_blame() -> None:
    assert told(REQUESTS, 'http_requests_total{job="web",code="500"}') == (
        "combination",
        'http_requests_total{code="500",job="web"}',
        "no series of http_requests_total has all of the labels: of 1 series with "
        'job="web" none satisfies code="500"; there, code is "200"',
    )


def test_selector_without_a_name_is_told_of_all_series() -> None:
    assert 'no stored series satisfies job="ap": job is "api", "web"' in cause(REQUESTS, '{job="ap"}').text


def test_sample_before_the_lookback_is_told_with_its_age() -> None:
    assert told(REQUESTS, "up", 1200) == (
        "no_sample",
        "up",
        "1 series is stored, but none has a sample at 1970-01-01T00:20:00Z: the last sample is from "
        "1970-01-01T00:10:00Z, 10m earlier, and a query looks back 5m",
    )


def test_first_sample_that_is_later_is_told() -> None:
    text = cause(REQUESTS, "up offset 1h").text
    assert "at 1969-12-31T23:10:00Z, which @ and offset point to" in text
    assert text.endswith("the first sample is from 1970-01-01T00:00:00Z, 50m later")


def test_gap_is_told_from_both_of_its_ends() -> None:
    store = store_of("x 1 _x20 2")
    text = cause(store, "x", 600).text
    assert "from 1970-01-01T00:00:00Z, 10m earlier" in text
    assert text.endswith("the next is from 1970-01-01T00:21:00Z")


def test_stale_series_is_told_with_the_time_of_its_end() -> None:
    store = store_of("x 1 1 1 stale")
    assert told(store, "x", 200) == (
        "stale",
        "x",
        "1 series is stored, but none has a sample at 1970-01-01T00:03:20Z: stale since 1970-01-01T00:03:00Z "
        "(the target, or the series in it, went away); the last sample is from 1970-01-01T00:02:00Z, "
        "1m20s earlier",
    )


def test_first_of_several_stale_markers_counts() -> None:
    assert "stale since 1970-01-01T00:01:00Z" in cause(store_of("x 1 stale _ stale"), "x", 200).text


def test_nearest_later_sample_is_told_whosever_it_is() -> None:
    store = store_of("x{a='1'} _x30 1\nx{a='2'} _x20 1")
    assert cause(store, "x", 0).text.endswith("the first sample is from 1970-01-01T00:20:00Z, 20m later")


def test_series_that_ended_last_is_the_one_told() -> None:
    store = store_of("x{a='1'} 1 stale\nx{a='2'} 1 1 1 stale")
    assert "stale since 1970-01-01T00:03:00Z" in cause(store, "x", 200).text


def test_native_histogram_that_went_stale_is_told() -> None:
    store = store_of("x {{schema:0 sum:1 count:1 buckets:[1]}}x2 stale")
    assert "stale since 1970-01-01T00:03:00Z" in cause(store, "x", 200).text


def test_time_before_the_retention_is_told() -> None:
    store = Store(retention_ms=3_600_000)
    store.append(store.series_ids([labels_from({"__name__": "up"})]), 7_200_000, np.array([1.0]))
    found = ENGINE.why(store.snapshot(7_200_000), "up offset 90m", QueryWindow(7_200_000, 7_200_000, 0))
    (finding,) = found.findings
    assert finding.kind.value == "not_kept"
    assert finding.text.endswith("nothing from before 1970-01-01T01:00:00Z is kept any more")


def test_range_query_is_empty_only_if_no_step_has_a_sample() -> None:
    snapshot = REQUESTS.snapshot(0)
    assert not ENGINE.why(snapshot, "up", QueryWindow(0, 3_600_000, 60_000)).empty
    found = ENGINE.why(snapshot, "up", QueryWindow(3_600_000, 7_200_000, 60_000))
    assert "from 1970-01-01T01:00:00Z to 1970-01-01T02:00:00Z" in found.findings[0].text
    assert "from 1970-01-01T00:10:00Z, 50m earlier" in found.findings[0].text


def test_samples_that_all_lie_between_the_steps() -> None:
    found = ENGINE.why(store_of("x _x30 1").snapshot(0), "x", QueryWindow(0, 7_200_000, 3_600_000))
    assert found.findings[0].text.endswith(
        "the last sample is from 1970-01-01T00:30:00Z, and a query looks back 5m"
    )


def test_smoothing_between_kinds_of_samples() -> None:
    store = store_of("x 1 {{schema:0 sum:1 count:1 buckets:[1]}}")
    assert cause(store, "x smoothed", 30).kind.value == "wrong_samples"


def test_span_points_into_the_query() -> None:
    query = "sum(up) + sum(dwn)"
    found = diagnosis(REQUESTS, query, 600)
    (finding,) = found.findings
    assert query[finding.span.start : finding.span.end] == "dwn"


def test_raw_samples_of_a_range_are_explained() -> None:
    assert cause(REQUESTS, "nothing[5m]").kind.value == "unknown_metric"
    assert cause(REQUESTS, "nothing[5m:1m]").kind.value == "unknown_metric"
