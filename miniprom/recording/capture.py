"""Raw series from the API of a server: Prometheus, VictoriaMetrics or ours.

The API shows no stale markers. Where one must be is told by what it shows: a series whose newest sample is
young enough, but which an instant selector does not give, has ended in between.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np

from miniprom.recording.file import RecordingError, Samples
from query.execution.reads import Read
from query.language.ast import VectorSelector
from query.language.printer import format_expr
from tsdb import STALE, Labels, Matcher, labels_from
from tsdb.sample import FloatArray, IntArray

_SLICE_MS: Final = 3_600_000
_STEPS_OF_A_QUERY: Final = 10_000
_MOST_SAMPLES: Final = 20_000_000

Ask: TypeAlias = Callable[[str, Mapping[str, str]], Any]
"""(endpoint below /api/v1, parameters) -> the answer's `data`. Raises `MinipromError`."""


@dataclass
class _Series:
    """Pieces of what is known of a series: samples, and when an instant selector asked for it and gave it."""

    times_ms: list[IntArray] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)
    asked_ms: list[IntArray] = field(default_factory=list)
    shown_ms: list[IntArray] = field(default_factory=list)


class Capture:
    """Gathers what queries read. `left_out` counts native histograms, which the API does not show whole."""

    def __init__(self, ask: Ask, lookback_ms: int) -> None:
        self._ask = ask
        self._lookback_ms = lookback_ms
        self._series: dict[Labels, _Series] = {}
        self._samples = 0
        self.left_out = 0

    def read(self, read: Read) -> int:
        """Ask for all that a selector reads; how many series there were. Raises `RecordingError`."""
        found: set[Labels] = set()
        for after_ms in range(read.start_ms, read.end_ms, _SLICE_MS):
            until_ms = min(after_ms + _SLICE_MS, read.end_ms)
            found |= self._read_range(read.matchers, after_ms, until_ms)
        if found and read.newest_at_ms is not None:
            for labels in found:
                self._series[labels].asked_ms.append(read.newest_at_ms)
            for labels, shown_ms in self._shown(read.matchers, read.newest_at_ms):
                self._series.setdefault(labels, _Series()).shown_ms.append(shown_ms)
        return len(found)

    def samples(self) -> Samples:
        """All samples so far, with stale markers where some must be."""
        return {
            labels: _whole(series, self._lookback_ms)
            for labels, series in self._series.items()
            if series.times_ms
        }

    def _read_range(self, matchers: Sequence[Matcher], after_ms: int, until_ms: int) -> set[Labels]:
        text = f"{selector_text(matchers)}[{until_ms - after_ms}ms]"
        found = set()
        for each in self._ask("query", {"query": text, "time": _seconds(until_ms)})["result"]:
            self.left_out += len(each.get("histograms", ()))
            points = each.get("values", ())
            self._samples += len(points)
            if self._samples > _MOST_SAMPLES:
                raise RecordingError(
                    f"more than {_MOST_SAMPLES:,} samples are read: ask for less, or a shorter time"
                )
            if points:
                labels = labels_from(each["metric"])
                found.add(labels)
                series = self._series.setdefault(labels, _Series())
                series.times_ms.append(_times_ms(points))
                series.values.append(np.array([float(value) for _, value in points]))
        return found

    def _shown(self, matchers: Sequence[Matcher], times_ms: IntArray) -> Iterator[tuple[Labels, IntArray]]:
        """The times at which an instant selector gives each series."""
        text = selector_text(matchers)
        if len(times_ms) == 1:
            answer = self._ask("query", {"query": text, "time": _seconds(int(times_ms[0]))})
            for each in answer["result"]:
                yield labels_from(each["metric"]), times_ms
            return
        step_ms = int(times_ms[1] - times_ms[0])
        for first in range(0, len(times_ms), _STEPS_OF_A_QUERY):
            some_ms = times_ms[first : first + _STEPS_OF_A_QUERY]
            window = {"start": _seconds(int(some_ms[0])), "end": _seconds(int(some_ms[-1]))}
            answer = self._ask("query_range", {"query": text, **window, "step": _seconds(step_ms)})
            for each in answer["result"]:
                points = [*each.get("values", ()), *each.get("histograms", ())]
                yield labels_from(each["metric"]), np.sort(_times_ms(points))


def _whole(series: _Series, lookback_ms: int) -> tuple[IntArray, FloatArray]:
    times_ms, first = np.unique(np.concatenate(series.times_ms), return_index=True)
    values = np.concatenate(series.values)[first]
    if not series.asked_ms:
        return times_ms, values
    shown_ms = np.unique(np.concatenate([times_ms[:0], *series.shown_ms]))
    missing_ms = np.setdiff1d(np.concatenate(series.asked_ms), shown_ms)
    markers_ms = stale_markers(times_ms, shown_ms, missing_ms, lookback_ms)
    places = np.searchsorted(times_ms, markers_ms)
    return np.insert(times_ms, places, markers_ms), np.insert(values, places, STALE)


def stale_markers(times_ms: IntArray, shown_ms: IntArray, missing_ms: IntArray, lookback_ms: int) -> IntArray:
    """When a series was marked stale at the earliest: int64[marker], one at most after each sample.

    `times_ms` are those of its samples; it was shown at `shown_ms`, not at `missing_ms`. All ascend.
    """
    newest = np.searchsorted(times_ms, missing_ms, side="right") - 1
    is_young = (newest >= 0) & (times_ms[newest] > missing_ms - lookback_ms)
    samples, first = np.unique(newest[is_young], return_index=True)
    missed_ms = missing_ms[is_young][first]
    alive_ms = times_ms[samples]
    if len(shown_ms):
        shown = np.searchsorted(shown_ms, missed_ms) - 1
        alive_ms = np.where(shown >= 0, np.maximum(alive_ms, shown_ms[shown]), alive_ms)
    return alive_ms + 1


def selector_text(matchers: Sequence[Matcher]) -> str:
    return format_expr(VectorSelector(None, tuple(matchers)))


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"


def _times_ms(points: Sequence[Sequence[Any]]) -> IntArray:
    return np.array([round(point[0] * 1000) for point in points], dtype=np.int64)
