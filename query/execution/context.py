"""What an operator knows about the evaluation it is part of."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from query.execution.annotations import Annotations
from query.execution.control import Control, SampleBudget
from query.execution.trace import Stopwatch, Trace
from query.execution.values import Value
from query.language import ParserOptions
from query.language.parser import UPSTREAM_DEFAULTS
from query.plan import Shared
from tsdb import LabelScope, Snapshot
from tsdb.sample import IntArray

if TYPE_CHECKING:
    from query.execution.tally import Tally

_PIECE_SAMPLES = 1 << 20

Results: TypeAlias = dict[tuple[int, int, int, int], tuple[Value, IntArray]]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How queries are evaluated. Durations are in milliseconds."""

    lookback_ms: int = 300_000
    max_samples: int = 50_000_000
    default_subquery_step_ms: int = 60_000
    delayed_name_removal: bool = False
    type_and_unit_labels: bool = False
    use_start_timestamps: bool = False
    parser: ParserOptions = UPSTREAM_DEFAULTS
    counts_samples: bool = False
    """Whether the statistics tell what was held at most, and read: this takes its time."""


@dataclass(frozen=True, slots=True)
class EvalContext:
    """The steps that a node is evaluated at, and what all nodes of one query share.

    `steps_ms` is int64[step], ascending, never empty; `step_ms` apart. `results` holds the values of `shared`
    nodes, and what they looked at, by the node's id and the steps they were evaluated at.
    """

    steps_ms: IntArray
    step_ms: int
    snapshot: Snapshot
    options: EngineOptions
    annotations: Annotations
    control: Control
    budget: SampleBudget
    stopwatch: Stopwatch
    shared: Shared = field(default_factory=dict)
    results: Results = field(default_factory=dict)
    trace: Trace | None = None
    tally: "Tally | None" = None
    seen: IntArray = field(init=False)
    """int64[step]: samples of the store, or of a subquery, that each step looked at; added to meanwhile."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "seen", np.zeros(len(self.steps_ms), dtype=np.int64))

    @property
    def step_count(self) -> int:
        return len(self.steps_ms)

    @property
    def is_instant(self) -> bool:
        """Whether there is one step only: the order of series then matters."""
        return len(self.steps_ms) == 1

    @property
    def scope(self) -> LabelScope:
        return self.snapshot.scope

    def check(self) -> None:
        """Raises `LimitError` if the query is to stop. Call it between blocks of work."""
        self.control.check()

    def reserve(self, samples: int) -> None:
        """Raises `TooManySamplesError` if `samples` more are too many. Call it before memory is taken."""
        self.budget.reserve(samples)

    def looked_at(self, samples: IntArray | int) -> None:
        """Count `samples[step]`, or as many at each step, for the statistics."""
        np.add(self.seen, samples, out=self.seen)

    def pieces(self, columns: int) -> Iterator[slice]:
        """Runs of steps of about a million samples each. Raises `LimitError` between them."""
        rows = max(1, _PIECE_SAMPLES // max(1, columns))
        for start in range(0, self.step_count, rows):
            self.check()
            yield slice(start, start + rows)

    def at(self, steps_ms: IntArray, step_ms: int) -> "EvalContext":
        """The context of an inner evaluation, such as a subquery's."""
        return replace(self, steps_ms=steps_ms, step_ms=step_ms)

    def first_step(self) -> "EvalContext":
        """The context for what is the same at every step."""
        return self.at(self.steps_ms[:1], self.step_ms)


def steps_between(start_ms: int, end_ms: int, step_ms: int) -> IntArray:
    """`start_ms`, and every `step_ms` from there to `end_ms` inclusive: int64[step]."""
    return np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)
