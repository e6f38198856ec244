"""What each node of a plan took, for `explain`."""

from collections.abc import Callable
from dataclasses import dataclass

from query.plan import PlanNode
from query.plan.explain import describe
from query.plan.sharing import children


@dataclass
class Measured:
    """Series and samples that a node gave, over all its evaluations, and the seconds they took.

    The time of a node holds that of its operands. A selector of ranges gives what is stored.
    """

    series: int = 0
    samples: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Explanation:
    """A node of a plan in words. `measured` is None for what was not evaluated, or had been elsewhere."""

    text: str
    measured: Measured | None
    operands: tuple["Explanation", ...]


class Stopwatch:
    """Tells the stages of a query apart; `seconds` is the clock."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._begin = seconds()

    def lap(self) -> float:
        """The seconds since the last lap."""
        begin, self._begin = self._begin, self._seconds()
        return self._begin - begin


class Trace:
    """Measures the nodes of one plan; `seconds` is the clock, whose zero does not matter."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.seconds = seconds
        self._measured: dict[int, Measured] = {}

    def add(self, node: PlanNode, series: int, samples: int, seconds: float) -> None:
        """Count an evaluation."""
        measured = self._measured.setdefault(id(node), Measured())
        measured.series = max(measured.series, series)
        measured.samples += samples
        measured.seconds += seconds

    def of(self, node: PlanNode) -> Measured | None:
        """What a node of the plan took, if it was evaluated."""
        return self._measured.get(id(node))


def explanation(plan: PlanNode, trace: Trace | None = None) -> Explanation:
    """The plan in words, with what was measured."""
    operands = tuple([explanation(operand, trace) for operand in children(plan)])
    return Explanation(describe(plan), trace.of(plan) if trace else None, operands)
