"""The input series of a test: samples go into the store as time reaches them."""

from collections.abc import Sequence

from miniprom.promqltest.errors import NotationError
from miniprom.promqltest.loading import load
from miniprom.promqltest.series import SeriesLine, parse_series
from miniprom.promqltest.statements import Load, LoadedSeries
from miniprom.ruletest.files import InputSeries
from tsdb import Store


class Input:
    """Series whose first samples are at `start_ms`, and the others `interval_ms` apart."""

    def __init__(self, series: Sequence[InputSeries], start_ms: int, interval_ms: int) -> None:
        """Raises `NotationError`."""
        self._lines = [_parsed(each) for each in series]
        self._start_ms = start_ms
        self._interval_ms = interval_ms
        self._fed = 0

    def feed(self, store: Store, until_ms: int) -> None:
        """Append what has come by then: nothing can look ahead. Raises `NotationError`."""
        due = (until_ms - self._start_ms) // self._interval_ms + 1
        parts = [SeriesLine(line.labels, line.values[self._fed : due]) for line in self._lines]
        series = tuple(LoadedSeries(part) for part in parts if part.values)
        start_ms = self._start_ms + self._fed * self._interval_ms
        load(store, Load(0, self._interval_ms, series), start_ms=start_ms)
        self._fed = max(due, self._fed)


def _parsed(series: InputSeries) -> SeriesLine:
    try:
        return parse_series(f"{series.series} {series.values}")
    except NotationError as error:
        raise NotationError(f'input series "{series.series}": {error}') from error
