"""`load` statements into a store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from miniprom.promqltest.custom_buckets import native_histograms
from miniprom.promqltest.errors import NotationError
from miniprom.promqltest.histogram_notation import StatedHistogram
from miniprom.promqltest.series import SeriesLine, SeriesValue
from miniprom.promqltest.statements import Load, LoadedSeries
from tsdb import ABSENT
from tsdb.appended import Appended
from tsdb.sample import IntArray
from tsdb.store import Store


def load(store: Store, statement: Load, *, start_ms: int = 0) -> None:
    """Append all samples of a `load` from `start_ms` on. Raises `NotationError` if one can't be stored."""
    times = _Times(start_ms, statement.interval_ms)
    # The last line of a series wins, as upstream.
    loaded = {line.series.labels: line for line in statement.series}
    lines = [line.series for line in loaded.values()]
    store.series_ids([line.labels for line in lines])  # a script's series in its order, of whatever kind
    pure = [line for line in lines if not _has_histograms(line)]
    _load_floats(store, pure, times)
    mixed = [line for line in lines if _has_histograms(line)]
    for line in mixed + (native_histograms(lines) if statement.with_custom_buckets else []):
        _load_mixed(store, line, times)
    for loaded_series in loaded.values():
        _load_start_timestamps(store, loaded_series, times)


@dataclass(frozen=True)
class _Times:
    """When the values of a line were taken."""

    start_ms: int
    interval_ms: int

    def at(self, row: int) -> int:
        return self.start_ms + row * self.interval_ms

    def up_to(self, rows: int) -> IntArray:
        return self.start_ms + np.arange(rows, dtype=np.int64) * self.interval_ms


def _has_histograms(line: SeriesLine) -> bool:
    return any(isinstance(value, StatedHistogram) for value in line.values)


def _load_floats(store: Store, lines: Sequence[SeriesLine], times: _Times) -> None:
    rows = max((len(line.values) for line in lines), default=0)
    if not rows:
        return
    values = np.full((rows, len(lines)), ABSENT)
    for column, line in enumerate(lines):
        for row, value in enumerate(line.values):
            if isinstance(value, float):
                values[row, column] = value
    series_ids = store.series_ids([line.labels for line in lines])
    _check(store.append_matrix(series_ids, times.up_to(rows), values))


def _load_mixed(store: Store, line: SeriesLine, times: _Times) -> None:
    """A series with native histograms, in runs of floats and of histograms, oldest first."""
    series_ids = store.series_ids([line.labels])
    for run in _runs(line.values, times):
        timestamps_ms = [time_ms for time_ms, _ in run]
        histograms = [value.histogram for _, value in run if isinstance(value, StatedHistogram)]
        if histograms:
            _check(store.append_histograms(int(series_ids[0]), timestamps_ms, histograms))
        else:
            floats = np.array([value for _, value in run], dtype=np.float64)
            _check(
                store.append_matrix(
                    series_ids, np.array(timestamps_ms, dtype=np.int64), floats[:, np.newaxis]
                )
            )


def _runs(values: Sequence[SeriesValue], times: _Times) -> Iterator[list[tuple[int, SeriesValue]]]:
    samples = [(times.at(row), value) for row, value in enumerate(values) if value is not None]
    for _, run in groupby(samples, key=lambda sample: isinstance(sample[1], StatedHistogram)):
        yield list(run)


def _load_start_timestamps(store: Store, loaded: LoadedSeries, times: _Times) -> None:
    if loaded.start_offsets_ms is None:
        return
    stated = [
        (times.at(row), times.at(row) + offset_ms)
        for row, (value, offset_ms) in enumerate(
            zip(loaded.series.values, loaded.start_offsets_ms, strict=True)
        )
        if value is not None and offset_ms is not None
    ]
    series_id = int(store.series_ids([loaded.series.labels])[0])
    store.append_start_timestamps(series_id, [at for at, _ in stated], [start for _, start in stated])


def _check(appended: Appended) -> None:
    refused = {
        "out of order": appended.out_of_order,
        "duplicate": appended.duplicate,
        "too old": appended.too_old,
    }
    reasons = [f"{count} {reason}" for reason, count in refused.items() if count]
    if reasons:
        raise NotationError(f"samples that can't be stored: {', '.join(reasons)}")
