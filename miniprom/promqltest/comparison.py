"""Whether what a query answered is what a script expects; differences as texts for people."""

import math
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

from miniprom.promqltest.histogram_notation import StatedHistogram, format_histogram
from miniprom.promqltest.series import SeriesLine, SeriesValue
from query.execution.result import InstantVector, RangeMatrix, RawMatrix
from query.language.literals import quote
from tsdb import METRIC_NAME, Labels
from tsdb.histogram import Buckets, FloatHistogram
from tsdb.numbers import format_number
from tsdb.sample import STALE_BITS

Sample: TypeAlias = float | FloatHistogram

_TOLERANCE: Final = 1e-6
_SMALLEST_NORMAL: Final = sys.float_info.min


@dataclass(frozen=True)
class ActualSeries:
    """One series of a result, its samples by their times in milliseconds."""

    labels: Labels
    samples: Mapping[int, Sample]


def actual_series(value: InstantVector | RangeMatrix | RawMatrix) -> list[ActualSeries]:
    """The series of a result, in its order."""
    all_labels = value.labels.series()
    if isinstance(value, InstantVector):
        samples: Iterator[dict[int, Sample]] = _instant_samples(value)
    elif isinstance(value, RangeMatrix):
        samples = _range_samples(value)
    else:
        samples = _raw_samples(value)
    return [ActualSeries(labels, of_series) for labels, of_series in zip(all_labels, samples, strict=True)]


def differences(
    expected: Sequence[SeriesLine], times_ms: Sequence[int], actual: Sequence[ActualSeries], *, ordered: bool
) -> list[str]:
    """What distinguishes a result from the expected series, whose values have the given times."""
    wanted = {line.labels: (position, line) for position, line in enumerate(expected)}
    found: set[Labels] = set()
    problems = []
    for position, series in enumerate(actual):
        name = format_labels(series.labels)
        if series.labels in found:
            problems.append(f"{name}: stands there twice")
        elif series.labels not in wanted:
            problems.append(f"{name}: not expected, got {_samples_text(series.samples)}")
        else:
            wanted_position, line = wanted[series.labels]
            if ordered and wanted_position != position:
                problems.append(f"{name}: expected at place {wanted_position + 1}, got at {position + 1}")
            problems += [f"{name}{text}" for text in _sample_differences(line, times_ms, series.samples)]
        found.add(series.labels)
    for labels, (_, line) in wanted.items():
        if labels not in found:
            problems.append(
                f"{format_labels(labels)}: expected {_values_text(line.values)}, got no such series"
            )
    return problems


def is_sorted(actual: Sequence[ActualSeries]) -> bool:
    """Whether series come in the order of their labels, as those of a range query must."""
    return all(before.labels <= after.labels for before, after in pairwise(actual))


def numbers_agree(expected: float, actual: float) -> bool:
    """Equal but for rounding; NaN equals NaN, a staleness marker only itself (upstream util/almost)."""
    if _is_stale(expected) or _is_stale(actual):
        return _is_stale(expected) and _is_stale(actual)
    if expected == actual or (math.isnan(expected) and math.isnan(actual)):
        return True
    magnitude, difference = abs(expected) + abs(actual), abs(expected - actual)
    if expected == 0 or actual == 0 or magnitude < _SMALLEST_NORMAL:
        return difference < _TOLERANCE * _SMALLEST_NORMAL
    return difference / min(magnitude, sys.float_info.max) < _TOLERANCE


def histograms_agree(expected: StatedHistogram, actual: FloatHistogram) -> bool:
    """Equal field by field but for rounding and empty buckets; the hint counts where it was stated."""
    wanted = expected.histogram
    return (
        wanted.schema == actual.schema
        and wanted.zero_threshold == actual.zero_threshold
        and wanted.custom_values == actual.custom_values
        and numbers_agree(wanted.count, actual.count)
        and numbers_agree(wanted.sum, actual.sum)
        and numbers_agree(wanted.zero_count, actual.zero_count)
        and _buckets_agree(wanted.positive.compact(), actual.positive.compact())
        and _buckets_agree(wanted.negative.compact(), actual.negative.compact())
        and (not expected.hint_is_stated or wanted.counter_reset_hint is actual.counter_reset_hint)
    )


def format_labels(labels: Labels) -> str:
    """`name{label="value"}`."""
    name = dict(labels).get(METRIC_NAME, "")
    rest = ", ".join(f"{label}={quote(value)}" for label, value in labels if label != METRIC_NAME)
    return f"{name}{{{rest}}}"


def format_sample(sample: Sample) -> str:
    """A sample as scripts write it."""
    if isinstance(sample, FloatHistogram):
        return format_histogram(sample)
    return "stale" if _is_stale(sample) else format_number(sample)


def _instant_samples(value: InstantVector) -> Iterator[dict[int, Sample]]:
    for position, number in enumerate(value.values.tolist()):
        histogram = None if value.histograms is None else value.histograms[position]
        yield {value.time_ms: number if histogram is None else histogram}


def _range_samples(value: RangeMatrix) -> Iterator[dict[int, Sample]]:
    times_ms = value.steps_ms.tolist()
    for column in range(value.values.shape[1]):
        numbers = value.values[:, column].tolist()
        cells = [None] * len(numbers) if value.histograms is None else value.histograms[:, column].tolist()
        present = [True] * len(numbers) if value.present is None else value.present[:, column].tolist()
        yield {
            time_ms: number if cell is None else cell
            for time_ms, number, cell, there in zip(times_ms, numbers, cells, present, strict=True)
            if there
        }


def _raw_samples(value: RawMatrix) -> Iterator[dict[int, Sample]]:
    for series in value.series:
        floats: dict[int, Sample] = dict(
            zip(series.timestamps_ms.tolist(), series.values.tolist(), strict=True)
        )
        histograms = zip(series.histogram_timestamps_ms.tolist(), series.histograms, strict=True)
        yield floats | dict(histograms)


def _sample_differences(
    line: SeriesLine, times_ms: Sequence[int], samples: Mapping[int, Sample]
) -> Iterator[str]:
    """The first difference at each time; more values than times are a difference of their own."""
    if len(line.values) > len(times_ms):
        yield f": {len(line.values)} values expected, but there are only {len(times_ms)} times"
    wanted = dict(zip(times_ms, line.values, strict=False))
    for time_ms in sorted(wanted.keys() | samples.keys()):
        expected, got = wanted.get(time_ms), samples.get(time_ms)
        if not _samples_agree(expected, got):
            got_text = "no sample" if got is None else format_sample(got)
            yield f" at {time_ms / 1000:g}s: expected {_value_text(expected)}, got {got_text}"


def _samples_agree(expected: SeriesValue, got: Sample | None) -> bool:
    if isinstance(expected, float) and isinstance(got, float):
        return numbers_agree(expected, got)
    if isinstance(expected, StatedHistogram) and isinstance(got, FloatHistogram):
        return histograms_agree(expected, got)
    return expected is None and got is None


def _buckets_agree(expected: Buckets, actual: Buckets) -> bool:
    return np.array_equal(expected.indexes, actual.indexes) and all(
        map(numbers_agree, expected.counts.tolist(), actual.counts.tolist())
    )


def _is_stale(number: float) -> bool:
    return struct.pack(">d", number) == struct.pack(">Q", STALE_BITS)


def _value_text(value: SeriesValue) -> str:
    if value is None:
        return "no sample"
    return format_sample(value.histogram if isinstance(value, StatedHistogram) else value)


def _values_text(values: Sequence[SeriesValue]) -> str:
    return " ".join("_" if value is None else _value_text(value) for value in values)


def _samples_text(samples: Mapping[int, Sample]) -> str:
    return " ".join(format_sample(sample) for sample in samples.values())
