import numpy as np

from miniprom.remote_write.series_memory import SeriesMemory
from tsdb import Store


def raw_labels(name: str) -> bytes:
    """`repeated Label labels = 1 { string name = 1; string value = 2; }` with the metric name alone."""
    key, value = b"__name__", name.encode()
    label = b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value
    return b"\x0a" + bytes([len(label)]) + label


def test_series_that_the_store_reclaimed_is_forgotten_and_resolved_anew() -> None:
    store = Store(retention_ms=10)
    memory = SeriesMemory(store)
    a, b, c = (raw_labels(name) for name in "abc")
    ids = memory.series_ids([a, b])
    store.append(ids, 0, np.zeros(2))
    store.append(ids[1:], 5, np.zeros(1))
    store.expire(12)
    assert memory.series_ids([c, b]).tolist() == ids.tolist()
    assert list(memory.ids) == [b, c]
    assert memory.series_ids([a]).tolist() == [2]
