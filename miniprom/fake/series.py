"""The `series` form of loading: series, perhaps templates of many, and where their values come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from miniprom.fake.batch import Batch, Block, MixedSeries
from miniprom.fake.errors import FakeError
from miniprom.fake.fields import Fields, number, shown
from miniprom.fake.generators import is_seeded, read_signal
from miniprom.fake.histograms import NativeHistogram, read_histogram
from miniprom.promqltest.errors import NotationError
from miniprom.promqltest.histogram_notation import StatedHistogram
from miniprom.promqltest.series import MAX_VALUES, parse_metric, parse_sequence
from query.language.literals import LiteralError
from tsdb import ABSENT, METRIC_NAME, Labels, labels_from
from tsdb.histogram import FloatHistogram
from tsdb.sample import FloatArray, IntArray

PLACE: Final = "{i}"
"""In a label's value, or in a notation: the number of the series among those of a template, from 0 on."""

_DEFAULT_SPAN_MS: Final = 2 * 3_600_000
_MAX_SERIES: Final = 1_000_000
_MAX_SAMPLES: Final = 100_000_000
_NO_FLOATS: Final[FloatArray] = np.zeros(0)


@dataclass(frozen=True)
class Window:
    """When samples are: `interval_ms` apart, from `start_ms` on, or so that the last stands at `end_ms`."""

    interval_ms: int
    start_ms: int | None
    end_ms: int

    @staticmethod
    def of(fields: Fields) -> "Window":
        """As a request says. Raises `FakeError`."""
        interval_ms = fields.duration_ms("interval", 15_000)
        start_ms = fields.time_ms("start") if "start" in fields else None
        end_ms = fields.time_ms("end", fields.now_ms)
        if start_ms is not None and "end" in fields and end_ms < start_ms:
            raise fields.wrong("end", "a time that is not before start")
        return Window(interval_ms, start_ms, end_ms)

    def times_of(self, rows: int) -> IntArray:
        """The times of so many values."""
        steps = np.arange(rows, dtype=np.int64) * self.interval_ms
        if self.start_ms is not None:
            return self.start_ms + steps
        return self.end_ms - steps[::-1]

    def times_between(self) -> IntArray:
        """The times of a generator, which goes on as long as the window: two hours, if nobody says."""
        start_ms = self.end_ms - _DEFAULT_SPAN_MS if self.start_ms is None else self.start_ms
        rows = (self.end_ms - start_ms) // self.interval_ms + 1
        if rows > MAX_VALUES:
            raise FakeError(f"{rows} values a series are too many, expected at most {MAX_VALUES}")
        if self.start_ms is not None:
            return self.times_of(rows)
        return self.end_ms - np.arange(rows, dtype=np.int64)[::-1] * self.interval_ms


@dataclass(frozen=True)
class Values:
    """The values of one series, oldest first: floats with ABSENT, or `mixed` with native histograms."""

    floats: FloatArray
    mixed: Sequence[float | FloatHistogram | None] | None = None

    def __len__(self) -> int:
        return len(self.floats) if self.mixed is None else len(self.mixed)


def read_series(fields: Fields) -> Batch:
    """The samples of a request's `series`. Raises `FakeError`."""
    entries = fields.any("series")
    if not isinstance(entries, dict):
        raise fields.wrong("series", "an object of values by series")
    reader = _Reader(Window.of(fields), fields.whole("count", 1, least=1), fields.now_ms)
    for text, source in entries.items():
        reader.read(text, source)
    return reader.batch()


class _Reader:
    """Gathers series, those with the same times in one block. The methods raise `FakeError`."""

    def __init__(self, window: Window, count: int, now_ms: int) -> None:
        self._window = window
        self._count = count
        self._now_ms = now_ms
        self._where = ""
        self._times: dict[tuple[int, int], IntArray] = {}
        self._columns: dict[tuple[int, int], list[tuple[Sequence[Labels], FloatArray]]] = {}
        self._mixed: list[MixedSeries] = []
        self._cells = 0

    def read(self, text: str, source: object) -> None:
        """One entry: a series or a template, and its values."""
        self._where = f"series {shown(text)}"
        labels = _expanded(text, self._count, self._where)
        if isinstance(source, dict):
            self._generate(labels, source)
        elif isinstance(source, str):
            if PLACE in source:
                for position, one in enumerate(labels):
                    self._add_ending([one], self._of_notation(source.replace(PLACE, str(position))))
            else:
                self._add_ending(labels, self._of_notation(source))
        elif isinstance(source, list | int | float):
            self._add_ending(labels, self._of_numbers(source if isinstance(source, list) else [source]))
        else:
            expected = 'a notation such as "0+10x60", numbers, or a generator such as {"generator": "ramp"}'
            raise FakeError(f"{self._where}: expected {expected}, got {shown(source)}")

    def batch(self) -> Batch:
        """What was gathered."""
        return Batch([self._block(key) for key in self._columns], self._mixed)

    def _generate(self, labels: Sequence[Labels], source: Mapping[str, object]) -> None:
        times_ms = self._window.times_between()
        if source.get("generator") == "histogram":
            self._generate_histogram(labels, source, times_ms)
            return
        signal = read_signal(source, self._where, self._now_ms)
        if not is_seeded(source):
            self._add(labels, Values(signal.values(times_ms, 0)), times_ms)
            return
        for position, one in enumerate(labels):
            self._add([one], Values(signal.values(times_ms, position)), times_ms)

    def _generate_histogram(
        self, labels: Sequence[Labels], source: Mapping[str, object], times_ms: IntArray
    ) -> None:
        histogram = read_histogram(source, self._where, self._now_ms)
        if isinstance(histogram, NativeHistogram):
            self._add(labels, Values(_NO_FLOATS, histogram.histograms(times_ms)), times_ms)
            return
        for suffix, more, floats in histogram.series(times_ms):
            self._add([_extended(one, suffix, more) for one in labels], Values(floats), times_ms)

    def _of_numbers(self, items: Sequence[object]) -> Values:
        try:
            return Values(np.array([ABSENT if item is None else number(item) for item in items]))
        except ValueError as error:
            raise FakeError(f"{self._where}: expected numbers, or null for no sample: {error}") from error

    def _of_notation(self, text: str) -> Values:
        try:
            return _parsed(text)
        except (NotationError, LiteralError) as error:
            raise FakeError(f"{self._where}: {error}") from error

    def _add_ending(self, labels: Sequence[Labels], values: Values) -> None:
        """The values as many as they are, with times of the window."""
        self._add(labels, values, self._window.times_of(len(values)))

    def _add(self, labels: Sequence[Labels], values: Values, times_ms: IntArray) -> None:
        """The same values for some series."""
        self._cells += len(labels) * len(values)
        if self._cells > _MAX_SAMPLES:
            raise FakeError(f"{self._where}: together with those before more than {_MAX_SAMPLES} samples")
        if not len(values):
            return
        if values.mixed is not None:
            self._mixed += [_mixed(one, values.mixed, times_ms) for one in labels]
            return
        key = int(times_ms[0]), len(times_ms)
        self._times[key] = times_ms
        self._columns.setdefault(key, []).append((labels, values.floats))

    def _block(self, key: tuple[int, int]) -> Block:
        parts = self._columns[key]
        labels = [one for some, _ in parts for one in some]
        values = np.empty((key[1], len(labels)))
        start = 0
        for some, column in parts:
            values[:, start : start + len(some)] = column[:, np.newaxis]
            start += len(some)
        return Block(labels, self._times[key], values)


def _expanded(text: str, count: int, where: str) -> list[Labels]:
    """The series that a text stands for."""
    try:
        labels, rest = parse_metric(text.strip())
    except (NotationError, LiteralError) as error:
        raise FakeError(f"{where}: {error}") from error
    if rest:
        raise FakeError(f"{where}: expected nothing behind the series, got {rest!r}")
    if count > _MAX_SERIES:
        raise FakeError(f"{where}: {count} series are too many, expected at most {_MAX_SERIES}")
    if PLACE not in text:
        count = 1
    return [
        tuple([(name, value.replace(PLACE, str(position))) for name, value in labels if value])
        for position in range(count)
    ]


def _extended(labels: Labels, suffix: str, more: Mapping[str, str]) -> Labels:
    pairs = dict(labels)
    return labels_from({**pairs, METRIC_NAME: pairs.get(METRIC_NAME, "") + suffix, **more})


@lru_cache(maxsize=256)
def _parsed(text: str) -> Values:
    values = parse_sequence(text)
    if any(isinstance(value, StatedHistogram) for value in values):
        mixed = [value.histogram if isinstance(value, StatedHistogram) else value for value in values]
        return Values(_NO_FLOATS, mixed)
    floats = np.array([ABSENT if value is None else value for value in values], dtype=np.float64)
    return Values(floats)


def _mixed(
    labels: Labels, values: Sequence[float | FloatHistogram | None], times_ms: IntArray
) -> MixedSeries:
    samples = [
        (time_ms, value)
        for time_ms, value in zip(times_ms.tolist(), values, strict=True)
        if value is not None
    ]
    return MixedSeries(labels, [time_ms for time_ms, _ in samples], [value for _, value in samples])
