"""Ranges that hold native histograms, and counts that are known to begin at some time."""

import numpy as np
import pytest

from query import Engine, EngineOptions, InstantVector, Result
from query.language import EVERYTHING
from tests.query.execution.asking import ENGINE, Samples, every, instants, raw
from tsdb import Snapshot, Store, labels_from
from tsdb.histogram import Buckets, CounterReset, FloatHistogram


def histogram(count: float, *, hint: CounterReset = CounterReset.UNKNOWN) -> FloatHistogram:
    return FloatHistogram(
        count=count, sum=2 * count, positive=Buckets.dense(1, [count]), counter_reset_hint=hint
    )


def snapshot_of(histograms: dict[int, FloatHistogram], floats: Samples = ()) -> Snapshot:
    store = Store(retention_ms=None)
    ids = store.series_ids([labels_from({"__name__": "h"})])
    for time_ms, each in sorted(histograms.items()):
        store.append_histograms(int(ids[0]), [time_ms], [each])
    for time_ms, value in floats:
        store.append(ids, time_ms, np.array([value]))
    return store.snapshot(0)


def only_histogram(result: Result) -> FloatHistogram | None:
    vector = result.value
    assert isinstance(vector, InstantVector)
    if vector.labels.size == 0:
        return None
    assert vector.histograms is not None
    (found,) = vector.histograms.tolist()
    assert isinstance(found, FloatHistogram)
    return found


def test_histogram_is_selected_within_the_lookback_only() -> None:
    snapshot = snapshot_of({0: histogram(3)})
    assert only_histogram(ENGINE.instant(snapshot, "h", 299_999)) == histogram(3)
    assert only_histogram(ENGINE.instant(snapshot, "h", 300_000)) is None


def test_newer_float_hides_an_older_histogram() -> None:
    snapshot = snapshot_of({0: histogram(3)}, [(1_000, 7.0)])
    assert instants(ENGINE.instant(snapshot, "h", 1_000)) == {"h": 7.0}
    assert only_histogram(ENGINE.instant(snapshot, "h", 999)) == histogram(3)


def test_increase_of_a_histogram_reaches_to_both_bounds() -> None:
    snapshot = snapshot_of({10_000: histogram(100), 20_000: histogram(110), 30_000: histogram(120)})
    found = only_histogram(ENGINE.instant(snapshot, "increase(h[30s])", 30_000))
    assert found is not None
    assert (found.count, found.sum) == pytest.approx((30.0, 60.0))


def test_increase_of_a_histogram_adds_what_it_held_before_a_reset() -> None:
    snapshot = snapshot_of({10_000: histogram(100), 20_000: histogram(150), 30_000: histogram(20)})
    found = only_histogram(ENGINE.instant(snapshot, "increase(h[20001ms])", 30_000))
    assert found is not None
    # 50 before the reset and 20 after it, over 20 s of a range of 20.001 s.
    assert found.count == pytest.approx(70 * 20.001 / 20)


def test_range_of_both_kinds_has_no_rate_and_says_so() -> None:
    snapshot = snapshot_of({0: histogram(3)}, every(1_000, [7.0, 8.0], start_ms=1_000))
    result = ENGINE.instant(snapshot, "rate(h[1m])", 2_000)
    assert instants(result) == {}
    assert result.annotations.warnings == [
        'PromQL warning: encountered a mix of histograms and floats for metric name "h" (1:6)'
    ]


def test_function_of_floats_leaves_histograms_out_and_says_so() -> None:
    snapshot = snapshot_of({0: histogram(3)}, every(1_000, [7.0, 8.0], start_ms=1_000))
    result = ENGINE.instant(snapshot, "max_over_time(h[1m])", 2_000)
    assert instants(result) == {"": 8.0}
    assert result.annotations.infos == [
        "PromQL info: ignored histograms in a range containing both floats and histograms "
        'for metric name "h" (1:15)'
    ]


def test_count_changes_and_resets_see_both_kinds() -> None:
    snapshot = snapshot_of({0: histogram(3), 1_000: histogram(2)}, [(2_000, 7.0)])
    for query, expected in [("count_over_time", 3.0), ("changes", 2.0), ("resets", 2.0)]:
        assert instants(ENGINE.instant(snapshot, f"{query}(h[1m])", 2_000)) == {"": expected}


def test_sum_and_average_over_histograms() -> None:
    snapshot = snapshot_of({0: histogram(3), 1_000: histogram(5)})
    for query, count in [("sum_over_time", 8.0), ("avg_over_time", 4.0)]:
        found = only_histogram(ENGINE.instant(snapshot, f"{query}(h[1m])", 1_000))
        assert found is not None
        assert found.count == count


def test_negated_histogram_has_negative_counts() -> None:
    found = only_histogram(ENGINE.instant(snapshot_of({0: histogram(3)}), "-h", 0))
    assert found is not None
    assert found.count == -3


def test_subquery_over_histograms_forgets_what_they_knew_of_resets() -> None:
    snapshot = snapshot_of({0: histogram(3), 10_000: histogram(1, hint=CounterReset.RESET)})
    found = only_histogram(ENGINE.instant(snapshot, "last_over_time(h[10s:10s])", 10_000))
    assert found is not None
    assert found.counter_reset_hint is CounterReset.UNKNOWN


def started(starts_ms: list[int], values: list[float]) -> Snapshot:
    store = Store(retention_ms=None)
    ids = store.series_ids([labels_from({"__name__": "x_total"})])
    times_ms = [10_000 * (row + 1) for row in range(len(values))]
    for time_ms, value in zip(times_ms, values, strict=True):
        store.append(ids, time_ms, np.array([value]))
    store.append_start_timestamps(int(ids[0]), times_ms, starts_ms)
    return store.snapshot(0)


AWARE = Engine(EngineOptions(use_start_timestamps=True, parser=EVERYTHING))


def test_count_that_began_inside_the_range_was_zero_then() -> None:
    snapshot = started([5_000], [6.0])
    assert instants(AWARE.instant(snapshot, "increase(x_total[10s])", 10_000)) == {"": 6.0}
    assert instants(ENGINE.instant(snapshot, "increase(x_total[10s])", 10_000)) == {}


def test_start_after_the_sample_before_is_a_reset_though_the_value_rose() -> None:
    snapshot = started([1_000, 15_000, 15_000], [5.0, 6.0, 7.0])
    assert instants(AWARE.instant(snapshot, "resets(x_total[1m])", 30_000)) == {"": 1.0}
    assert instants(ENGINE.instant(snapshot, "resets(x_total[1m])", 30_000)) == {"": 0.0}


def test_overlapping_starts_are_remarked() -> None:
    snapshot = started([1_000, 5_000], [5.0, 6.0])
    warnings = AWARE.instant(snapshot, "rate(x_total[1m])", 20_000).annotations.warnings
    assert warnings == [
        "PromQL warning: sample has start time that overlaps with previous sample timestamp "
        'for metric "x_total" (1:6)'
    ]


def test_range_selector_shows_floats_and_histograms_of_one_series() -> None:
    snapshot = snapshot_of({0: histogram(3)}, [(1_000, 7.0)])
    result = ENGINE.instant(snapshot, "h[1m]", 1_000)
    assert raw(result) == {"h": [(1_000, 7.0)]}


def test_start_timestamp_tells_when_the_count_of_the_newest_sample_began() -> None:
    snapshot = started([1_000, 15_000], [5.0, 6.0])
    for time_ms, seconds in [(10_000, 1.0), (19_999, 1.0), (20_000, 15.0)]:
        assert instants(AWARE.instant(snapshot, "start_timestamp(x_total)", time_ms)) == {"": seconds}


def test_start_timestamp_is_empty_without_the_feature_and_for_expressions() -> None:
    snapshot = started([1_000], [5.0])
    assert instants(ENGINE.instant(snapshot, "start_timestamp(x_total)", 10_000)) == {}
    assert instants(AWARE.instant(snapshot, "start_timestamp(x_total + 0)", 10_000)) == {}
