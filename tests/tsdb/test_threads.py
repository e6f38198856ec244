"""Readers in threads beside the writer: no torn row, whatever is sealed, joined or moved meanwhile."""

import threading

import numpy as np

from tests.tsdb.reading import everything, series
from tsdb import Store
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

    threads = [threading.Thread(target=write), *[threading.Thread(target=check, args=(i,)) for i in (0, 1)]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert min(reads) > 0
