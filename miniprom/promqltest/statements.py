"""What a test script consists of."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from miniprom.promqltest.series import SeriesLine


@dataclass(frozen=True)
class LoadedSeries:
    """One series of a `load`; `start_offsets_ms` has one entry a value, where an `@st` line was given."""

    series: SeriesLine
    start_offsets_ms: tuple[int | None, ...] | None = None


@dataclass(frozen=True)
class Load:
    """`load <interval>` or `load_with_nhcb <interval>`; the first value of each series is at time 0."""

    line: int
    interval_ms: int
    series: tuple[LoadedSeries, ...]
    with_custom_buckets: bool = False


@dataclass(frozen=True)
class Clear:
    """`clear`: empties the store."""

    line: int


@dataclass(frozen=True)
class Steps:
    """Times from `start_ms` to `end_ms`, both included, `step_ms` apart."""

    start_ms: int
    end_ms: int
    step_ms: int


class Kind(Enum):
    """What an `expect` line is about."""

    FAIL = "fail"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True)
class TextExpectation:
    """`msg: text` or `regex: pattern`, or neither, which any text meets."""

    description: str
    matches: Callable[[str], bool]


@dataclass(frozen=True)
class Expectation:
    """What a query is to answer.

    `texts` holds one entry for each `expect fail`, `warn` or `info` line; `none_of` what must not occur.
    """

    series: tuple[SeriesLine, ...] = ()
    scalar: float | None = None
    string: str | None = None
    range_vector: Steps | None = None
    ordered: bool = False
    texts: tuple[tuple[Kind, TextExpectation], ...] = ()
    none_of: frozenset[Kind] = frozenset()

    def texts_of(self, kind: Kind) -> list[TextExpectation]:
        """The expected texts of one kind."""
        return [text for text_kind, text in self.texts if text_kind is kind]

    @property
    def fails(self) -> bool:
        return bool(self.texts_of(Kind.FAIL))


@dataclass(frozen=True)
class Evaluation:
    """`eval instant at <time> <query>` or `eval range from <start> to <end> step <step> <query>`."""

    line: int
    query: str
    when: int | Steps
    expected: Expectation


Statement: TypeAlias = Load | Clear | Evaluation


@dataclass(frozen=True)
class Script:
    """The statements of one file, in order. `name` stands before the line numbers in messages."""

    name: str
    statements: tuple[Statement, ...]
