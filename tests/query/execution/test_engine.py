import threading

import pytest

from query import (
    Control,
    Engine,
    EngineOptions,
    PlanError,
    QueryCanceledError,
    QueryTimeoutError,
    RangeMatrix,
    ScalarPoint,
    StringPoint,
    TooManySamplesError,
)
from tests.query.execution.asking import ENGINE, every, instants, matrix, snapshot_of
from tsdb import Store, labels_from
from tsdb.histogram import FloatHistogram


def test_scalar_and_string_answer_as_points() -> None:
    snapshot = snapshot_of({})
    assert ENGINE.instant(snapshot, "1 + 1", 4_000).value == ScalarPoint(4_000, 2.0)
    assert ENGINE.instant(snapshot, '"text"', 4_000).value == StringPoint(4_000, "text")


def test_scalar_over_a_range_is_one_series_without_labels() -> None:
    assert matrix(ENGINE.range(snapshot_of({}), "time()", 0, 2_000, 1_000)) == {
        "": {0: 0.0, 1_000: 1.0, 2_000: 2.0}
    }


def test_range_includes_its_end_only_on_a_step() -> None:
    result = ENGINE.range(snapshot_of({}), "1", 0, 2_500, 1_000)
    assert isinstance(result.value, RangeMatrix)
    assert result.value.steps_ms.tolist() == [0, 1_000, 2_000]


def test_range_result_is_sorted_by_labels() -> None:
    snapshot = snapshot_of({f"x/{name}": [(0, 1.0)] for name in "cab"})
    assert list(matrix(ENGINE.range(snapshot, "x", 0, 0, 1_000))) == ["x/a", "x/b", "x/c"]


def test_instant_result_keeps_the_order_of_sort() -> None:
    snapshot = snapshot_of({"x/a": [(0, 2.0)], "x/b": [(0, 3.0)], "x/c": [(0, 1.0)]})
    assert list(instants(ENGINE.instant(snapshot, "sort_desc(x)", 0))) == ["x/b", "x/a", "x/c"]


@pytest.mark.parametrize(("query", "kind"), [("x[5m]", "range vector"), ('"text"', "string")])
def test_range_query_of_a_wrong_type_is_refused_with_upstreams_words(query: str, kind: str) -> None:
    with pytest.raises(PlanError) as refusal:
        ENGINE.range(snapshot_of({}), query, 0, 1_000, 1_000)
    assert str(refusal.value) == (
        f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector'
    )


def test_query_stops_before_it_holds_more_samples_than_allowed() -> None:
    snapshot = snapshot_of({f"x/{number}": [(0, 1.0)] for number in range(10)})
    assert instants(Engine(EngineOptions(max_samples=10)).instant(snapshot, "x", 0))
    with pytest.raises(TooManySamplesError, match="too many samples into memory in query execution"):
        Engine(EngineOptions(max_samples=9)).instant(snapshot, "x", 0)


def test_canceled_query_ends_and_an_expired_one_says_so() -> None:
    control = Control()
    thread = threading.Thread(target=control.cancel)
    thread.start()
    thread.join()
    with pytest.raises(QueryCanceledError, match="query was canceled"):
        ENGINE.instant(snapshot_of({}), "1", 0, control=control)
    control = Control()
    control.expire()
    control.cancel()  # what stopped a query first is what it tells
    with pytest.raises(QueryTimeoutError, match="query timed out"):
        ENGINE.instant(snapshot_of({}), "1", 0, control=control)


def test_statistics_count_every_sample_of_every_window() -> None:
    snapshot = snapshot_of({"x": every(1_000, [1.0] * 10)})
    assert ENGINE.range(snapshot, "sum_over_time(x[3s])", 5_000, 8_000, 1_000).stats.total_samples == 12
    assert ENGINE.instant(snapshot, "x", 5_000).stats.total_samples == 1


def test_remark_made_twice_is_told_once_with_the_later_place() -> None:
    snapshot = snapshot_of({"x": every(1_000, [1.0, 2.0])})
    infos = ENGINE.instant(snapshot, "rate(x[1m])\n+ rate(x[2m])", 1_000).annotations.infos
    assert [info[-5:] for info in infos] == ["(2:8)"]


def test_part_that_is_the_same_at_every_step_is_shown_at_every_step() -> None:
    snapshot = snapshot_of({"x": every(1_000, [1.0, 2.0, 3.0])})
    assert matrix(ENGINE.range(snapshot, "x - x @ 1", 0, 2_000, 1_000)) == {
        "": {0: -1.0, 1_000: 0.0, 2_000: 1.0}
    }


def test_negation_drops_the_name() -> None:
    assert instants(ENGINE.instant(snapshot_of({"x/a": [(0, 2.0)]}), "-x", 0)) == {"/a": -2.0}


def test_statistics_of_histograms_keep_type_and_unit() -> None:
    store = Store(retention_ms=None)
    (series,) = store.series_ids([labels_from({"__name__": "h", "__type__": "histogram"})]).tolist()
    store.append_histograms(series, [1_000], [FloatHistogram(count=3.0, sum=6.0)])
    result = ENGINE.instant(store.snapshot(0), "histogram_count(h)", 1_000)
    assert instants(result) == {"/histogram": 3.0}
