"""How rings are sealed: in which portions, and at whose expense."""

from unittest.mock import patch

import numpy as np
import pytest

from tests.tsdb.reading import everything, samples_of, series, times
from tsdb import ABSENT, Store
from tsdb.block import Block, Layout, merged
from tsdb.sample import FloatArray
from tsdb.times import Times


def test_rings_that_fill_together_are_sealed_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsdb.rings.MAX_COLUMNS", 20)
    store = Store(retention_ms=None)
    ids = store.series_ids(series(20 * 12))
    sealed = []
    with patch.object(Block, "sealed", wraps=Block.sealed) as seal:
        for row in range(400):
            before = seal.call_count
            store.append(ids, row, np.full(len(ids), float(row)))
            sealed.append(seal.call_count - before)
    assert sum(sealed) > 12 * 400 // 16
    assert max(sealed) <= 2  # the rows of one ring, and the young blocks of another made one


def test_no_row_waits_for_both_a_seal_and_the_merging_of_young_blocks() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(20))
    made = []
    with patch.object(Block, "sealed", wraps=Block.sealed) as seal:
        for row in range(240):
            before = seal.call_count
            store.append(ids, row, np.full(len(ids), float(row)))
            made.append(seal.call_count - before)
    assert set(made) == {0, 1}
    assert sum(made) == (240 - 4) // 12 + 2  # of the two times that young blocks were enough


def test_rows_that_fill_head_after_head_are_put_together_just_the_same() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(20))
    for rows in np.split(np.arange(16 + 12 * 20), range(16, 256, 12)):
        store.append_matrix(ids, rows, np.ones((len(rows), len(ids))))
    blocks = [block.times.rows for view in store._rings.capture()[1] for block in view.blocks]
    assert blocks[:2] == [96, 96]


def test_batch_wider_than_a_ring_is_read_back_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsdb.rings.MAX_COLUMNS", 4)
    store = Store(retention_ms=None)
    members = series(11)
    ids = store.series_ids(members)
    values = np.arange(110.0).reshape(10, 11)
    store.append(ids, 5, values[0])
    store.append_matrix(ids, np.arange(6, 15), values[1:])
    selection = everything(store.snapshot(0))
    assert [len(slab.series) for slab in selection.slabs] == [4, 4, 3]
    found = samples_of(selection)
    for column, labels in enumerate(members):
        assert [bits for _, bits in found[labels]] == values[:, column].view(np.uint64).tolist()


def test_merged_blocks_have_the_series_of_each_and_absent_samples_where_one_lacks_them() -> None:
    one = block([3, 1], [10, 20], [[1.0, 2.0], [3.0, 4.0]])
    other = block([1, 7], [30], [[5.0, 6.0]])
    both = merged([one, other], 0)
    assert both.layout.series.tolist() == [1, 7, 3]
    assert both.times.read().tolist() == [10, 20, 30]
    expected = np.array([[2.0, ABSENT, 1.0], [4.0, ABSENT, 3.0], [5.0, 6.0, ABSENT]])
    assert same(both.read(slice(0, 3), slice(0, 3)), expected)


def test_merging_leaves_out_rows_that_have_expired() -> None:
    both = merged([block([1], [10, 20], [[1.0], [2.0]]), block([1], [30], [[3.0]])], 20)
    assert both.times.read().tolist() == [20, 30]
    assert both.read(slice(0, 1), slice(0, 2)).tolist() == [[2.0], [3.0]]


@pytest.mark.parametrize(
    ("moments", "size_bytes"),
    [
        ((5,), 0),
        ((-7, 8, 23, 38), 0),
        ((0, 15_000, 30_001), 6),
        ((0, 15_000, 70_000), 12),
        ((0, 1, 2**33), 24),
    ],
)
def test_times_are_read_back_and_cost_nothing_where_evenly_apart(
    moments: tuple[int, ...], size_bytes: int
) -> None:
    held = Times.of(times(*moments))
    assert held.read().tolist() == list(moments)
    assert (held.first_ms, held.last_ms, held.memory_bytes) == (moments[0], moments[-1], size_bytes)


def block(members: list[int], moments: list[int], values: list[list[float]]) -> Block:
    return Block.sealed(Layout(np.array(members)), times(*moments), np.array(values))


def same(some: FloatArray, others: FloatArray) -> bool:
    return np.array_equal(some.view(np.uint64), others.view(np.uint64))
