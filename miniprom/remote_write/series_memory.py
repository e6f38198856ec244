"""Which series the raw labels of remote write stand for."""

import logging
from collections.abc import Sequence
from typing import Final

import numpy as np

from miniprom.remote_write.request import BadLabelsError, decode_labels
from tsdb import NO_ROOM, Store
from tsdb.sample import BoolArray, CodeArray, IntArray

_log = logging.getLogger(__name__)

REFUSED_ID: Final = -1
_MAX_REMEMBERED: Final = 1 << 20


class SeriesMemory:
    """The series of raw labels seen before. Emptied when senders have sent more than it shall hold.

    Labels are known by 64 bits of a keyed hash, which takes 12 bytes a series instead of 300; that two of a
    million series have the same is one chance in thirty million.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hashes: IntArray = np.zeros(0, dtype=np.int64)  # ascending
        self._ids: CodeArray = np.zeros(0, dtype=np.int32)
        self._epoch = store.epoch

    def __len__(self) -> int:
        return len(self._hashes)

    def series_ids(self, raw_labels: Sequence[bytes]) -> IntArray:
        """The id of each series, NO_ROOM where the store gave none, -1 where the labels are invalid.

        Raises `WireError`.
        """
        if len(self) > _MAX_REMEMBERED:
            self._keep(np.zeros(len(self), dtype=np.bool_))
        self._give_up_reclaimed()
        hashes = np.fromiter(map(hash, raw_labels), dtype=np.int64, count=len(raw_labels))
        at, known = self._find(hashes)
        if known.all():
            return self._ids[at].astype(np.int64)
        new = np.flatnonzero(~known)
        firsts = new[np.sort(np.unique(hashes[new], return_index=True)[1])]
        ids = self._new_ids([raw_labels[position] for position in firsts.tolist()])
        remembered = ids != NO_ROOM
        self._remember(hashes[firsts[remembered]], ids[remembered])
        at, known = self._find(hashes)
        found = np.full(len(hashes), NO_ROOM)
        found[known] = self._ids[at[known]]
        return found

    def _find(self, hashes: IntArray) -> tuple[IntArray, BoolArray]:
        """Where each hash stands, or would stand; and whether it does."""
        at = np.searchsorted(self._hashes, hashes)
        known = at < len(self)
        known[known] = self._hashes[at[known]] == hashes[known]
        return at, known

    def _new_ids(self, raw_labels: Sequence[bytes]) -> IntArray:
        ids = np.full(len(raw_labels), REFUSED_ID)
        labels = {}
        for position, raw in enumerate(raw_labels):
            try:
                labels[position] = decode_labels(raw)
            except BadLabelsError as error:
                _log.warning("Invalid metric names or labels", extra={"err": str(error)})
        ids[list(labels)] = self._store.series_ids(labels.values())
        return ids

    def _remember(self, hashes: IntArray, ids: IntArray) -> None:
        """Requires: the hashes are new."""
        order = np.argsort(hashes)
        at = np.searchsorted(self._hashes, hashes[order])
        self._hashes = np.insert(self._hashes, at, hashes[order])
        self._ids = np.insert(self._ids, at, ids[order])

    def _keep(self, kept: BoolArray) -> None:
        self._hashes, self._ids = self._hashes[kept], self._ids[kept]

    def _give_up_reclaimed(self) -> None:
        since, self._epoch = self._epoch, self._store.epoch
        if since != self._epoch:
            self._keep((self._ids == REFUSED_ID) | ~self._store.reclaimed(self._ids.astype(np.int64), since))
