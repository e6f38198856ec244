"""Which series the raw labels of remote write stand for."""

import logging
from collections.abc import Sequence
from itertools import compress
from typing import Final

import numpy as np

from miniprom.remote_write.request import BadLabelsError, decode_labels
from tsdb import NO_ROOM, Store
from tsdb.sample import IntArray

_log = logging.getLogger(__name__)

REFUSED_ID: Final = -1
_MAX_REMEMBERED: Final = 1 << 20


class SeriesMemory:
    """The series of raw labels seen before. Emptied when senders have sent more than it shall hold."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.ids: dict[bytes, int] = {}
        self._epoch = store.epoch

    def series_ids(self, raw_labels: Sequence[bytes]) -> IntArray:
        """The id of each series, NO_ROOM where the store gave none, -1 where the labels are invalid.

        Raises `WireError`.
        """
        if len(self.ids) > _MAX_REMEMBERED:
            self.ids.clear()
        self._give_up_reclaimed()
        new = dict.fromkeys(raw for raw in raw_labels if raw not in self.ids)
        labels = {}
        for raw in new:
            try:
                labels[raw] = decode_labels(raw)
            except BadLabelsError as error:
                _log.warning("Invalid metric names or labels", extra={"err": str(error)})
                self.ids[raw] = REFUSED_ID
        created = self._store.series_ids(list(labels.values()))
        self.ids.update(
            (raw, series_id)
            for raw, series_id in zip(labels, created.tolist(), strict=True)
            if series_id != NO_ROOM
        )
        return np.array([self.ids.get(raw, NO_ROOM) for raw in raw_labels], dtype=np.int64)

    def _give_up_reclaimed(self) -> None:
        since, self._epoch = self._epoch, self._store.epoch
        if since == self._epoch:
            return
        ids = np.fromiter(self.ids.values(), dtype=np.int64, count=len(self.ids))
        gone = (ids != REFUSED_ID) & self._store.reclaimed(ids, since)
        for raw in list(compress(self.ids, gone.tolist())):
            del self.ids[raw]
