"""What a query reads: series picked by matchers, their samples as slabs of matrices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tsdb.arrays import runs
from tsdb.held import HeldRing, held
from tsdb.histogram import FloatHistogram
from tsdb.index_view import IndexView
from tsdb.labelframe import LabelFrame, LabelScope
from tsdb.matcher import Matcher
from tsdb.reading import Matrices, read_slab
from tsdb.ring import RingView
from tsdb.sample import FOREVER_MS, NEVER_MS, CodeArray, IntArray
from tsdb.slab import Slab
from tsdb.track import Track


@dataclass(frozen=True)
class HistogramSeries:
    """The native histograms of one selected series; `position` is its row in `Selection.labels`."""

    position: int
    timestamps_ms: IntArray
    histograms: Sequence[FloatHistogram]


@dataclass(frozen=True)
class StartTimestamps:
    """When the counts of one selected series began, by the time of the sample that said so."""

    position: int
    timestamps_ms: IntArray
    start_timestamps_ms: IntArray


@dataclass(frozen=True)
class Selection:
    """Series and their samples in a range.

    Every series with floats stands in one slab. A series may have floats and histograms, at different
    times; its stale markers are floats, also those that end histograms.
    """

    labels: LabelFrame
    slabs: tuple[Slab, ...]
    histograms: tuple[HistogramSeries, ...] = ()
    start_timestamps: tuple[StartTimestamps, ...] = ()


@dataclass(frozen=True)
class SeriesTable:
    """What the store knows of each series id, over at least the ids of the index view beside it."""

    first_ms: IntArray
    newest_ms: IntArray
    ring: CodeArray


class Snapshot:
    """The store at one moment, for one query; safe in any thread, whatever the writer does meanwhile.

    Samples older than the retention are not seen; one exactly as old is.
    """

    def __init__(
        self,
        *,
        index: IndexView,
        scope: LabelScope,
        table: SeriesTable,
        rings: Sequence[RingView],
        matrices: Matrices,
        histograms: Mapping[int, Track[FloatHistogram]],
        start_timestamps: Mapping[int, Track[int]],
        oldest_ms: int | None,
    ) -> None:
        self.scope = scope
        self._index = index
        self._table = table
        self._rings = rings
        self._matrices = matrices
        self._histograms = histograms
        self._start_timestamps = start_timestamps
        self._oldest_ms = oldest_ms
        self._selected: dict[tuple[tuple[Matcher, ...], int, int], Selection] = {}

    @property
    def oldest_ms(self) -> int | None:
        """The time before which nothing is seen; None if everything is kept."""
        return self._oldest_ms

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Selection:
        """The series that satisfy all matchers, and their samples in the range, both ends inclusive."""
        key = tuple(matchers), self._clipped(start_ms), end_ms
        found = self._selected.get(key)
        if found is None:
            found = self._selected[key] = self._select(*key)
        return found

    def _select(self, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> Selection:
        matched = self._index.matched(matchers)
        ids = self._alive(matched.ids, start_ms, end_ms)
        labels = LabelFrame(self.scope, matched.columns, len(ids))
        return Selection(
            labels if ids is matched.ids else self._index.frame(self.scope, ids),
            self._slabs(ids, start_ms, end_ms),
            self._histogram_series(ids, start_ms, end_ms),
            self._starts(ids, start_ms, end_ms),
        )

    def matching(self, matchers: Sequence[Matcher]) -> int:
        """How many series satisfy all matchers, whether or not they have samples: quickly told."""
        return len(self._index.matched(tuple(matchers)).ids)

    def series(self, matcher_sets: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int) -> LabelFrame:
        """Labels of the series that satisfy one of the sets (no set: all) and have samples in the range.

        "In the range" is told from the times of a series' first and newest sample: one that pauses
        all through the range is listed.
        """
        return self._index.frame(self.scope, self._ids(matcher_sets, start_ms, end_ms))

    def label_names(self, matcher_sets: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int) -> list[str]:
        """Label names of what `series` lists, ascending."""
        return self._index.names(self._ids(matcher_sets, start_ms, end_ms))

    def label_values(
        self, name: str, matcher_sets: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int
    ) -> list[str]:
        """Values of label `name` of what `series` lists, ascending."""
        return self._index.values(name, self._ids(matcher_sets, start_ms, end_ms))

    def rings(self, without: Sequence[int] = ()) -> Iterator[HeldRing]:
        """The floats of all series as they are held, but for those at some positions.

        A position is one in the labels of a selection of all series. Requires: a `still` snapshot.
        """
        table = self._table
        ids = self._ids((), NEVER_MS, FOREVER_MS)
        position_of = np.full(len(table.ring), -1)
        position_of[ids] = np.arange(len(ids))
        position_of[ids[list(without)]] = -1
        first_ms, newest_ms = table.first_ms[ids], table.newest_ms[ids]
        oldest_ms = NEVER_MS if self._oldest_ms is None else self._oldest_ms
        for number, view in enumerate(self._rings):

            def own(series: CodeArray, number: int = number) -> IntArray:
                return np.where(table.ring[series] == number, position_of[series], -1)

            ring = held(view, own, first_ms, newest_ms, oldest_ms)
            if ring:
                yield ring

    def _ids(self, matcher_sets: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int) -> IntArray:
        chosen = [self._index.match(matchers) for matchers in matcher_sets or ((),)]
        ids = chosen[0] if len(chosen) == 1 else np.unique(np.concatenate(chosen))
        return self._alive(ids, self._clipped(start_ms), end_ms)

    def _clipped(self, start_ms: int) -> int:
        return start_ms if self._oldest_ms is None else max(start_ms, self._oldest_ms)

    def _alive(self, ids: IntArray, start_ms: int, end_ms: int) -> IntArray:
        """Those of the series that may have samples in the range; the same array if all may."""
        alive = (self._table.first_ms[ids] <= end_ms) & (self._table.newest_ms[ids] >= start_ms)
        return ids if alive.all() else ids[alive]

    def _slabs(self, ids: IntArray, start_ms: int, end_ms: int) -> tuple[Slab, ...]:
        rings = self._table.ring[ids]
        slabs = []
        for positions in runs(rings):
            ring = int(rings[positions[0]])
            if 0 <= ring < len(self._rings):
                view, selected = self._rings[ring], (positions, ids[positions])
                slab = read_slab(self._matrices, (ring, view), selected, start_ms, end_ms)
                slabs += [slab] if len(slab.timestamps_ms) else []
        return tuple(slabs)

    def _histogram_series(self, ids: IntArray, start_ms: int, end_ms: int) -> tuple[HistogramSeries, ...]:
        found = []
        for position, series_id in _held(ids, self._histograms):
            timestamps_ms, histograms = self._histograms[series_id].between(start_ms, end_ms)
            if timestamps_ms:
                found.append(HistogramSeries(position, np.array(timestamps_ms, dtype=np.int64), histograms))
        return tuple(found)

    def _starts(self, ids: IntArray, start_ms: int, end_ms: int) -> tuple[StartTimestamps, ...]:
        found = []
        for position, series_id in _held(ids, self._start_timestamps):
            timestamps_ms, starts_ms = self._start_timestamps[series_id].between(start_ms, end_ms)
            if timestamps_ms:
                times = np.array(timestamps_ms, dtype=np.int64)
                found.append(StartTimestamps(position, times, np.array(starts_ms, dtype=np.int64)))
        return tuple(found)


def _held(ids: IntArray, tracks: Mapping[int, object]) -> list[tuple[int, int]]:
    """Position and id of the series that have a track."""
    if not tracks:
        return []
    return [(position, series_id) for position, series_id in enumerate(ids.tolist()) if series_id in tracks]
