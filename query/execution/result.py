"""What a query answers with: arrays still; strings are made by whoever encodes it."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from query.execution.annotations import Annotations
from query.execution.values import HistogramArray
from tsdb import HistogramSeries, LabelFrame
from tsdb.histogram import FloatHistogram
from tsdb.sample import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class InstantVector:
    """One sample a series at `time_ms`, in the order of evaluation (`sort` and `topk` give one).

    `values` is float64[series]; `histograms` object[series], None where no sample is one.
    """

    time_ms: int
    labels: LabelFrame
    values: FloatArray
    histograms: HistogramArray | None = None


@dataclass(frozen=True)
class RangeMatrix:
    """Samples of each series at some of the steps; every series has one; sorted by labels.

    `steps_ms` is int64[step]; `values` float64[step, series]; `present` bool[step, series], None where every
    series has a sample at every step. A scalar is one series without labels.
    """

    steps_ms: IntArray
    labels: LabelFrame
    values: FloatArray
    present: BoolArray | None = None
    histograms: HistogramArray | None = None


@dataclass(frozen=True)
class RawSeries:
    """Samples as they were stored, timestamps ascending; floats and histograms apart."""

    timestamps_ms: IntArray
    values: FloatArray
    histogram_timestamps_ms: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    histograms: tuple[FloatHistogram, ...] = ()

    def __len__(self) -> int:
        return len(self.values) + len(self.histograms)

    def with_histograms(self, histograms: HistogramSeries) -> "RawSeries":
        """These floats, and the histograms of the same series."""
        return RawSeries(
            self.timestamps_ms, self.values, histograms.timestamps_ms, tuple(histograms.histograms)
        )

    def between(self, start_ms: int, end_ms: int) -> "RawSeries":
        """The samples in the left-open range."""
        bounds = (start_ms, end_ms)
        first, stop = np.searchsorted(self.timestamps_ms, bounds, side="right").tolist()
        first_histogram, stop_histogram = np.searchsorted(
            self.histogram_timestamps_ms, bounds, side="right"
        ).tolist()
        return RawSeries(
            self.timestamps_ms[first:stop],
            self.values[first:stop],
            self.histogram_timestamps_ms[first_histogram:stop_histogram],
            self.histograms[first_histogram:stop_histogram],
        )


@dataclass(frozen=True)
class RawMatrix:
    """The value of a range selector or a subquery in an instant query; sorted by labels."""

    labels: LabelFrame
    series: tuple[RawSeries, ...]


@dataclass(frozen=True)
class ScalarPoint:
    """The value of a scalar in an instant query."""

    time_ms: int
    value: float


@dataclass(frozen=True)
class StringPoint:
    """The value of a string literal."""

    time_ms: int
    text: str


ResultValue: TypeAlias = InstantVector | RangeMatrix | RawMatrix | ScalarPoint | StringPoint


@dataclass(frozen=True)
class Statistics:
    """What a query took.

    `samples_per_step[step]` are those looked at, a sample once for each step that did: together upstream's
    totalQueryableSamples. If the engine counts samples, `read_per_step[step]` are those that no step before
    has read, and `peak_samples` is what upstream holds at most; if not, the former is None, and the latter
    what was reserved. The times are 0 if the engine has no clock.
    """

    steps_ms: IntArray
    samples_per_step: IntArray
    peak_samples: int
    preparation_seconds: float
    evaluation_seconds: float
    sorting_seconds: float
    read_per_step: IntArray | None = None

    @property
    def total_samples(self) -> int:
        return int(self.samples_per_step.sum())


@dataclass(frozen=True)
class Result:
    """A query's value, and what is to be said about it."""

    value: ResultValue
    annotations: Annotations
    stats: Statistics
