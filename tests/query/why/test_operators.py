"""Operators, functions and aggregations that give nothing though they are given something."""

import pytest

from query import QueryWindow
from tests.query.why.asking import ENGINE, cause, diagnosis, store_of, told

STORE = store_of(
    """
    errors{pod="a",code="500"} 5x10
    errors{pod="b",code="500"} 7x10
    requests{pod="a",zone="z"} 10x10
    requests{pod="b",zone="z"} 20x10
    limits{node="n"} 3x10
    early 1x4
    late _x10 1
    zero{pod="a"} 0x10
    """
)


def test_comparison_is_told_with_the_nearest_value() -> None:
    assert told(STORE, "sum(errors > 6 < 7)") == (
        "filtered",
        "errors > 6 < 7",
        '< drops the only series; nearest to 7 is 7, of errors{code="500", pod="b"}',
    )


def test_number_may_stand_left() -> None:
    assert cause(STORE, "100 < errors").text == (
        '< drops all 2 series; nearest to 100 is 7, of errors{code="500", pod="b"}'
    )


def test_comparison_of_nan_is_told_as_such() -> None:
    assert cause(STORE, "errors * NaN > 1").text == "> drops all 2 series: every value is NaN"


def test_comparison_with_nan_is_told_with_what_makes_it() -> None:
    found = diagnosis(STORE, "errors > scalar(limit)", 600)
    assert [finding.kind.value for finding in found.findings] == ["filtered", "unknown_metric"]


def test_pairs_that_a_comparison_drops() -> None:
    assert cause(STORE, "errors > on (pod) requests").text == (
        '> drops all 2 pairs; the nearest, {pod="a"}, differs by 5, its left side less'
    )


def test_nan_among_the_values_is_not_the_nearest() -> None:
    store = store_of("x{a='1'} NaNx10\nx{a='2'} 3x10")
    assert cause(store, "x > 5").text == '> drops all 2 series; nearest to 5 is 3, of x{a="2"}'


def test_series_without_a_partner_are_no_pairs() -> None:
    assert cause(STORE, 'errors > on (pod) requests{pod="a"}').text.startswith("> drops the only pair;")
    assert cause(STORE, 'errors == on (pod) requests{pod="b"}').text.startswith("== drops the only pair;")


def test_pairs_that_meet_at_some_steps_are_compared() -> None:
    found = ENGINE.why(STORE.snapshot(0), "early > on () max(errors)", QueryWindow(0, 600_000, 60_000))
    assert [finding.kind.value for finding in found.findings] == ["filtered"]


def test_native_histogram_is_not_compared_with_a_number() -> None:
    store = store_of("h {{schema:0 sum:1 count:1 buckets:[1]}}x10")
    assert (
        cause(store, "h > 1").text
        == "> is not defined for native histograms here, and leaves the only series out"
    )


def test_labels_that_one_side_lacks_are_named_with_the_way_to_match() -> None:
    assert told(STORE, "errors / requests") == (
        "labels_differ",
        "errors / requests",
        'no series on the left (2) matches one on the right (2): code is "500" on the left only; '
        'zone is "z" on the right only; they match with on (pod)',
    )


def test_values_that_differ_are_named() -> None:
    store = store_of("left{job='a',x='1'} 1\nright{job='b',x='1'} 1")
    assert cause(store, "left + right", 0).text == (
        'no series on the left (1) matches one on the right (1): job is "a" on the left and "b" on '
        "the right; they match with ignoring (job)"
    )


def test_several_series_for_one_are_to_be_grouped() -> None:
    assert "match with ignoring (code, node, pod) group_left ()" in cause(STORE, "errors / limits").text


def test_sides_are_told_with_their_sizes() -> None:
    text = cause(STORE, "errors / limits").text
    assert text.startswith("no series on the left (2) matches one on the right (1): ")


def test_advice_needs_some_series_to_match_not_all() -> None:
    store = store_of("l{a='1',b='1'} 1\nl{a='2',b='1'} 1\nr{a='2',c='1'} 1")
    assert cause(store, "l + r", 0).text.endswith("they match with on (a)")


def test_several_series_on_both_sides_are_to_be_aggregated() -> None:
    store = store_of("l{a='1'} 1\nl{a='2'} 1\nr{b='1'} 1\nr{b='2'} 1")
    assert cause(store, "l + r", 0).text.endswith(
        "aggregate one side by the labels to match, then use ignoring (a, b)"
    )


@pytest.mark.parametrize("clause", ["on (pod, code)", "ignoring (zone)"])
def test_clause_that_is_there_is_mended(clause: str) -> None:
    assert "they match with" in cause(STORE, f"errors / {clause} requests").text


def test_advice_is_followed_by_an_answer() -> None:
    assert not diagnosis(STORE, "errors / on (pod) requests", 600).empty
    assert not diagnosis(STORE, "errors / ignoring (code, node, pod) group_left () limits", 600).empty


def test_and_needs_no_grouping() -> None:
    assert cause(STORE, "errors and limits").text.endswith("they match with ignoring (code, node, pod)")


def test_combination_of_labels_that_is_on_one_side_only() -> None:
    store = store_of("l{a='1',b='2'} 1\nl{a='2',b='1'} 1\nr{a='1',b='1'} 1\nr{a='2',b='2'} 1")
    assert cause(store, "l + r", 0).text.endswith("agree in all of a, b")


def test_sides_that_meet_at_no_step() -> None:
    snapshot = STORE.snapshot(0)
    found = ENGINE.why(snapshot, "early + late", QueryWindow(0, 600_000, 300_000))
    assert [finding.kind.value for finding in found.findings] == ["times_differ"]


@pytest.mark.parametrize("op", ["+", "<", "== 1 <"])
def test_operator_that_is_not_for_histograms(op: str) -> None:
    store = store_of("f 1x10\nh {{schema:0 sum:1 count:1 buckets:[1]}}x10")
    assert cause(store, f"f {op} on () h").kind.value == "wrong_samples"


def test_side_with_histograms_is_named() -> None:
    store = store_of("f 1x10\nh {{schema:0 sum:1 count:1 buckets:[1]}}x10")
    for query in ("f + h", "h + f"):
        assert cause(store, query).text.startswith("+ is not defined for native histograms here")


def test_histograms_that_are_equal_are_dropped_by_the_comparison() -> None:
    store = store_of("h {{schema:0 sum:1 count:1 buckets:[1]}}x10")
    assert cause(store, "h != h").text == "!= drops all pairs of native histograms: all are equal"


def test_choosing_by_value_leaves_histograms_out() -> None:
    store = store_of("h {{schema:0 sum:1 count:1 buckets:[1]}}x10")
    assert cause(store, "topk(3, h)").kind.value == "wrong_samples"


def test_empty_side_is_the_cause() -> None:
    assert told(STORE, "errors / nothing")[:2] == ("unknown_metric", "nothing")


def test_both_sides_of_or_are_told() -> None:
    found = diagnosis(STORE, "nothing or nix", 600)
    assert [finding.expr for finding in found.findings] == ["nothing", "nix"]


def test_same_part_on_both_sides_is_told_once() -> None:
    assert told(STORE, "nothing / nothing")[0] == "unknown_metric"


def test_unless_that_drops_everything() -> None:
    assert told(STORE, "errors unless on (pod) requests")[0] == "excluded_by_unless"


def test_right_side_of_unless_may_be_empty() -> None:
    assert told(STORE, "nothing unless nix")[1] == "nothing"


def test_absence_that_is_not() -> None:
    assert told(STORE, "absent(limits)") == (
        "not_absent",
        "absent(limits)",
        'absent() gives something only where there is no series; there is limits{node="n"}',
    )


@pytest.mark.parametrize("query", ["topk(0, errors)", "limitk(0, errors)", "limit_ratio(0, errors)"])
def test_choosing_none(query: str) -> None:
    assert cause(STORE, query).kind.value == "nothing_asked"


def test_clamp_to_nothing() -> None:
    assert cause(STORE, "clamp(errors, 5, 1)").kind.value == "nothing_asked"


def test_quantile_without_buckets_is_told_with_the_labels() -> None:
    finding = cause(STORE, "histogram_quantile(0.9, sum by (pod) (errors))")
    assert finding.kind.value == "no_buckets"
    assert "the 2 series given have the labels pod only; keep le in the aggregation" in finding.text


def test_function_of_histograms_leaves_floats_out() -> None:
    assert cause(STORE, "histogram_count(errors)").text == (
        "histogram_count() gives nothing for floats: it leaves 2 series out"
    )


def test_aggregation_of_histograms_that_has_no_result() -> None:
    store = store_of("h {{schema:0 sum:1 count:1 buckets:[1]}}x10")
    assert cause(store, "max(h)").text == "max has no result for native histograms: it leaves 1 series out"


def test_info_series_that_is_missing() -> None:
    store = store_of("up{job='a',instance='i'} 1x10\ntarget_info{job='b',instance='i',v='1'} 1x10")
    assert cause(store, 'info(up, {v="1"})').kind.value == "labels_differ"


@pytest.mark.parametrize(
    ("query", "kind", "expr"),
    [
        ("sum(zero) / sum(zero)", "not_a_number", "sum(zero) / sum(zero)"),
        ("max(zero / zero)", "not_a_number", "zero / zero"),
        ("sqrt(-errors)", "not_a_number", "sqrt(-errors)"),
        ("scalar(errors)", "not_one_series", "scalar(errors)"),
        ("vector(scalar(nothing))", "unknown_metric", "nothing"),
    ],
)
def test_answer_of_nan_is_explained_though_not_empty(query: str, kind: str, expr: str) -> None:
    found = diagnosis(STORE, query, 600)
    assert not found.empty
    assert [(finding.kind.value, finding.expr) for finding in found.findings] == [(kind, expr)]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("zero / zero", "both sides are 0, and 0 / 0 is NaN"),
        ("sum(zero) / vector(0)", "both sides are 0, and 0 / 0 is NaN"),
        ("sum(zero) / 0", "both sides are 0, and 0 / 0 is NaN"),
        ("zero % zero", "% gives NaN for all that it is given"),
        ("(errors / 0) / (errors / 0)", "/ gives NaN for all that it is given"),
    ],
)
def test_operators_that_make_nan(query: str, text: str) -> None:
    assert [finding.text for finding in diagnosis(STORE, query, 600).findings] == [text]


def test_number_that_is_nan_at_some_steps_is_no_finding() -> None:
    found = ENGINE.why(STORE.snapshot(0), "scalar(early)", QueryWindow(0, 1_200_000, 60_000))
    assert not found.findings


def test_histogram_without_observations_is_told() -> None:
    store = store_of('b_bucket{le="1"} 0x10\nb_bucket{le="+Inf"} 0x10')
    found = diagnosis(store, "histogram_quantile(0.9, rate(b_bucket[5m]))", 600)
    assert found.findings[0].text == "the histograms have no observations: all of their buckets are 0"


def test_nan_among_numbers_is_no_finding() -> None:
    assert not diagnosis(STORE, "errors or zero / zero", 600).findings
