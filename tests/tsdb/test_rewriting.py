"""Deleting samples and putting some into the past."""

import numpy as np
import pytest

from tests.tsdb.logging_to import content, named, put, values_of
from tests.tsdb.reading import everything
from tsdb import Matcher, MatchOp
from tsdb.histogram import FloatHistogram
from tsdb.rewriting import delete, held, insert, reaching
from tsdb.wal_store import LoggedStore

ALWAYS = -(10**15), 10**15
A = [Matcher("__name__", MatchOp.EQUAL, "a")]


@pytest.fixture
def store() -> LoggedStore:
    """Two series with samples at 1 to 30."""
    store = LoggedStore(retention_ms=1_000_000)
    ids = store.series_ids([named("a"), named("b")])
    for time_ms in range(1, 31):
        store.append(ids, time_ms, np.array([float(time_ms), -1.0]))
    return store


def test_deleted_series_is_not_listed_any_more(store: LoggedStore) -> None:
    delete(store, A, *ALWAYS, now_ms=30)
    assert store.snapshot(30).label_values("__name__", (), *ALWAYS) == ["b"]
    assert store.snapshot(30).series((), *ALWAYS).series() == [named("b")]


@pytest.mark.usefixtures("short_heads")
def test_both_ends_of_the_deleted_range_are_deleted_from_sealed_rows_too(store: LoggedStore) -> None:
    delete(store, A, 2, 29, now_ms=30)
    assert values_of(store, "a") == [(1, 1.0), (30, 30.0)]
    assert len(values_of(store, "b")) == 30


def test_snapshot_taken_before_keeps_what_was_deleted(store: LoggedStore) -> None:
    before = store.snapshot(30)
    delete(store, A, *ALWAYS, now_ms=30)
    put(store, "c", (31, 1.0))
    assert everything(before).labels.series() == [named("a"), named("b")]


def test_new_series_does_not_inherit_deleted_samples(store: LoggedStore) -> None:
    delete(store, A, *ALWAYS, now_ms=30)
    ids = store.series_ids([named("b"), named("c")])
    store.append(ids, 31, np.array([1.0, 2.0]))
    assert values_of(store, "c") == [(31, 2.0)]


def test_holder_of_a_deleted_id_is_told(store: LoggedStore) -> None:
    ids, epoch = store.series_ids([named("a"), named("b")]), store.epoch
    delete(store, A, *ALWAYS, now_ms=30)
    assert store.epoch != epoch
    assert store.reclaimed(ids, epoch).tolist() == [True, False]


def test_series_goes_on_after_part_of_it_was_deleted(store: LoggedStore) -> None:
    delete(store, A, 10, 40, now_ms=30)
    put(store, "a", (31, 5.0))
    assert values_of(store, "a")[-2:] == [(9, 9.0), (31, 5.0)]


def test_histograms_in_the_range_are_deleted(store: LoggedStore) -> None:
    (series_id,) = store.series_ids([named("h")]).tolist()
    store.append_histograms(series_id, [1, 2, 3], [FloatHistogram(count=n) for n in (1.0, 2.0, 3.0)])
    store.append(store.series_ids([named("h")]), 4, np.array([7.0]))
    delete(store, [Matcher("__name__", MatchOp.EQUAL, "h")], 2, 2, now_ms=30)
    (found,) = everything(store.snapshot(30)).histograms
    assert [one.count for one in found.histograms] == [1.0, 3.0]
    assert values_of(store, "h") == [(4, 7.0)]


def test_points_are_inserted_between_others_and_the_held_ones_stay(store: LoggedStore) -> None:
    delete(store, A, 2, 29, now_ms=30)
    times_ms = np.array([30, 15, 1, 15], dtype=np.int64)
    assert insert(store, {named("a"): (times_ms, np.array([9.0, 8.0, 7.0, 6.0]))}, now_ms=30) == 0
    assert values_of(store, "a") == [(1, 1.0), (15, 8.0), (30, 30.0)]


def test_points_older_than_the_retention_are_counted_and_left_out(store: LoggedStore) -> None:
    times_ms = np.array([999, 1000], dtype=np.int64)
    assert insert(store, {named("new"): (times_ms, np.array([1.0, 2.0]))}, now_ms=1_001_000) == 1
    assert values_of(store, "new") == [(1000, 2.0)]


def test_series_of_the_same_name_are_left_alone(store: LoggedStore) -> None:
    before = content(store)[named("b")]
    insert(store, {named("a"): (np.array([40], dtype=np.int64), np.array([1.0]))}, now_ms=40)
    assert content(store)[named("b")] == before


def test_histograms_are_put_between_and_before_floats(store: LoggedStore) -> None:
    put(store, "h", (10, 1.0))
    put(store, "h", (30, 3.0))
    earlier, between = FloatHistogram(count=5.0), FloatHistogram(count=6.0)
    too_old = insert(store, {}, 30, {named("h"): [(5, earlier), (20, between), (30, earlier)]})
    assert too_old == 0
    found = held(store, [named("h")], 30)[named("h")]
    assert found.keys() == {5, 10, 20, 30}
    assert (found[5], found[20], found[30]) == (earlier, between, 3.0)


def test_held_samples_are_told_of_the_series_that_were_asked_for(store: LoggedStore) -> None:
    found = held(store, [named("a"), named("missing")], 30)
    assert found.keys() == {named("a")}
    assert found[named("a")][7] == 7.0


def test_series_reaches_a_time_if_it_has_a_sample_then_or_later(store: LoggedStore) -> None:
    put(store, "c", (7, 1.0))
    ids = store.series_ids([named("a"), named("c"), named("new")])
    assert reaching(store, ids, 7).tolist() == [True, True, False]
    assert reaching(store, ids, 8).tolist() == [True, False, False]
