import numpy as np
import pytest

from miniprom.remote_write.series_memory import SeriesMemory
from tsdb import NO_ROOM, Store


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
    assert len(memory) == 2
    assert memory.series_ids([a]).tolist() == [2]


def test_new_series_get_ids_in_the_order_of_the_request() -> None:
    names = [raw_labels(name) for name in "dbacadb"]
    assert SeriesMemory(Store(retention_ms=None)).series_ids(names).tolist() == [0, 1, 2, 3, 2, 0, 1]


def test_series_with_invalid_labels_is_refused_each_time_it_comes() -> None:
    memory = SeriesMemory(Store(retention_ms=None))
    for _ in range(2):
        assert memory.series_ids([b"", raw_labels("a")]).tolist() == [-1, 0]


def test_series_without_room_is_asked_for_again() -> None:
    store = Store(retention_ms=None, memory_limit_bytes=1)
    memory = SeriesMemory(store)
    assert memory.series_ids([raw_labels("a")]).tolist() == [NO_ROOM]
    store.budget.memory_bytes = None
    assert memory.series_ids([raw_labels("a")]).tolist() == [0]


def test_memory_that_is_full_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miniprom.remote_write.series_memory._MAX_REMEMBERED", 3)
    memory = SeriesMemory(Store(retention_ms=None))
    for name in "abcdabcd":
        assert memory.series_ids([raw_labels(name)]).tolist() == ["abcd".index(name)]
        assert len(memory) <= 4
