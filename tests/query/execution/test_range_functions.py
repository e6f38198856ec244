import numpy as np
import pytest

from query import Engine, EngineOptions, EvaluationError
from query.language import EVERYTHING
from tests.query.execution.asking import ENGINE, every, instants, matrix, raw, snapshot_of
from tsdb import ABSENT, STALE, Store, labels_from


def test_sample_at_exactly_the_start_of_the_range_is_excluded() -> None:
    snapshot = snapshot_of({"x": every(1_000, [1.0, 2.0, 3.0])})
    assert instants(ENGINE.instant(snapshot, "sum_over_time(x[2s])", 2_000)) == {"": 5.0}


def test_sample_at_the_end_of_the_range_is_included() -> None:
    snapshot = snapshot_of({"x": every(1_000, [1.0, 2.0, 3.0])})
    assert raw(ENGINE.instant(snapshot, "x[1s]", 2_000)) == {"x": [(2_000, 3.0)]}


def test_range_holds_neither_stale_markers_nor_what_they_hide() -> None:
    snapshot = snapshot_of({"x": [(0, 1.0), (1_000, float(STALE)), (2_000, 3.0)]})
    assert raw(ENGINE.instant(snapshot, "x[5s]", 2_000)) == {"x": [(0, 1.0), (2_000, 3.0)]}


def test_rate_needs_two_samples() -> None:
    snapshot = snapshot_of({"x_total": every(10_000, [1.0, 2.0, 3.0])})
    answer = matrix(ENGINE.range(snapshot, "rate(x_total[20s])", 0, 30_000, 10_000))
    assert list(answer[""]) == [10_000, 20_000]


def test_rate_of_a_regular_counter_reaches_to_both_bounds() -> None:
    snapshot = snapshot_of({"x_total": every(10_000, [100.0, 110.0, 120.0, 130.0])})
    assert instants(ENGINE.instant(snapshot, "increase(x_total[30s])", 30_000)) == {"": pytest.approx(30.0)}


def test_rate_counts_from_zero_after_a_reset() -> None:
    snapshot = snapshot_of({"x_total": every(10_000, [100.0, 120.0, 5.0, 10.0])})
    # 20 before the reset, 5 after it, 5 more: 30 over the 30 s between the samples.
    assert instants(ENGINE.instant(snapshot, "rate(x_total[40s])", 30_000)) == {"": pytest.approx(40 / 40)}


def test_counter_is_not_stretched_to_before_its_zero() -> None:
    snapshot = snapshot_of({"x_total": every(10_000, [0.0, 10.0, 20.0], start_ms=5_000)})
    # 20 in 20 s; zero at the first sample, so nothing is added before it, and 5 s after the last one.
    assert instants(ENGINE.instant(snapshot, "increase(x_total[30s])", 30_000)) == {"": pytest.approx(25.0)}


def test_prediction_is_not_rounded_to_what_a_float_can_tell_of_times_since_1970() -> None:
    today_ms = 1_700_000_000_000
    # A line that rises by 1 a millisecond and is zero at the evaluation; the mean time lies between two.
    snapshot = snapshot_of({"x": [(today_ms, -1333.0), (today_ms + 1_000, -333.0), (today_ms + 1_333, 0.0)]})
    answer = instants(ENGINE.instant(snapshot, "predict_linear(x[5s], 0)", today_ms + 1_333))
    assert answer == {"": pytest.approx(0.0, abs=1e-9)}


def test_columns_with_gaps_of_their_own_are_computed_from_their_own_samples() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids([labels_from({"__name__": "x", "i": i}) for i in "abc"])
    rows = np.array([[1.0, 1.0, ABSENT], [2.0, ABSENT, ABSENT], [3.0, 5.0, 7.0]])
    store.append_matrix(ids, np.array([0, 1_000, 2_000]), rows)
    answer = instants(ENGINE.instant(store.snapshot(0), "delta(x[2001ms])", 2_000))
    assert answer == {"/a": pytest.approx(2.001 / 2 * 2), "/b": pytest.approx(2.001 / 2 * 4)}
    assert instants(ENGINE.instant(store.snapshot(0), "count_over_time(x[1h])", 2_000)) == {
        "/a": 3.0,
        "/b": 2.0,
        "/c": 1.0,
    }


def test_average_is_finite_where_the_sum_is_not() -> None:
    snapshot = snapshot_of({"x": every(1_000, [1e308, 1e308, 1e308])})
    assert instants(ENGINE.instant(snapshot, "avg_over_time(x[10s])", 2_000)) == {"": pytest.approx(1e308)}
    assert instants(ENGINE.instant(snapshot, "sum_over_time(x[10s])", 2_000)) == {"": np.inf}


def test_predict_linear_counts_from_the_evaluation_not_from_the_offset_range() -> None:
    snapshot = snapshot_of({"x": every(10_000, [0.0, 10.0, 20.0])})
    # The line rises 1 a second and reaches 60 at the evaluation, 30 s later 90.
    assert instants(ENGINE.instant(snapshot, "predict_linear(x[1m] offset 30s, 30)", 60_000)) == {
        "": pytest.approx(90.0)
    }


def test_last_over_time_keeps_the_name_and_max_over_time_drops_it() -> None:
    snapshot = snapshot_of({"x": [(0, 1.0)]})
    assert instants(ENGINE.instant(snapshot, "last_over_time(x[1m])", 0)) == {"x": 1.0}
    assert instants(ENGINE.instant(snapshot, "max_over_time(x[1m])", 0)) == {"": 1.0}


@pytest.mark.parametrize("delayed", [False, True])
def test_series_that_differ_by_their_name_only_are_refused(delayed: bool) -> None:
    snapshot = snapshot_of({"x": [(0, 1.0)], "y": [(0, 1.0)]})
    engine = Engine(EngineOptions(delayed_name_removal=delayed))
    with pytest.raises(EvaluationError, match="vector cannot contain metrics with the same labelset"):
        engine.instant(snapshot, 'max_over_time({__name__=~"x|y"}[1m])', 0)


def test_delayed_name_removal_lets_names_be_used_until_the_end() -> None:
    snapshot = snapshot_of({"x": [(0, 1.0)], "y": [(0, 2.0)]})
    engine = Engine(EngineOptions(delayed_name_removal=True))
    query = 'label_replace(max_over_time({__name__=~"x|y"}[1m]), "was", "$1", "__name__", "(.*)")'
    assert instants(engine.instant(snapshot, query, 0)) == {"/x": 1.0, "/y": 2.0}


def test_absent_over_time_is_one_where_the_range_is_empty() -> None:
    snapshot = snapshot_of({"x": [(10_000, 1.0)]})
    answer = matrix(ENGINE.range(snapshot, 'absent_over_time(x{job="a"}[5s])', 0, 20_000, 10_000))
    assert answer == {"/a": {0: 1.0, 10_000: 1.0, 20_000: 1.0}}
    answer = matrix(ENGINE.range(snapshot, "absent_over_time(x[5s])", 0, 20_000, 10_000))
    assert answer == {"": {0: 1.0, 20_000: 1.0}}


def test_factor_out_of_its_bounds_is_refused_with_upstreams_words() -> None:
    snapshot = snapshot_of({"x": every(1_000, [1.0, 2.0])})
    engine = Engine(EngineOptions(parser=EVERYTHING))
    with pytest.raises(
        EvaluationError, match=r"^invalid trend factor\. Expected: 0 < tf < 1, got: 1\.000000$"
    ):
        engine.instant(snapshot, "double_exponential_smoothing(x[1m], 0.5, 1)", 1_000)


def test_rate_of_what_is_not_named_like_a_counter_is_remarked_with_its_place() -> None:
    snapshot = snapshot_of({"x": every(1_000, [1.0, 2.0])})
    result = ENGINE.instant(snapshot, "1 + rate(x[1m])", 1_000)
    assert result.annotations.infos == [
        "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
        '"x" (1:10)'
    ]


def test_quantile_out_of_bounds_is_remarked() -> None:
    snapshot = snapshot_of({"x": every(1_000, [1.0, 2.0])})
    result = ENGINE.instant(snapshot, "quantile_over_time(2, x[1m])", 1_000)
    assert instants(result) == {"": np.inf}
    assert result.annotations.warnings == [
        "PromQL warning: quantile value should be between 0 and 1, got 2 (1:20)"
    ]
