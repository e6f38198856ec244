"""The samples of one request as arrays."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tsdb.histogram import FloatHistogram
from tsdb.sample import STALE_BITS, FloatArray, IntArray

_STALE: Final = struct.pack("<Q", STALE_BITS)


@dataclass(frozen=True)
class WriteBatch:
    """The samples of one request, in its order: those of one series ascend if the sender kept the rules."""

    series: list[bytes]
    """The raw labels of each series with floats, as often as it stands in the request."""
    counts: IntArray
    """How many samples each of them has; `timestamps_ms` and `values` hold them one series after another."""
    timestamps_ms: IntArray
    values: FloatArray
    histograms: list[tuple[bytes, int, FloatHistogram | None]] = field(default_factory=list)
    """Raw labels, time in milliseconds, value; None marks the series stale."""
    problems: list[str] = field(default_factory=list)
    """What was wrong with series that are left out."""


class Gathering:
    """A batch that is put together series by series."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._series: list[bytes] = []
        self._counts: list[int] = []
        self._values: list[
            bytes
        ] = []  # float64 in little-endian bytes: a staleness marker is told by its bits
        self._timestamps_ms: list[int] = []
        self._histograms: list[tuple[bytes, int, FloatHistogram | None]] = []

    def add(
        self,
        raw_labels: bytes,
        samples: list[tuple[bytes, int]],
        histograms: Iterable[tuple[int, FloatHistogram]],
    ) -> None:
        """The samples of one series: value and time, time and histogram."""
        for time_ms, histogram in histograms:
            is_stale = struct.pack("<d", histogram.sum) == _STALE
            self._histograms.append((raw_labels, time_ms, None if is_stale else histogram))
        if samples:
            self._series.append(raw_labels)
            self._counts.append(len(samples))
            self._values += [value for value, _ in samples]
            self._timestamps_ms += [time_ms for _, time_ms in samples]

    def batch(self) -> WriteBatch:
        return WriteBatch(
            self._series,
            np.array(self._counts, dtype=np.int64),
            np.array(self._timestamps_ms, dtype=np.int64),
            np.frombuffer(b"".join(self._values), dtype="<f8").astype(np.float64),
            self._histograms,
            self.problems,
        )
