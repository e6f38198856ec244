import numpy as np

from tests.query.execution.asking import ENGINE, every, instants, matrix, snapshot_of
from tsdb import ABSENT, STALE, Store, labels_from

LOOKBACK_MS = 300_000


def test_sample_at_exactly_lookback_is_excluded() -> None:
    snapshot = snapshot_of({"x": [(1_000, 7.0)]})
    assert instants(ENGINE.instant(snapshot, "x", 1_000 + LOOKBACK_MS)) == {}


def test_sample_one_millisecond_inside_lookback_is_included() -> None:
    snapshot = snapshot_of({"x": [(1_000, 7.0)]})
    assert instants(ENGINE.instant(snapshot, "x", 1_000 + LOOKBACK_MS - 1)) == {"x": 7.0}


def test_sample_at_the_evaluation_time_is_included() -> None:
    snapshot = snapshot_of({"x": [(1_000, 7.0), (1_001, 8.0)]})
    assert instants(ENGINE.instant(snapshot, "x", 1_000)) == {"x": 7.0}


def test_stale_marker_ends_a_series_at_once() -> None:
    snapshot = snapshot_of({"x": [(1_000, 7.0), (2_000, float(STALE))]})
    assert matrix(ENGINE.range(snapshot, "x", 1_000, 3_000, 500)) == {"x": {1_000: 7.0, 1_500: 7.0}}


def test_series_returns_after_a_stale_marker() -> None:
    snapshot = snapshot_of({"x": [(0, 1.0), (1_000, float(STALE)), (2_000, 3.0)]})
    assert matrix(ENGINE.range(snapshot, "x", 0, 2_000, 1_000)) == {"x": {0: 1.0, 2_000: 3.0}}


def test_ordinary_nan_is_a_value() -> None:
    snapshot = snapshot_of({"x": [(0, float("nan"))]})
    assert np.isnan(instants(ENGINE.instant(snapshot, "x", 0))["x"])


def test_column_without_a_sample_in_the_newest_row_shows_its_older_one() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids([labels_from({"__name__": name}) for name in ("gapped", "dense")])
    rows = np.array([[1.0, 10.0], [ABSENT, 20.0], [ABSENT, 30.0]])
    store.append_matrix(ids, np.array([0, 200_000, 400_000]), rows)
    answer = matrix(ENGINE.range(store.snapshot(0), '{__name__=~".+"}', 0, 400_000, 200_000))
    assert answer == {
        "gapped": {0: 1.0, 200_000: 1.0},
        "dense": {0: 10.0, 200_000: 20.0, 400_000: 30.0},
    }


def test_offset_looks_back_and_a_negative_one_ahead() -> None:
    snapshot = snapshot_of({"x": every(600_000, [1.0, 2.0, 3.0])})
    assert instants(ENGINE.instant(snapshot, "x offset 10m", 600_000)) == {"x": 1.0}
    assert instants(ENGINE.instant(snapshot, "x offset -10m", 600_000)) == {"x": 3.0}


def test_at_modifier_shows_one_time_at_every_step() -> None:
    snapshot = snapshot_of({"x": every(1_000, [1.0, 2.0, 3.0])})
    assert matrix(ENGINE.range(snapshot, "x @ 1", 0, 2_000, 1_000)) == {"x": {0: 2.0, 1_000: 2.0, 2_000: 2.0}}


def test_at_end_is_the_end_of_the_range_and_offset_counts_from_it() -> None:
    snapshot = snapshot_of({"x": every(1_000, [1.0, 2.0, 3.0])})
    answer = matrix(ENGINE.range(snapshot, "x @ end() offset 1s", 0, 2_000, 2_000))
    assert answer == {"x": {0: 2.0, 2_000: 2.0}}


def test_timestamp_of_a_selector_is_the_time_of_the_sample() -> None:
    snapshot = snapshot_of({"x": [(1_500, 7.0)]})
    assert instants(ENGINE.instant(snapshot, "timestamp(x)", 9_000)) == {"": 1.5}
    assert instants(ENGINE.instant(snapshot, "timestamp(x + 0)", 9_000)) == {"": 9.0}


def test_series_outside_the_lookback_at_all_steps_are_left_out() -> None:
    snapshot = snapshot_of({"x/old": [(0, 1.0)], "x/new": [(LOOKBACK_MS, 2.0)]})
    assert list(matrix(ENGINE.range(snapshot, "x", LOOKBACK_MS, 2 * LOOKBACK_MS, 1_000))) == ["x/new"]
