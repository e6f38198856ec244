"""Storing what a request brought, and telling what was refused."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from miniprom.remote_write.batch import WriteBatch
from miniprom.remote_write.series_memory import REFUSED_ID, SeriesMemory
from tsdb import STALE, Outcome, Store
from tsdb.appended import Appended
from tsdb.arrays import distinct
from tsdb.sample import FloatArray, IntArray, is_absent

_REASONS: Final = {
    Outcome.OUT_OF_ORDER: "out of order sample",
    Outcome.DUPLICATE: "duplicate sample for timestamp",
    Outcome.TOO_OLD: "out of bounds",
    Outcome.NO_ROOM: "the memory limit leaves no room for new series",
}
_MATRIX_ROWS: Final = 2
_TOO_FAR_AHEAD: Final = "out of bounds: timestamp is too far in the future"


@dataclass
class Ingested:
    """What became of a request. `refused` counts samples by reason, those with invalid labels aside."""

    samples: int = 0
    histograms: int = 0
    invalid_labels: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def ingest(store: Store, memory: SeriesMemory, batch: WriteBatch, latest_ms: int) -> Ingested:
    """Append a batch; samples later than `latest_ms` are refused. Raises `WireError`."""
    found = Ingested()
    _ingest_floats(store, memory, batch, latest_ms, found)
    ids = memory.series_ids([raw for raw, _, _ in batch.histograms])
    for series_id, (_, time_ms, histogram) in zip(ids.tolist(), batch.histograms, strict=True):
        if series_id == REFUSED_ID:
            found.invalid_labels += 1
        elif time_ms > latest_ms:
            found.refused[_TOO_FAR_AHEAD] += 1
        else:
            appended = (
                store.append(np.array([series_id]), time_ms, np.array([STALE]))
                if histogram is None
                else store.append_histograms(series_id, [time_ms], [histogram])
            )
            found.histograms += appended.stored
            if appended.outcomes is not None:
                found.refused[_REASONS[Outcome(int(appended.outcomes[0]))]] += 1
    return found


def _ingest_floats(
    store: Store, memory: SeriesMemory, batch: WriteBatch, latest_ms: int, found: Ingested
) -> None:
    series_ids = memory.series_ids(batch.series)
    matrix = _matrix(series_ids, batch, latest_ms)
    if matrix is not None:
        times_ms, values = matrix
        _count(store.append_matrix(series_ids, times_ms, values), found)
        return
    ids, times_ms, values = np.repeat(series_ids, batch.counts), batch.timestamps_ms, batch.values
    valid = ids != REFUSED_ID
    found.invalid_labels += int(np.count_nonzero(~valid))
    ahead = valid & (times_ms > latest_ms)
    if ahead.any():
        found.refused[_TOO_FAR_AHEAD] += int(np.count_nonzero(ahead))
    accepted = np.flatnonzero(valid & ~ahead)
    for turn in _rounds(ids[accepted]):
        rows = accepted[turn]
        first_ms = int(times_ms[rows[0]])
        at_once = (times_ms[rows] == first_ms).all()
        _count(store.append(ids[rows], first_ms if at_once else times_ms[rows], values[rows]), found)


def _matrix(ids: IntArray, batch: WriteBatch, latest_ms: int) -> tuple[IntArray, FloatArray] | None:
    """Times and values[row, series] where all series have samples at the same few times, in order."""
    rows = int(batch.counts[0]) if len(batch.counts) else 0
    if rows < _MATRIX_ROWS or (batch.counts != rows).any() or (ids == REFUSED_ID).any():
        return None
    times_ms = batch.timestamps_ms.reshape(-1, rows)
    ascends = (np.diff(times_ms[0]) > 0).all() and times_ms[0, -1] <= latest_ms
    if not ascends or (times_ms != times_ms[0]).any() or len(distinct(ids)) < len(ids):
        return None
    values = batch.values.reshape(-1, rows).T
    return None if is_absent(values).any() else (times_ms[0], values)


def _count(appended: Appended, found: Ingested) -> None:
    found.samples += appended.stored
    if appended.outcomes is not None:
        counts = np.bincount(appended.outcomes.ravel(), minlength=len(Outcome))
        found.refused.update({reason: int(counts[out]) for out, reason in _REASONS.items() if counts[out]})


def _rounds(ids: IntArray) -> list[IntArray]:
    """Positions such that no round holds a series twice, and each series' samples keep their order."""
    if not len(ids):
        return []
    if len(distinct(ids)) == len(ids):
        return [np.arange(len(ids))]
    order = np.argsort(ids, kind="stable")
    firsts = np.flatnonzero(np.diff(ids[order], prepend=ids[order[0]] - 1))
    turns = np.empty(len(ids), dtype=np.int64)
    turns[order] = np.arange(len(ids)) - np.repeat(firsts, np.diff(firsts, append=len(ids)))
    return np.split(np.argsort(turns, kind="stable"), np.cumsum(np.bincount(turns))[:-1])
