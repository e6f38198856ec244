"""Storing what a request brought, and telling what was refused."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from miniprom.remote_write.request import WriteBatch
from miniprom.remote_write.series_memory import REFUSED_ID, SeriesMemory
from tsdb import STALE, Outcome, Store
from tsdb.sample import BoolArray, IntArray

_REASONS: Final = {
    Outcome.OUT_OF_ORDER: "out of order sample",
    Outcome.DUPLICATE: "duplicate sample for timestamp",
    Outcome.TOO_OLD: "out of bounds",
    Outcome.NO_ROOM: "the memory limit leaves no room for new series",
}
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
    ids = memory.series_ids(batch.series)
    timestamps_ms = np.array(batch.timestamps_ms, dtype=np.int64)
    values = np.frombuffer(b"".join(batch.values), dtype="<f8").astype(np.float64)
    valid = ids != REFUSED_ID
    ahead = valid & (timestamps_ms > latest_ms)
    found.invalid_labels += int(np.count_nonzero(~valid))
    if ahead.any():
        found.refused[_TOO_FAR_AHEAD] += int(np.count_nonzero(ahead))
    stored: BoolArray = valid & ~ahead
    accepted = np.flatnonzero(stored)
    for turn in _rounds(ids[accepted]):
        rows = accepted[turn]
        first_ms = int(timestamps_ms[rows[0]])
        at_once = (timestamps_ms[rows] == first_ms).all()
        appended = store.append(ids[rows], first_ms if at_once else timestamps_ms[rows], values[rows])
        if appended.outcomes is not None:
            stored[rows] = appended.outcomes == Outcome.STORED
            found.refused.update(
                {
                    reason: int(np.count_nonzero(appended.outcomes == outcome))
                    for outcome, reason in _REASONS.items()
                    if (appended.outcomes == outcome).any()
                }
            )
    found.samples += int(np.count_nonzero(stored))


def _rounds(ids: IntArray) -> list[IntArray]:
    """Positions such that no round holds a series twice, and each series' samples keep their order."""
    if not len(ids):
        return []
    if len(np.unique(ids)) == len(ids):
        return [np.arange(len(ids))]
    order = np.argsort(ids, kind="stable")
    firsts = np.flatnonzero(np.diff(ids[order], prepend=ids[order[0]] - 1))
    turns = np.empty(len(ids), dtype=np.int64)
    turns[order] = np.arange(len(ids)) - np.repeat(firsts, np.diff(firsts, append=len(ids)))
    return np.split(np.argsort(turns, kind="stable"), np.cumsum(np.bincount(turns))[:-1])
