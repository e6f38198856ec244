import numpy as np
import pytest

from tests.tsdb.reading import everything, samples_of, series
from tsdb import STALE
from tsdb.copying import copied
from tsdb.histogram import FloatHistogram
from tsdb.sample import FloatArray
from tsdb.wal_store import LoggedStore

SERIES = series(50)


def values(row: int) -> FloatArray:
    return np.where(np.arange(50) == row % 7, STALE, np.arange(50.0) * row)


@pytest.fixture
def store() -> LoggedStore:
    """Sealed blocks, a head, histograms and start timestamps."""
    store = LoggedStore(retention_ms=None)
    ids = store.series_ids(SERIES)
    for row in range(200):
        store.append(ids, row * 1000, values(row))
    (native,) = store.series_ids(series(1, kind="native")).tolist()
    store.append_histograms(native, [1, 2], [FloatHistogram(count=1.0), FloatHistogram(count=2.0)])
    store.append_start_timestamps(native, [1, 2], [0, 0])
    return store


def test_copy_holds_the_same(store: LoggedStore) -> None:
    one, other = everything(store.snapshot(0)), everything(copied(store).snapshot(0))
    assert samples_of(one) == samples_of(other)
    assert [each.histograms for each in one.histograms] == [each.histograms for each in other.histograms]
    assert one.labels.series() == other.labels.series()
    assert len(other.start_timestamps) == 1


def test_what_is_written_to_either_is_not_in_the_other(store: LoggedStore) -> None:
    copy = copied(store)
    before = samples_of(everything(store.snapshot(0)))
    for row in range(200, 300):
        copy.append(copy.series_ids(SERIES), row * 1000, values(row))
    copy.append_histograms(
        int(copy.series_ids(series(1, kind="native"))[0]), [3], [FloatHistogram(count=3.0)]
    )
    copy.append(copy.series_ids(series(1, kind="new")), 0, np.array([1.0]))
    assert samples_of(everything(store.snapshot(0))) == before
    assert len(everything(store.snapshot(0)).histograms[0].histograms) == 2
    store.append(store.series_ids(series(1, kind="newer")), 0, np.array([1.0]))
    assert len(copy.snapshot(0).series((), 0, 10**9).series()) == 52


def test_copy_of_a_store_that_was_asked_before_answers_with_its_own(store: LoggedStore) -> None:
    everything(store.snapshot(0)).slabs[0].read()
    copy = copied(store)
    copy.append(copy.series_ids(SERIES), 900_000, np.arange(50.0))
    found = samples_of(everything(copy.snapshot(0)))
    assert all(len(found[labels]) == 201 for labels in SERIES)
    assert copy.stats().series == store.stats().series == 51
