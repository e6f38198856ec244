"""A snapshot holds rings as they are: what is sealed is not sealed again, what is gone is not written."""

from pathlib import Path

import numpy as np
import pytest

from tests.tsdb.logging_to import checkpoint, content, killed, named, opened, put, values_of
from tsdb import ABSENT, STALE, Matcher, MatchOp, Store, labels_from, wal_format
from tsdb.disk import Disk
from tsdb.rewriting import delete
from tsdb.sample import FloatArray
from tsdb.wal import load
from tsdb.wal_format import Kind
from tsdb.wal_reader import replay
from tsdb.wal_store import LoggedStore
from tsdb.wal_writer import LogWriter

ROWS = 130
PAYLOAD = np.array([0x7FF8_0000_DEAD_BEEF], dtype=np.uint64).view(np.float64)[0]


def columns_of_each_form() -> FloatArray:
    """values[row, column]: constants, runs, whole numbers, sums, decimals, gaps, plain numbers."""
    random = np.random.default_rng(3)
    rows = np.arange(ROWS)
    gaps = np.where(rows % 7 == 0, ABSENT, np.where(rows % 11 == 0, STALE, rows % 50))
    forms = [
        np.full(ROWS, 1.5), np.full(ROWS, PAYLOAD), rows // 40, rows % 200, rows * 100_000, rows**2 * -7,
        (rows % 90) / 1000, np.cumsum(rows) / 10, gaps, random.normal(size=ROWS),
        random.normal(size=ROWS).astype(np.float32), np.where(rows % 2, -0.0, np.inf),
    ]  # fmt: skip
    return np.stack(forms, axis=1).astype(np.float64)


def filled(folder: Path) -> LoggedStore:
    store = opened(folder)
    values = columns_of_each_form()
    ids = store.series_ids([named(str(column)) for column in range(values.shape[1])])
    for time_ms, row in enumerate(values):
        here = np.flatnonzero(row.view(np.uint64) != np.float64(ABSENT).view(np.uint64))
        store.append(ids[here], time_ms, row[here])
    return store


def snapshot_of(folder: Path) -> Path:
    (path,) = folder.glob("rings.*")
    return path


def kinds(path: Path) -> list[Kind]:
    return [kind for kind, _ in wal_format.records(memoryview(path.read_bytes()))]


def test_columns_of_each_form_come_back_bit_for_bit_and_take_as_much_memory(tmp_path: Path) -> None:
    store = filled(tmp_path)
    before, stats = content(store), store.stats()
    checkpoint(store)
    killed(store)
    store = opened(tmp_path)
    assert content(store) == before
    assert store.stats().sealed_bytes == stats.sealed_bytes
    assert kinds(snapshot_of(tmp_path)) == [Kind.TABLE, Kind.RING, Kind.END]


def test_restored_ring_goes_on_as_the_one_that_was_saved(tmp_path: Path) -> None:
    store = filled(tmp_path / "stopped")
    checkpoint(store)
    killed(store)
    stopped, running = opened(tmp_path / "stopped"), filled(tmp_path / "running")
    for one in (stopped, running):
        ids = one.series_ids([named(str(number)) for number in range(12)])
        for time_ms in range(ROWS, 3 * ROWS):
            assert one.append(ids, time_ms, np.full(12, float(time_ms))).stored == 12
    assert content(stopped) == content(running)
    assert stopped.stats().sealed_bytes == running.stats().sealed_bytes


def test_snapshot_of_rows_is_read_as_before(tmp_path: Path) -> None:
    writer = LogWriter(lambda ids: [named(str(number)) for number in ids.tolist()])
    rows = [writer.row(time_ms, np.array([0, 1]), np.array([1.0, time_ms])) for time_ms in (1, 2)]
    (tmp_path / "rings.00000001").write_bytes(b"".join(rows) + wal_format.record(Kind.END))
    assert values_of(opened(tmp_path), "1") == [(1, 1.0), (2, 2.0)]


def test_record_of_a_later_version_is_named() -> None:
    later = wal_format.record(99)  # type: ignore[arg-type]  # no kind yet
    damage = replay(later, Store(retention_ms=None)).damage
    assert str(damage) == "a record of a later version (kind 99) at offset 0"


def test_deleted_samples_are_not_in_the_file(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for time_ms in range(60):
        put(store, "kept", (time_ms, 1.0))
        put(store, "secret", (time_ms, 1234.5 + time_ms))
    secret = np.array([1234.5 + 59]).tobytes()
    checkpoint(store)
    assert secret in snapshot_of(tmp_path).read_bytes()
    delete(store, [Matcher("__name__", MatchOp.EQUAL, "secret")], 0, 100, now_ms=0)
    checkpoint(store)
    assert secret not in snapshot_of(tmp_path).read_bytes()
    assert b"secret" not in snapshot_of(tmp_path).read_bytes()


def test_what_the_retention_took_does_not_come_back_with_a_longer_one(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for time_ms in range(0, 1_500_000, 10_000):
        put(store, "a", (time_ms, float(time_ms)))
    checkpoint(store, now_ms=1_500_000)
    killed(store)
    forever = Store(retention_ms=None)
    load(Disk(), tmp_path, forever)
    [slab] = forever.snapshot(0).select((), 0, 1 << 60).slabs
    assert slab.timestamps_ms[0] == 500_000


def test_cell_that_was_filled_while_the_snapshot_was_made_is_there_once(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.0), (2, 2.0))
    put(store, "b", (2, 3.0))
    put(store, "a", (3, 4.0))
    assert store.log
    begun = store.log.begin(store, 0)
    put(store, "b", (3, 5.0))  # into the row that is there already
    store.log.finish(begun)
    killed(store)
    store = opened(tmp_path)
    assert values_of(store, "b") == [(2, 3.0), (3, 5.0)]
    put(store, "b", (4, 6.0))
    assert values_of(store, "b") == [(2, 3.0), (3, 5.0), (4, 6.0)]


def test_damaged_ring_leaves_what_stands_before_it_and_what_an_older_snapshot_has(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.0), (3, 1.0))
    put(store, "b", (2, 2.0), (4, 2.0))  # a ring of its own
    checkpoint(store)
    older = snapshot_of(tmp_path)
    saved = older.read_bytes()
    put(store, "a", (5, 3.0))
    put(store, "b", (6, 4.0))
    checkpoint(store)
    killed(store)
    older.write_bytes(saved)
    newest = max(tmp_path.glob("rings.*"))
    damaged = bytearray(newest.read_bytes())
    damaged[-12] ^= 1  # in the last ring
    newest.write_bytes(damaged)
    store = LoggedStore(retention_ms=1_000_000)
    (problem,) = store.open(Disk(), tmp_path, 0).problems
    assert "a record does not match its checksum" in problem
    assert values_of(store, "a") == [(1, 1.0), (3, 1.0), (5, 3.0)]
    assert values_of(store, "b") == [(2, 2.0), (4, 2.0)]


@pytest.mark.parametrize("labels", [{}, {"x": "ü\n\"'"}, {"__name__": "a", "le": "+Inf"}])
def test_labels_of_any_kind_come_back(tmp_path: Path, labels: dict[str, str]) -> None:
    store = opened(tmp_path)
    store.append(store.series_ids([labels_from(labels)]), 1, np.array([1.0]))
    checkpoint(store)
    killed(store)
    found = opened(tmp_path).snapshot(0).series((), 0, 1)
    assert found.series() == [labels_from(labels)]
