import pytest

from query import TooManySamplesError
from tests.query.execution.asking import ENGINE, every, instants, matrix, raw, snapshot_of


def test_subquery_steps_are_multiples_of_its_step_whatever_the_query_starts_at() -> None:
    snapshot = snapshot_of({"x": every(1_000, [float(value) for value in range(60)])})
    assert raw(ENGINE.instant(snapshot, "x[20s:10s]", 33_000)) == {"x": [(20_000, 20.0), (30_000, 30.0)]}


def test_subquery_range_is_left_open() -> None:
    snapshot = snapshot_of({"x": every(1_000, [float(value) for value in range(60)])})
    assert raw(ENGINE.instant(snapshot, "x[20s:10s]", 30_000)) == {"x": [(20_000, 20.0), (30_000, 30.0)]}


def test_subquery_without_a_step_uses_the_default() -> None:
    snapshot = snapshot_of({"x": every(10_000, [1.0] * 31)})
    assert instants(ENGINE.instant(snapshot, "count_over_time(x[5m:])", 300_000)) == {"": 5.0}


def test_subquery_before_the_epoch_is_aligned_downwards() -> None:
    snapshot = snapshot_of({"x": every(1_000, [1.0] * 10)})
    assert raw(ENGINE.instant(snapshot, "x[10s:3s]", 2_000)) == {"x": [(0, 1.0)]}


def test_offset_of_a_subquery_moves_its_range() -> None:
    snapshot = snapshot_of({"x": every(1_000, [float(value) for value in range(60)])})
    assert raw(ENGINE.instant(snapshot, "x[10s:5s] offset 20s", 50_000)) == {
        "x": [(25_000, 25.0), (30_000, 30.0)]
    }


def test_at_modifier_of_a_subquery_fixes_its_range_for_all_steps() -> None:
    snapshot = snapshot_of({"x": every(1_000, [float(value) for value in range(60)])})
    answer = matrix(ENGINE.range(snapshot, "sum_over_time(x[10s:5s] @ 30)", 0, 2_000, 1_000))
    assert answer == {"": {0: 55.0, 1_000: 55.0, 2_000: 55.0}}


def test_nested_subqueries_reach_back_by_both_ranges() -> None:
    snapshot = snapshot_of({"x": every(10_000, [1.0] * 61)})
    query = "sum_over_time(count_over_time(x[1m:10s])[2m:1m])"
    assert instants(ENGINE.instant(snapshot, query, 600_000)) == {"": 12.0}


def test_range_query_over_a_subquery_equals_its_instant_queries() -> None:
    snapshot = snapshot_of({"x": every(10_000, [float(value % 7) for value in range(100)])})
    query = "max_over_time(rate(x[1m])[3m:30s])"
    answer = matrix(ENGINE.range(snapshot, query, 300_000, 900_000, 50_000))[""]
    assert len(answer) == 13
    for time_ms, value in answer.items():
        assert instants(ENGINE.instant(snapshot, query, time_ms)) == {"": value}


@pytest.mark.parametrize("query", ["vector(1)[290y:1ms]", "sum_over_time(vector(1)[290y:1s])", "x[290y:1ms]"])
def test_a_subquery_of_more_steps_than_samples_may_be_held_is_refused(query: str) -> None:
    with pytest.raises(TooManySamplesError):
        ENGINE.instant(snapshot_of({"x": every(1_000, [1.0])}), query, 0)
