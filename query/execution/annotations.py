"""Remarks about a query's result: infos and warnings, as upstream's util/annotations/annotations.go.

Remarks with one text are one remark; where two say the same of different places, the later place is told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum

from query.errors import position
from query.language.ast import Span
from tsdb.numbers import format_number


class Severity(Enum):
    """Which of the two lists of an API response a remark stands in."""

    INFO = "PromQL info"
    WARNING = "PromQL warning"


@dataclass(frozen=True)
class Annotation:
    """One remark about the part of the query at `span`."""

    severity: Severity
    text: str
    span: Span

    @property
    def key(self) -> str:
        """Remarks with equal keys are told once."""
        return f"{self.severity.value}: {self.text}"

    def merged(self, previous: "Annotation") -> "Annotation":  # noqa: ARG002  subclasses add them up
        """What is told in place of this and an earlier remark with the same key."""
        return self

    def render(self, query: str) -> str:
        """The whole sentence, with the place in `query` as (line:column)."""
        return f"{self.key} ({position(query, self.span.start)})"


@dataclass(frozen=True)
class ForcedMonotonicity(Annotation):
    """Counts how often classic buckets had to be mended, and by how much."""

    from_ms: int
    to_ms: int
    min_bucket: float
    max_bucket: float
    max_difference: float
    count: int = 1

    def merged(self, previous: Annotation) -> Annotation:
        """Both occurrences, at the earlier remark's place."""
        if not isinstance(previous, ForcedMonotonicity):
            return self
        return replace(
            previous,
            from_ms=min(self.from_ms, previous.from_ms),
            to_ms=max(self.to_ms, previous.to_ms),
            min_bucket=min(self.min_bucket, previous.min_bucket),
            max_bucket=max(self.max_bucket, previous.max_bucket),
            max_difference=max(self.max_difference, previous.max_difference),
            count=self.count + previous.count,
        )

    def render(self, query: str) -> str:
        """The sentence with the buckets and times it happened at."""
        return (
            f"{self.key}, from buckets {format_number(self.min_bucket)} to {format_number(self.max_bucket)}, "
            f"with a max diff of {self.max_difference:.2g}, over {self.count} samples "
            f"from {_rfc3339(self.from_ms)} to {_rfc3339(self.to_ms)} "
            f"({position(query, self.span.start)})"
        )


@dataclass(frozen=True)
class StartTimeOverlap(Annotation):
    """Counts the series whose start times overlap with earlier samples."""

    count: int = 1

    def merged(self, previous: Annotation) -> Annotation:
        """Both occurrences."""
        if not isinstance(previous, StartTimeOverlap):
            return self
        return replace(previous, count=self.count + previous.count)

    def render(self, query: str) -> str:
        """The sentence, with the number of occurrences if there are several."""
        occurrences = f" ({self.count} occurrences)" if self.count > 1 else ""
        return f"{self.key}{occurrences} ({position(query, self.span.start)})"


@dataclass
class Annotations:
    """The remarks of one query, in the order they were first made."""

    query: str
    _by_key: dict[str, Annotation] = field(default_factory=dict)

    def add(self, annotation: Annotation) -> None:
        """Remember a remark, or merge it with an equal one."""
        previous = self._by_key.get(annotation.key)
        self._by_key[annotation.key] = annotation if previous is None else annotation.merged(previous)

    def info(self, text: str, span: Span) -> None:
        """Add an info."""
        self.add(Annotation(Severity.INFO, text, span))

    def warning(self, text: str, span: Span) -> None:
        """Add a warning."""
        self.add(Annotation(Severity.WARNING, text, span))

    @property
    def infos(self) -> list[str]:
        return self._rendered(Severity.INFO)

    @property
    def warnings(self) -> list[str]:
        return self._rendered(Severity.WARNING)

    def _rendered(self, severity: Severity) -> list[str]:
        return [each.render(self.query) for each in self._by_key.values() if each.severity is severity]


def for_metric(text: str, metric_name: str) -> str:
    """`text`, with the metric's name where there is one."""
    return f"{text} for metric name {quoted(metric_name)}" if metric_name else text


def quoted(text: str) -> str:
    """`text` as Go's %q writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def mixed_floats_and_histograms(metric_name: str, span: Span) -> Annotation:
    """A series holds both kinds of sample where a function takes only one."""
    text = f"encountered a mix of histograms and floats for metric name {quoted(metric_name)}"
    return Annotation(Severity.WARNING, text, span)


def invalid_quantile(quantile: float, span: Span) -> Annotation:
    """A quantile outside [0, 1], or NaN."""
    text = f"quantile value should be between 0 and 1, got {format_number(quantile)}"
    return Annotation(Severity.WARNING, text, span)


def histogram_ignored_in_range(metric_name: str, span: Span) -> Annotation:
    """A function for floats met histograms, too."""
    text = "ignored histograms in a range containing both floats and histograms for metric name"
    return Annotation(Severity.INFO, f"{text} {quoted(metric_name)}", span)


def possible_non_counters(metric_names: Iterable[str], span: Span) -> list[Annotation]:
    """`rate` or `increase` of metrics that aren't named like counters."""
    counters = ("_total", "_sum", "_count", "_bucket")
    text = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:"
    return [
        Annotation(Severity.INFO, f"{text} {quoted(name)}", span)
        for name in metric_names
        if name and not name.endswith(counters)
    ]


def untyped_counters(names_and_types: Iterable[tuple[str, str]], span: Span) -> list[Annotation]:
    """`rate` or `increase` of metrics whose `__type__` is not a counter's."""
    text = 'metric might not be a counter, __type__ label is not set to "counter" or "histogram"'
    return [
        Annotation(Severity.INFO, f"{text}, got {quoted(kind)}: {quoted(name)}", span)
        for name, kind in names_and_types
        if name and kind not in ("counter", "histogram")
    ]


def _rfc3339(timestamp_ms: int) -> str:
    return datetime.fromtimestamp(timestamp_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
