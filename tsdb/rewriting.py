"""Samples taken out of a store's history, and put into it.

A store only appends. So a series whose history changes is forgotten, and its labels are appended again.
Snapshots taken before keep what they show. None of it is logged: a checkpoint must follow.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from tsdb.histogram import FloatHistogram
from tsdb.history import matrices, mixed
from tsdb.labels import METRIC_NAME, Labels
from tsdb.matcher import Matcher, MatchOp
from tsdb.sample import FOREVER_MS, NEVER_MS, BoolArray, FloatArray, IntArray, is_absent
from tsdb.snapshot import Selection
from tsdb.wal_store import LoggedStore

Points: TypeAlias = tuple[IntArray, FloatArray]
"""Times in milliseconds, and values."""
TimedHistogram: TypeAlias = tuple[int, FloatHistogram]
Value: TypeAlias = float | FloatHistogram

_NO_POINTS: Points = np.zeros(0, dtype=np.int64), np.zeros(0)


@dataclass(frozen=True)
class _History:
    """The samples of one series, each kind ascending by time."""

    floats: Points = _NO_POINTS
    histograms: Sequence[TimedHistogram] = ()
    starts: tuple[Sequence[int], Sequence[int]] | None = None

    def samples(self) -> dict[int, Value]:
        """All of either kind, by time."""
        times_ms, values = self.floats
        return {**dict(zip(times_ms.tolist(), values.tolist(), strict=True)), **dict(self.histograms)}

    def with_more(self, floats: Points, histograms: Sequence[TimedHistogram]) -> "_History":
        """With samples at times that had none."""
        here_ms, values = self.floats
        times_ms, added = floats
        free = ~np.isin(times_ms, [time_ms for time_ms, _ in self.histograms])
        joined = _Pieces([here_ms, times_ms[free]], [values, added[free]]).joined()
        taken = {*joined[0].tolist(), *(time_ms for time_ms, _ in self.histograms)}
        fresh = [one for one in histograms if one[0] not in taken]
        return replace(self, floats=joined, histograms=sorted((*self.histograms, *fresh), key=_time))


@dataclass
class _Pieces:
    """A history that is being gathered."""

    times_ms: list[IntArray] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)

    def joined(self) -> Points:
        """In order; of two samples of one time the first."""
        values = np.concatenate(self.values)
        here = ~is_absent(values)
        times_ms, first = np.unique(np.concatenate(self.times_ms)[here], return_index=True)
        return times_ms, values[here][first]


def delete(store: LoggedStore, matchers: Sequence[Matcher], start_ms: int, end_ms: int, now_ms: int) -> None:
    """Forget the samples of the series that satisfy all matchers in a range, both ends inclusive."""
    old = _histories(store.snapshot(now_ms).select(matchers, NEVER_MS, FOREVER_MS))
    new = {}
    for labels, history in old.items():
        times_ms, values = history.floats
        kept = (times_ms < start_ms) | (times_ms > end_ms)
        histograms = [one for one in history.histograms if not start_ms <= one[0] <= end_ms]
        if histograms or kept.any():
            new[labels] = replace(history, floats=(times_ms[kept], values[kept]), histograms=histograms)
    _rewrite(store, list(old), new)


def insert(
    store: LoggedStore,
    points: Mapping[Labels, Points],
    now_ms: int,
    histograms: Mapping[Labels, Sequence[TimedHistogram]] = MappingProxyType({}),
) -> int:
    """Add samples at any times, as far back as the retention reaches; how many were older.

    Of two samples of a series at one time the one stays that was there, or came first.
    """
    oldest_ms = NEVER_MS if store.retention_ms is None else now_ms - store.retention_ms
    old = _named(store, (*points, *histograms), now_ms)
    new = {}
    too_old = 0
    for labels in dict.fromkeys((*points, *histograms)):
        history = old.get(labels, _History())
        times_ms, values = points.get(labels, _NO_POINTS)
        timed = histograms.get(labels, ())
        is_fresh = times_ms >= oldest_ms
        fresh_histograms = [one for one in timed if one[0] >= oldest_ms]
        too_old += int(np.count_nonzero(~is_fresh)) + len(timed) - len(fresh_histograms)
        if fresh_histograms or is_fresh.any():
            new[labels] = history.with_more((times_ms[is_fresh], values[is_fresh]), fresh_histograms)
    _rewrite(store, [labels for labels in new if labels in old], new)
    return too_old


def reaching(store: LoggedStore, series_ids: IntArray, time_ms: int) -> BoolArray:
    """Which series have samples at a time or later, so that one of this time can't be appended."""
    late: BoolArray = store._newest_ms[series_ids] >= time_ms
    return late


def held(store: LoggedStore, series: Iterable[Labels], now_ms: int) -> dict[Labels, dict[int, Value]]:
    """The samples of series, those of them that there are, by time."""
    wanted = set(series)
    return {
        labels: history.samples()
        for labels, history in _named(store, wanted, now_ms).items()
        if labels in wanted
    }


def _named(store: LoggedStore, series: Iterable[Labels], now_ms: int) -> dict[Labels, _History]:
    """The histories of all series that share their name with one of these."""
    old: dict[Labels, _History] = {}
    for name in sorted({dict(labels).get(METRIC_NAME, "") for labels in series}):
        named = [Matcher(METRIC_NAME, MatchOp.EQUAL, name)]
        old |= _histories(store.snapshot(now_ms).select(named, NEVER_MS, FOREVER_MS))
    return old


def _histories(selection: Selection) -> dict[Labels, _History]:
    pieces: dict[int, _Pieces] = {}
    for series, timestamps_ms, values in matrices(selection):
        for column, position in enumerate(series.tolist()):
            gathered = pieces.setdefault(position, _Pieces())
            gathered.times_ms.append(timestamps_ms)
            gathered.values.append(values[:, column])
    found = {position: _History(gathered.joined()) for position, gathered in pieces.items()}
    for position, samples in mixed(selection):
        floats = [(time_ms, value) for time_ms, value in samples if not isinstance(value, FloatHistogram)]
        times_ms = np.array([time_ms for time_ms, _ in floats], dtype=np.int64)
        values = np.concatenate([value for _, value in floats]) if floats else np.zeros(0)
        histograms = [(time_ms, value) for time_ms, value in samples if isinstance(value, FloatHistogram)]
        found[position] = _History((times_ms, values), histograms)
    for starts in selection.start_timestamps:
        if starts.position in found:
            given = starts.timestamps_ms.tolist(), starts.start_timestamps_ms.tolist()
            found[starts.position] = replace(found[starts.position], starts=given)
    labels = selection.labels.series()
    return {labels[position]: history for position, history in found.items()}


def _rewrite(store: LoggedStore, old: Sequence[Labels], new: Mapping[Labels, _History]) -> None:
    """Forget series, then append others, those together that share their times."""
    together: dict[bytes, list[Labels]] = {}
    with store.rewriting(old):
        for labels, history in new.items():
            if history.histograms:
                _append_mixed(store, labels, history)
            else:
                together.setdefault(history.floats[0].tobytes(), []).append(labels)
        for series in together.values():
            values = np.stack([new[labels].floats[1] for labels in series], axis=1)
            store.append_matrix(store.series_ids(series, is_vital=True), new[series[0]].floats[0], values)
        for labels, history in new.items():
            if history.starts:
                store.append_start_timestamps(
                    int(store.series_ids([labels], is_vital=True)[0]), *history.starts
                )


def _append_mixed(store: LoggedStore, labels: Labels, history: _History) -> None:
    ids = store.series_ids([labels], is_vital=True)
    times_ms, values = history.floats
    floats = {time_ms: row for row, time_ms in enumerate(times_ms.tolist())}
    histograms = dict(history.histograms)
    for time_ms in sorted(floats.keys() | histograms.keys()):
        if time_ms in histograms:
            store.append_histograms(int(ids[0]), [time_ms], [histograms[time_ms]])
        else:
            row = floats[time_ms]
            store.append(ids, time_ms, values[row : row + 1])


def _time(sample: TimedHistogram) -> int:
    return sample[0]
