"""Samples on their way into the fake's store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tsdb import Labels, is_absent
from tsdb.histogram import FloatHistogram
from tsdb.sample import FloatArray, IntArray


@dataclass(frozen=True)
class Block:
    """Floats of series that share their times: `values[row, series]`, ABSENT where there is none."""

    labels: Sequence[Labels]
    timestamps_ms: IntArray
    values: FloatArray


@dataclass(frozen=True)
class MixedSeries:
    """A series with native histograms among its samples, ascending by time."""

    labels: Labels
    timestamps_ms: Sequence[int]
    values: Sequence[float | FloatHistogram]


@dataclass
class Batch:
    """All samples of one request."""

    blocks: list[Block] = field(default_factory=list)
    mixed: list[MixedSeries] = field(default_factory=list)
    starts: list[tuple[Labels, Sequence[int], Sequence[int]]] = field(default_factory=list)
    """Since when some series count: the times of samples, and the start timestamps as of then."""

    def series(self) -> Iterator[Labels]:
        """The labels of each series."""
        for block in self.blocks:
            yield from block.labels
        for series in self.mixed:
            yield series.labels

    def samples(self) -> int:
        """How many there are."""
        floats = sum(int(np.count_nonzero(~is_absent(block.values))) for block in self.blocks)
        return floats + sum(len(series.values) for series in self.mixed)

    def span_ms(self) -> tuple[int, int] | None:
        """The first and the last time; None without samples."""
        times = [block.timestamps_ms[[0, -1]] for block in self.blocks if len(block.timestamps_ms)]
        times += [np.array(series.timestamps_ms)[[0, -1]] for series in self.mixed if series.timestamps_ms]
        if not times:
            return None
        joined = np.concatenate(times)
        return int(joined.min()), int(joined.max())


def series_text(labels: Labels) -> str:
    """A series in a message."""
    pairs = ", ".join(f'{name}="{value}"' for name, value in labels)
    return f"series {{{pairs}}}"
