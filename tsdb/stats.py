"""What a store says about itself: the figures of upstream's /api/v1/status/tsdb and of our own metrics."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tsdb.labels import METRIC_NAME


@dataclass(frozen=True)
class Stats:
    """Figures at one moment. The lists are sorted by falling count, then by name, as upstream's."""

    series: int
    samples_appended: int
    min_time_ms: int | None
    max_time_ms: int | None
    memory_bytes: int
    samples_bytes: int
    """The share of the samples in `memory_bytes`."""
    sealed_bytes: int
    """The share of sealed rows in `samples_bytes`: of `sealed_cells`, a sample or none each."""
    sealed_cells: int
    memory_limit_bytes: int | None
    series_refused: int
    """How often the limit left no room for a new series."""
    count_values: Callable[[], Mapping[str, Sequence[tuple[str, int]]]]

    @cached_property
    def values(self) -> Mapping[str, Sequence[tuple[str, int]]]:
        """`values[name]` has each value of a label, and the number of series that carry it."""
        return self.count_values()

    @property
    def label_pairs(self) -> int:
        """Distinct pairs of label name and value."""
        return sum(len(values) for values in self.values.values())

    def series_by_metric(self, limit: int) -> list[tuple[str, int]]:
        """Metric names by their number of series."""
        return _top(list(self.values.get(METRIC_NAME, ())), limit)

    def values_by_label(self, limit: int) -> list[tuple[str, int]]:
        """Label names by their number of values."""
        return _top([(name, len(values)) for name, values in self.values.items()], limit)

    def bytes_by_label(self, limit: int) -> list[tuple[str, int]]:
        """Label names by the length of their values in UTF-8, each counted once."""
        return _top(
            [(name, sum(len(value.encode()) for value, _ in values)) for name, values in self.values.items()],
            limit,
        )

    def series_by_pair(self, limit: int) -> list[tuple[str, int]]:
        """Pairs `name=value` by their number of series."""
        pairs = [
            (f"{name}={value}", count) for name, values in self.values.items() for value, count in values
        ]
        return _top(pairs, limit)


def _top(counted: list[tuple[str, int]], limit: int) -> list[tuple[str, int]]:
    return sorted(counted, key=lambda entry: (-entry[1], entry[0]))[:limit]
