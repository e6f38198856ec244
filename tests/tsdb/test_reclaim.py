"""Series without samples in the retention give back all that they took."""

import gc
import tracemalloc

import numpy as np

from tests.tsdb.reading import everything, samples_of, series
from tsdb import Labels, Matcher, MatchOp, Store, labels_from

MINUTE_MS = 60_000


def pods(generation: int, count: int = 1) -> list[Labels]:
    return [labels_from({"__name__": "m", "pod": f"pod-{generation}-{i}", "i": str(i)}) for i in range(count)]


def test_id_of_a_series_without_samples_goes_to_the_next_new_series() -> None:
    store = Store(retention_ms=10)
    old = store.series_ids(pods(0))
    store.append(old, 0, np.ones(1))
    store.expire(11)
    assert store.series_ids(pods(1)).tolist() == old.tolist()


def test_series_with_a_sample_exactly_as_old_as_the_retention_keeps_its_id() -> None:
    store = Store(retention_ms=10)
    old = store.series_ids(pods(0))
    store.append(old, 0, np.ones(1))
    store.expire(10)
    assert store.series_ids(pods(1)).tolist() != old.tolist()
    assert store.series_ids(pods(0)).tolist() == old.tolist()


def test_holder_of_ids_is_told_which_were_reclaimed() -> None:
    store = Store(retention_ms=10)
    ids = store.series_ids(series(3))
    store.append(ids, 0, np.ones(3))
    store.append(ids[1:2], 5, np.ones(1))
    epoch = store.epoch
    store.expire(12)
    assert store.epoch > epoch
    assert store.reclaimed(ids, epoch).tolist() == [True, False, True]
    assert store.reclaimed(ids, store.epoch).tolist() == [False, False, False]


def test_new_series_under_a_reused_id_does_not_inherit_samples_still_held() -> None:
    store = Store(retention_ms=10)
    both = store.series_ids([*pods(0), *pods(1)])
    store.append(both, 0, np.array([5.0, 6.0]))
    store.append(both[1:], 9, np.array([7.0]))
    store.expire(11)
    reused = store.series_ids(pods(2))
    assert reused.tolist() == both[:1].tolist()
    store.append(reused, 12, np.array([8.0]))
    one, eight = np.array([7.0, 8.0]).view(np.uint64).tolist()
    assert samples_of(everything(store.snapshot(0))) == {pods(1)[0]: [(9, one)], pods(2)[0]: [(12, eight)]}


def test_snapshot_from_before_keeps_labels_and_samples_of_reclaimed_series() -> None:
    store = Store(retention_ms=10)
    store.append(store.series_ids(pods(0, 100)), 0, np.arange(100.0))
    snapshot = store.snapshot(0)
    before = samples_of(everything(snapshot))
    store.expire(11)
    store.append(store.series_ids(pods(1, 100)), 12, np.zeros(100))
    assert samples_of(everything(snapshot)) == before
    assert snapshot.label_values("pod", [], 0, 100) == sorted(dict(labels)["pod"] for labels in pods(0, 100))


def test_label_names_values_and_shapes_of_reclaimed_series_are_gone() -> None:
    store = Store(retention_ms=10)
    store.append(store.series_ids([(("__name__", "old"), ("gone", "x"))]), 0, np.ones(1))
    store.expire(11)
    store.append(store.series_ids([(("__name__", "new"), ("other", "x"))]), 11, np.ones(1))
    snapshot = store.snapshot(11)
    assert snapshot.label_names([], 0, 100) == ["__name__", "other"]
    assert snapshot.label_values("__name__", [], 0, 100) == ["new"]
    assert snapshot.select([Matcher("gone", MatchOp.NOT_EQUAL, "y")], 0, 100).labels.names == (
        "__name__",
        "other",
    )


def test_memory_after_a_day_of_churn_is_that_after_three_hours() -> None:
    """10 % of the series are replaced every 10 minutes, by series with labels never seen before."""
    store = Store(retention_ms=120 * MINUTE_MS)
    members = pods(0, 200)
    accounted: list[int] = []
    traced: list[int] = []
    tracemalloc.start()
    try:
        for minute in range(24 * 60):
            if minute % 10 == 0:
                start = minute // 10 % 10 * 20
                members[start : start + 20] = pods(minute + 1, 20)
            store.append(store.series_ids(members), minute * MINUTE_MS, np.full(200, float(minute)))
            store.expire(minute * MINUTE_MS)
            if minute % 20 == 0:
                gc.collect()
                accounted.append(store.stats().memory_bytes)
                traced.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    first, last = slice(3 * 3, 9 * 3), slice(18 * 3, 24 * 3)
    assert max(accounted[last]) < 1.05 * max(accounted[first])
    assert max(traced[last]) < 1.05 * max(traced[first])
    assert 0.7 < max(accounted) / max(traced) < 1.3


def test_samples_of_a_series_that_comes_back_are_stored_under_its_new_id() -> None:
    store = Store(retention_ms=10)
    store.append(store.series_ids(pods(0, 2)), 0, np.ones(2))
    store.expire(11)
    again = store.series_ids(pods(0, 2)[::-1])
    store.append(again, 12, np.array([1.0, 2.0]))
    one, two = np.array([1.0, 2.0]).view(np.uint64).tolist()
    assert samples_of(everything(store.snapshot(12))) == {
        pods(0, 2)[0]: [(12, two)],
        pods(0, 2)[1]: [(12, one)],
    }
