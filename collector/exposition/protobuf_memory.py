"""`ProtobufMemory`: what `LineMemory` is for lines. Samples are decoded each time, labels once a series."""

from collections.abc import Mapping

import numpy as np

from collector.exposition.changes import NO_TIMESTAMP
from collector.exposition.memory import HistogramSample, Repeat, Update
from collector.exposition.model import Metadata
from collector.exposition.protobuf import Reading, read_body
from collector.exposition.slots import Slots
from tsdb import Labels
from tsdb.sample import IntArray


class ProtobufMemory:
    """The series of one target's last body. An update that raises has changed nothing."""

    def __init__(self, *, native: bool, with_classic: bool) -> None:
        """See `read_body`."""
        self._native = native
        self._with_classic = with_classic
        self._known = Slots()
        self._present = np.empty(0, np.int64)
        self._slots = np.empty(0, np.int64)
        self._metadata: Mapping[str, Metadata] = {}

    def update(self, body: bytes) -> Update:
        """Replace the remembered body by this one. Raises `WireError`."""
        reading = read_body(body, native=self._native, with_classic=self._with_classic)
        slot_at, added, added_keys = self._assign(reading)
        self._known.take(added_keys)
        first = np.unique(slot_at, return_index=True)[1]
        is_first = np.zeros(len(slot_at), np.bool_)
        is_first[first] = True
        is_float = np.ones(len(slot_at), np.bool_)
        is_float[list(reading.histograms)] = False
        chosen = np.flatnonzero(is_first & is_float)
        if not np.array_equal(slot_at[chosen], self._slots):
            self._slots = slot_at[chosen]
        present = np.unique(slot_at)
        vanished = np.setdiff1d(self._present, present, assume_unique=True)
        self._known.release(vanished.tolist())
        self._present = present
        metadata = None if reading.metadata == self._metadata else reading.metadata
        self._metadata = reading.metadata
        timestamps_ms = np.array(reading.timestamps_ms, np.int64)
        has_times = bool((timestamps_ms[chosen] != NO_TIMESTAMP).any())
        return Update(
            slots=self._slots,
            values=np.array(reading.values, np.float64)[chosen],
            timestamps_ms=timestamps_ms[chosen] if has_times else None,
            added=added,
            vanished=vanished,
            repeats=[
                Repeat(int(slot_at[at]), reading.values[at], _time(reading.timestamps_ms[at]))
                for at in np.flatnonzero(~is_first & is_float).tolist()
            ],
            metadata=metadata,
            histograms=tuple(
                HistogramSample(int(slot_at[at]), histogram, _time(reading.timestamps_ms[at]))
                for at, histogram in reading.histograms.items()
            ),
        )

    def _assign(self, reading: Reading) -> tuple[IntArray, dict[int, Labels], dict[bytes, int]]:
        """The slot of each sample, and the series that are new. Raises `WireError`."""
        keys = [series.key() for series in reading.series]
        slots = self._known.find(keys)
        added: dict[int, Labels] = {}
        added_keys: dict[bytes, int] = {}
        for at in np.flatnonzero(slots < 0).tolist():
            slot = added_keys.get(keys[at])
            if slot is None:
                slot = added_keys[keys[at]] = self._known.vacant(len(added_keys))
                added[slot] = reading.series[at].labels()
            slots[at] = slot
        return slots, added, added_keys


def _time(timestamp_ms: int) -> int | None:
    return None if timestamp_ms == NO_TIMESTAMP else timestamp_ms
