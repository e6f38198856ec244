"""Windows of single series, for what kernels don't see: native histograms and start timestamps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from query.execution.annotations import (
    Annotations,
    Severity,
    StartTimeOverlap,
    histogram_ignored_in_range,
    mixed_floats_and_histograms,
    quoted,
)
from query.execution.result import RawSeries
from query.language import ast
from tsdb.histogram import FloatHistogram
from tsdb.histogram_arithmetic import Combined

Sample: TypeAlias = float | FloatHistogram


@dataclass(frozen=True)
class Remarks:
    """Where a window's remarks go, and what of."""

    annotations: Annotations
    metric_name: str
    span: ast.Span

    def mixed(self) -> None:
        self.annotations.add(mixed_floats_and_histograms(self.metric_name, self.span))

    def ignored(self) -> None:
        self.annotations.add(histogram_ignored_in_range(self.metric_name, self.span))

    def overlapping(self) -> None:
        text = "sample has start time that overlaps with previous sample timestamp for metric"
        text = f"{text} {quoted(self.metric_name)}"
        self.annotations.add(StartTimeOverlap(Severity.WARNING, text, self.span))

    def of_metric(self, text: str) -> None:
        self.annotations.warning(f"{text} {quoted(self.metric_name)}", self.span)

    def not_a(self, kind: str) -> None:
        self.of_metric(f"this native histogram metric is not a {kind}:")

    def mixed_layouts(self) -> None:
        self.of_metric(
            "vector contains a mix of histograms with exponential and custom buckets schemas for metric name"
        )

    def combined(self, combined: Combined, operation: str) -> FloatHistogram:
        """The result of an operation, and that it had to reconcile bounds."""
        if combined.bounds_reconciled:
            self.reconciled(operation)
        return combined.histogram

    def reconciled(self, operation: str) -> None:
        self.annotations.info(f"mismatched custom buckets were reconciled during {operation}", self.span)


@dataclass(frozen=True)
class Window:
    """The samples of one series in the range (`start_ms`, `end_ms`]; there is at least one.

    `of_floats` is what the kernel made of the floats alone, None if they were too few for it. `starts_ms`
    tells by the time of a sample when its count began, as far as that is known.
    """

    samples: RawSeries
    start_ms: int
    end_ms: int
    of_floats: float | None
    starts_ms: Mapping[int, int]
    remarks: Remarks = field(repr=False)

    @property
    def float_count(self) -> int:
        return len(self.samples.values)

    @property
    def histograms(self) -> tuple[FloatHistogram, ...]:
        return self.samples.histograms

    def in_order(self) -> list[tuple[int, Sample]]:
        """All samples with their times."""
        floats = zip(self.samples.timestamps_ms.tolist(), self.samples.values.tolist(), strict=True)
        histograms = zip(self.samples.histogram_timestamps_ms.tolist(), self.histograms, strict=True)
        merged: list[tuple[int, Sample]] = [*floats, *histograms]
        return sorted(merged, key=lambda sample: sample[0])

    def began_anew(self, before_ms: int, after_ms: int) -> bool:
        """Whether start timestamps tell of a reset between two samples (upstream isStartTimestampReset)."""
        start_ms, earlier_start_ms = self.starts_ms.get(after_ms, 0), self.starts_ms.get(before_ms, 0)
        if start_ms == 0 or start_ms >= after_ms or start_ms < before_ms:
            return False
        if start_ms > before_ms:
            return True
        # It began with the sample before: so do deltas, and sums whose start nobody knows.
        return earlier_start_ms not in (0, before_ms) and earlier_start_ms < before_ms

    def is_overlapping(self, before_ms: int, after_ms: int) -> bool:
        """Whether a count began before the last sample, and not with it (upstream checkStartTimeOverlap)."""
        start_ms = self.starts_ms.get(after_ms, 0)
        return start_ms != 0 and start_ms < before_ms and start_ms != self.starts_ms.get(before_ms, 0)
