"""What is remembered of small selections must never differ from what the store holds."""

import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsdb import Matcher, MatchOp, Selection, Snapshot, Store, labels_from
from tsdb.block import Block
from tsdb.reading import Matrices
from tsdb.recent import Recent

EVERYTHING = (Matcher("__name__", MatchOp.EQUAL, "m"),)


def store_of(series: int, rows: int) -> Store:
    store = Store(retention_ms=None)
    for row in range(rows):
        scrape(store, series, row)
    return store


def scrape(store: Store, series: int, row: int, *, first: int = 0) -> None:
    ids = store.series_ids(labels_from({"__name__": "m", "i": str(i)}) for i in range(first, series))
    store.append(ids, row * 10, np.arange(first, series, dtype=np.float64) * 1000 + row)


def forgetful(store: Store) -> Snapshot:
    """A snapshot that reads everything anew."""
    snapshot = store.snapshot(0)
    snapshot._matrices = Recent(0)
    return snapshot


def samples(selection: Selection) -> dict[object, list[tuple[int, float]]]:
    labels = selection.labels.series()
    return {
        labels[series]: [(int(t), float(v)) for t, v in zip(slab.timestamps_ms, column, strict=True)]
        for slab in selection.slabs
        for series, column in zip(slab.series.tolist(), slab.read().T, strict=True)
    }


def assert_reads_alike(store: Store, start_ms: int, end_ms: int) -> None:
    one = store.snapshot(0).select(EVERYTHING, start_ms, end_ms)
    other = forgetful(store).select(EVERYTHING, start_ms, end_ms)
    assert repr(samples(one)) == repr(samples(other))


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 900), st.integers(0, 900)), max_size=6))
def test_what_is_remembered_grows_with_the_store(asked: list[tuple[int, int, int]]) -> None:
    store, row = Store(retention_ms=None), 0
    for rows, start_ms, end_ms in asked:
        for _ in range(rows):
            scrape(store, 3, row)
            row += 1
        assert_reads_alike(store, start_ms, end_ms)


def test_an_earlier_start_than_before_is_read() -> None:
    store = store_of(2, 100)
    assert_reads_alike(store, 900, 2000)
    assert_reads_alike(store, 100, 500)


def test_a_cell_filled_later_is_read() -> None:
    store = store_of(2, 3)
    scrape(store, 1, 3)
    assert_reads_alike(store, 0, 100)
    scrape(store, 2, 3, first=1)
    assert_reads_alike(store, 0, 100)


def test_a_series_that_joins_a_ring_is_read() -> None:
    store = store_of(2, 30)
    assert_reads_alike(store, 0, 1000)
    scrape(store, 4, 30)
    assert_reads_alike(store, 0, 1000)


def test_what_is_remembered_holds_no_blocks_that_expired() -> None:
    store = Store(retention_ms=500)
    for row in range(40):
        scrape(store, 2, row)
    store.snapshot(0).select(EVERYTHING, 0, 1000)
    before = {id(block) for block in blocks_in_memory()}
    for row in range(200, 260):
        scrape(store, 2, row)
    store.expire(2_600)
    assert before
    assert before.isdisjoint(id(block) for block in blocks_in_memory() if block.times.last_ms < 400)


def blocks_in_memory() -> list[Block]:
    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, Block)]


def test_what_is_remembered_can_not_be_written_to() -> None:
    (slab,) = store_of(2, 30).snapshot(0).select(EVERYTHING, 0, 1000).slabs
    with pytest.raises(ValueError, match="read-only"):
        slab.read()[0, 0] = 1.0


def test_series_are_matched_once_while_none_is_new() -> None:
    store = store_of(2, 1)
    before = store.snapshot(0).select(EVERYTHING, 0, 10).labels.columns
    scrape(store, 2, 1)
    assert store.snapshot(0).select(EVERYTHING, 0, 10).labels.columns is before
    scrape(store, 3, 2)
    assert store.snapshot(0).select(EVERYTHING, 0, 100).labels.size == 3


def test_the_answer_not_asked_for_the_longest_time_makes_room() -> None:
    recent: Recent[str, int] = Recent(12)
    for key in "abcd":
        recent.put(key, 1, 3)
    assert recent.get("a") == 1
    recent.put("e", 1, 3)
    assert recent.get("a") == 1
    assert recent.get("b") is None


def test_an_answer_put_again_takes_its_room_once() -> None:
    recent: Recent[str, int] = Recent(12)
    for value in range(100):
        recent.put("a", value, 3)
        recent.put("b", value, 3)
    assert (recent.get("a"), recent.get("b")) == (99, 99)


def test_an_answer_of_more_than_a_fourth_of_the_room_is_not_kept() -> None:
    recent: Recent[str, int] = Recent(12)
    recent.put("a", 1, 4)
    assert recent.get("a") is None


def test_a_large_selection_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(2, 30)
    small: Matrices = Recent(40)
    monkeypatch.setattr(store, "_matrices", small)
    (slab,) = store.snapshot(0).select(EVERYTHING, 0, 1000).slabs
    assert slab.parts
    assert_reads_alike(store, 0, 1000)
