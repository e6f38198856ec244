"""The limits of memory: new series are refused first, then the retention is shortened."""

import numpy as np
import pytest

from tests.tsdb.reading import everything, samples_of, series
from tsdb import NO_ROOM, Labels, Outcome, Store
from tsdb.budget import NEW_SERIES_BYTES
from tsdb.histogram import FloatHistogram

RETENTION_MS = 7_200_000


def limited(limit_bytes: int) -> Store:
    return Store(retention_ms=RETENTION_MS, memory_limit_bytes=limit_bytes)


def fill(store: Store, members: list[Labels], rows: int, first: int = 0) -> None:
    random = np.random.default_rng(first)
    for row in range(first, first + rows):
        store.append(store.series_ids(members), row * 15_000, random.random(len(members)))
        store.expire(row * 15_000)


def test_new_series_beyond_the_limit_get_no_id_and_are_counted() -> None:
    store = limited(3 * NEW_SERIES_BYTES)
    ids = store.series_ids(series(5))
    assert (ids == NO_ROOM).tolist() == [False, False, False, True, True]
    assert (store.is_full, store.stats().series_refused) == (True, 2)


def test_known_series_are_found_when_there_is_no_room() -> None:
    store = limited(3 * NEW_SERIES_BYTES)
    first = store.series_ids(series(3))
    assert store.series_ids(series(5)).tolist() == [*first.tolist(), NO_ROOM, NO_ROOM]


def test_vital_series_are_created_all_the_same() -> None:
    store = limited(0)
    assert store.series_ids(series(1), is_vital=True).tolist() == [0]


def test_series_that_are_refused_again_and_again_leave_nothing_behind() -> None:
    store = limited(3 * NEW_SERIES_BYTES)
    store.series_ids(series(3))
    before = store.stats().memory_bytes
    for attempt in range(50):
        store.series_ids(series(50, attempt=str(attempt)))
    assert store.stats().memory_bytes == before


def test_samples_of_a_refused_series_are_refused_and_the_others_stored() -> None:
    store = limited(1 * NEW_SERIES_BYTES)
    ids = store.series_ids(series(3))
    appended = store.append(ids, 1000, np.arange(3.0))
    assert (appended.stored, appended.no_room) == (1, 2)
    assert appended.outcomes is not None
    assert appended.outcomes.tolist() == [Outcome.STORED, Outcome.NO_ROOM, Outcome.NO_ROOM]
    again = store.append_matrix(ids, np.array([2000, 3000]), np.ones((2, 3)))
    assert (again.stored, again.no_room) == (2, 4)
    assert store.append_histograms(NO_ROOM, [4000], [FloatHistogram()]).no_room == 1
    found = samples_of(everything(store.snapshot(3000)))
    assert [time_ms for time_ms, _ in found[series(1)[0]]] == [1000, 2000, 3000]
    assert len(found) == 1


def test_store_over_its_limit_forgets_the_oldest_and_keeps_the_newest() -> None:
    store = limited(400_000)
    members = series(200)
    fill(store, members, 480)
    assert store.stats().memory_bytes < 400_000
    held = samples_of(everything(store.snapshot(479 * 15_000)))[members[0]]
    assert 50 < len(held) < 400
    assert held[-1][0] == 479 * 15_000
    assert np.diff([time_ms for time_ms, _ in held]).tolist() == [15_000] * (len(held) - 1)


def test_store_within_its_limit_keeps_the_whole_retention() -> None:
    store = limited(10_000_000)
    fill(store, series(200), 500)
    held = samples_of(everything(store.snapshot(499 * 15_000)))[series(1)[0]]
    assert len(held) == 481


def test_new_series_are_refused_while_the_retention_gives_way_and_taken_again_after() -> None:
    store = limited(400_000)
    fill(store, series(200), 480)
    assert (store.series_ids(series(3, new="x")) == NO_ROOM).all()
    store.expire(3 * RETENTION_MS)
    assert (store.series_ids(series(3, new="x")) != NO_ROOM).all()


@pytest.mark.parametrize("size_bytes", [300_000, 600_000])
def test_retention_by_size_bounds_the_samples(size_bytes: int) -> None:
    store = Store(retention_ms=RETENTION_MS, retention_bytes=size_bytes)
    fill(store, series(200), 480)
    assert 0.4 * size_bytes < store.stats().samples_bytes <= size_bytes
    assert (store.series_ids(series(300)) != NO_ROOM).all()
