"""What the linter knows of the data, and what it says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from query.language.ast import Span
from tsdb import Labels


@dataclass(frozen=True)
class MetricFacts:
    """One metric. `kind` is its type, "" if nobody says; `interval_ms` the longest of its jobs' intervals."""

    series: tuple[Labels, ...]
    kind: str = ""
    interval_ms: int = 0

    @property
    def label_names(self) -> frozenset[str]:
        return frozenset(name for labels in self.series for name, _ in labels)


class Data(Protocol):
    """What a server has. Whoever implements it may ask the server, and remember."""

    @property
    def retention_ms(self) -> int:
        """How long samples are kept; 0 if that is not known."""
        ...

    def names(self) -> Collection[str]:
        """The names of all metrics."""
        ...

    def metric(self, name: str) -> MetricFacts | None:
        """What is known of a metric; None if it has never been seen."""
        ...

    def flaps(self, query: str) -> int:
        """How often, in the last hour, the result of a query has lost a series that it had."""
        ...


@dataclass(frozen=True)
class Note:
    """A finding of a check, about a part of the rule's expression."""

    check: str
    message: str
    span: Span


def listed(values: Collection[str], most: int = 5) -> str:
    """A few of the values, for a message."""
    shown: Sequence[str] = sorted(values)[:most]
    rest = ", ..." if len(values) > most else ""
    return ", ".join(shown) + rest
