"""Readers in threads beside the writer: no torn row, whatever is sealed, joined or moved meanwhile."""

import threading
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from tests.tsdb.reading import everything, samples_of, series
from tsdb import Store
from tsdb.ring import Ring, RingView
from tsdb.sample import is_absent

ROWS = 1500


def test_readers_never_see_a_torn_row(short_heads: None) -> None:
    store = Store(retention_ms=400)
    ids = store.series_ids(series(300))
    written = threading.Event()
    faults: list[str] = []
    reads = [0, 0]

    def write() -> None:
        for row in range(ROWS):
            joined = 50 + row // 10
            store.append(ids[:joined], row, np.full(joined, float(row)))
            if row % 100 == 0:
                store.expire(row)
        written.set()

    def check(reader: int) -> None:
        while not written.is_set() or not reads[reader]:
            for slab in everything(store.snapshot(0)).slabs:
                values = slab.read()
                present = ~is_absent(values)
                expected = np.broadcast_to(slab.timestamps_ms[:, None].astype(np.float64), values.shape)
                joined = np.minimum(50 + slab.timestamps_ms // 10, values.shape[1])
                if not (values[present] == expected[present]).all():
                    faults.append("a value of another row")
                if not (present.sum(axis=1) == joined).all():
                    faults.append("a row that lacks samples")
            reads[reader] += 1

    run_together([write, partial(check, 0), partial(check, 1)])
    assert faults == []
    assert min(reads) > 0


def test_readers_see_each_series_without_gaps_while_it_moves_from_ring_to_ring(short_heads: None) -> None:
    store = Store(retention_ms=None)
    members = series(20)
    ids = store.series_ids(members)
    schedules = [
        [10 * row - (row % (member + 1) if row else 0) for row in range(200)] for member in range(20)
    ]
    written = threading.Event()
    faults: list[str] = []

    def write() -> None:
        for row in range(200):
            for member in range(20):
                store.append(ids[member : member + 1], schedules[member][row], np.array([float(row)]))
        written.set()

    def check() -> None:
        last = False
        while not last:
            last = written.is_set()
            for labels, samples in samples_of(everything(store.snapshot(0))).items():
                schedule = schedules[members.index(labels)]
                if [at for at, _ in samples] != schedule[: len(samples)]:
                    faults.append("a gap")

    run_together([write, check, check])
    assert faults == []


def test_a_series_that_moves_while_a_snapshot_is_taken_is_seen_in_full(
    short_heads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(4))
    store.append(ids, 0, np.zeros(4))
    for time_ms in (10, 20):
        store.append(ids[:2], time_ms, np.zeros(2))
        store.append(ids[2:], time_ms + 3, np.zeros(2))
    store.append(ids[:2], 30, np.zeros(2))
    view, interruptions = Ring.view, [33]

    def interrupted(ring: Ring) -> RingView:
        while interruptions:
            store.append(ids[2:], interruptions.pop(), np.zeros(2))
        return view(ring)

    monkeypatch.setattr(Ring, "view", interrupted)
    seen = [[at for at, _ in samples] for samples in samples_of(everything(store.snapshot(0))).values()]
    assert seen == [[0, 10, 20, 30]] * 2 + [[0, 13, 23, 33]] * 2


def run_together(tasks: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
