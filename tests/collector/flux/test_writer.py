"""Series that are written whole, time and again."""

import numpy as np

from collector.flux.writer import StateWriter
from tests.collector.scraping import STALE, stored
from tsdb import METRIC_NAME, Store, labels_from

A, B = (labels_from({METRIC_NAME: "m", "x": x}) for x in "ab")


def test_series_that_vanishes_gets_a_stale_marker_once() -> None:
    store = Store(retention_ms=None)
    writer = StateWriter(store)
    writer.write([A, B], np.array([1.0, 2.0]), 1000)
    writer.write([A], np.array([1.0]), 2000)
    writer.write([A], np.array([1.0]), 3000)
    assert stored(store, "m") == {
        "x=a": [(1000, 1.0), (2000, 1.0), (3000, 1.0)],
        "x=b": [(1000, 2.0), (2000, STALE)],
    }


def test_series_whose_id_was_reclaimed_gets_no_marker() -> None:
    store = Store(retention_ms=1000)
    writer = StateWriter(store)
    writer.write([A], np.array([1.0]), 1000)
    store.expire(5000)
    writer.write([B], np.array([2.0]), 5000)
    assert stored(store, "m") == {"x=b": [(5000, 2.0)]}
