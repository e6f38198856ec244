"""From a batch into the store: all of it or nothing, at any time past or future."""

import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from miniprom.fake.batch import Batch, Block, MixedSeries, series_text
from miniprom.fake.errors import FakeError
from tsdb import Labels, is_absent
from tsdb.histogram import FloatHistogram
from tsdb.rewriting import Points, TimedHistogram, Value, held, insert, reaching
from tsdb.sample import IntArray
from tsdb.wal_store import LoggedStore


def fill(store: LoggedStore, batch: Batch, now_ms: int) -> None:
    """Store a batch. Raises `FakeError`, and stores nothing then.

    A series may get samples before and between those that it has, but none in place of another.
    """
    _check_series(batch)
    _check_retention(store, batch, now_ms)
    late = _Late()
    blocks = [_timely(store, block, late) for block in batch.blocks]
    mixed = [series for series in batch.mixed if not _is_late(store, series, late)]
    if late:
        _check_clashes(store, late, now_ms)
        insert(store, late.points, now_ms, late.histograms)
    for ids, block in blocks:
        if len(ids):
            store.append_matrix(ids, block.timestamps_ms, block.values)
    for series in mixed:
        _append_mixed(store, series)
    for labels, times_ms, starts_ms in batch.starts:
        store.append_start_timestamps(int(store.series_ids([labels])[0]), times_ms, starts_ms)


@dataclass
class _Late:
    """What does not come behind the samples that its series have already."""

    points: dict[Labels, Points] = field(default_factory=dict)
    histograms: dict[Labels, Sequence[TimedHistogram]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.points or self.histograms)

    def samples(self) -> Iterator[tuple[Labels, int, Value]]:
        """Each with its series and time."""
        for labels, (times_ms, values) in self.points.items():
            for time_ms, value in zip(times_ms.tolist(), values.tolist(), strict=True):
                yield labels, time_ms, value
        for labels, timed in self.histograms.items():
            for time_ms, histogram in timed:
                yield labels, time_ms, histogram


def _check_series(batch: Batch) -> None:
    counts = Counter(batch.series())
    if len(counts) < counts.total():
        labels, _ = counts.most_common(1)[0]
        raise FakeError(f"{series_text(labels)} is given twice")
    if () in counts:
        raise FakeError("a series needs at least one label")


def _check_retention(store: LoggedStore, batch: Batch, now_ms: int) -> None:
    span_ms = batch.span_ms()
    if span_ms is None or store.retention_ms is None:
        return
    oldest_ms = now_ms - store.retention_ms
    if span_ms[0] < oldest_ms:
        reach = f"the retention reaches back to {oldest_ms / 1000} only"
        raise FakeError(f"there is a sample at {span_ms[0] / 1000}, but {reach}")


def _timely(store: LoggedStore, block: Block, late: _Late) -> tuple[IntArray, Block]:
    """The part of a block that can be appended, with the ids of its series; notes the rest in `late`."""
    ids = store.series_ids(block.labels)
    is_late = reaching(store, ids, int(block.timestamps_ms[0]))
    if not is_late.any():
        return ids, block
    for column in np.flatnonzero(is_late).tolist():
        values = block.values[:, column]
        there = ~is_absent(values)
        late.points[block.labels[column]] = block.timestamps_ms[there], values[there]
    rest = np.flatnonzero(~is_late)
    labels = [block.labels[column] for column in rest.tolist()]
    return ids[rest], Block(labels, block.timestamps_ms, block.values[:, rest])


def _is_late(store: LoggedStore, series: MixedSeries, late: _Late) -> bool:
    """Whether a series can't be appended; notes it in `late` then."""
    if not series.timestamps_ms:
        return False
    if not reaching(store, store.series_ids([series.labels]), series.timestamps_ms[0]).any():
        return False
    samples = list(zip(series.timestamps_ms, series.values, strict=True))
    floats = [(time_ms, value) for time_ms, value in samples if not isinstance(value, FloatHistogram)]
    late.points[series.labels] = (
        np.array([time_ms for time_ms, _ in floats], dtype=np.int64),
        np.array([value for _, value in floats], dtype=np.float64),
    )
    late.histograms[series.labels] = [
        (time_ms, value) for time_ms, value in samples if isinstance(value, FloatHistogram)
    ]
    return True


def _check_clashes(store: LoggedStore, late: _Late, now_ms: int) -> None:
    known = held(store, {*late.points, *late.histograms}, now_ms)
    nothing: Mapping[int, Value] = {}
    for labels, time_ms, value in late.samples():
        there = known.get(labels, nothing).get(time_ms)
        if there is not None and not _is_same(there, value):
            raise FakeError(f"{series_text(labels)} has another value at {time_ms / 1000} already")


def _is_same(one: Value, other: Value) -> bool:
    if isinstance(one, FloatHistogram) or isinstance(other, FloatHistogram):
        return one == other
    return struct.pack("<d", one) == struct.pack("<d", other)


def _append_mixed(store: LoggedStore, series: MixedSeries) -> None:
    ids = store.series_ids([series.labels])
    for time_ms, value in zip(series.timestamps_ms, series.values, strict=True):
        if isinstance(value, FloatHistogram):
            store.append_histograms(int(ids[0]), [time_ms], [value])
        else:
            store.append(ids, time_ms, np.array([value]))
