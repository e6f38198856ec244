"""A set of series that is written whole, time and again."""

from collections.abc import Sequence

import numpy as np

from tsdb import STALE, Labels, Store
from tsdb.sample import FloatArray, IntArray


class StateWriter:
    """Writes samples, and a stale marker for each series that was there the last time and is not now.

    What the store has no room for is left out.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._epoch = store.epoch
        self._alive: IntArray = np.empty(0, dtype=np.int64)

    def write(self, labels: Sequence[Labels], values: FloatArray, now_ms: int) -> None:
        """One sample a series: `values[series]`, all at one time."""
        since, self._epoch = self._epoch, self._store.epoch
        if since != self._epoch:
            self._alive = self._alive[~self._store.reclaimed(self._alive, since)]
        ids = self._store.series_ids(labels)
        has_room = ids >= 0
        ids, values = ids[has_room], values[has_room]
        stale = self._alive[~np.isin(self._alive, ids)]
        self._alive = ids
        self._store.append(
            np.concatenate((ids, stale)), now_ms, np.concatenate((values, np.full(len(stale), STALE)))
        )
