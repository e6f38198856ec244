"""From a batch into the store: all of it or nothing, at any time past or future."""

from collections import Counter

import numpy as np

from miniprom.fake.batch import Batch, MixedSeries
from miniprom.fake.errors import FakeError
from tsdb import Labels
from tsdb.histogram import FloatHistogram
from tsdb.wal_store import LoggedStore


def fill(store: LoggedStore, batch: Batch) -> None:
    """Store a batch. Raises `FakeError`, and stores nothing then."""
    _check_distinct(batch)
    for block in batch.blocks:
        store.append_matrix(store.series_ids(block.labels), block.timestamps_ms, block.values)
    for series in batch.mixed:
        _append_mixed(store, series)


def _check_distinct(batch: Batch) -> None:
    counts = Counter(batch.series())
    if len(counts) < counts.total():
        labels, _ = counts.most_common(1)[0]
        raise FakeError(f"{series_text(labels)} is given twice")


def series_text(labels: Labels) -> str:
    """A series in a message."""
    pairs = ", ".join(f'{name}="{value}"' for name, value in labels)
    return f"series {{{pairs}}}"


def _append_mixed(store: LoggedStore, series: MixedSeries) -> None:
    ids = store.series_ids([series.labels])
    for time_ms, value in zip(series.timestamps_ms, series.values, strict=True):
        if isinstance(value, FloatHistogram):
            store.append_histograms(int(ids[0]), [time_ms], [value])
        else:
            store.append(ids, time_ms, np.array([value]))
