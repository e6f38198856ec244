"""Queries that the event loop answers itself: those that cost less than the visit to a thread.

To wake a worker and to be woken by it takes 0.1 to 0.3 ms, as long as most panels of a dashboard need.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple, TypeVar

from query import Control, EngineOptions
from query.execution.errors import TooManySamplesError

T = TypeVar("T")

LIGHT_MS: Final = 2.0
"""CPU time that is light. The event loop is busy as long with the scrape of a middling target."""
_LIGHT_SAMPLES: Final = 50_000
"""What a query may hold in the event loop, in case that it now finds more than the last time."""
_MAX_TEXT: Final = 4096
_MAX_REMEMBERED: Final = 1024


class Asked(NamedTuple):
    """What a query's cost depends on, besides the samples that are there."""

    text: str
    span_ms: int
    step_ms: int
    lookback_ms: int | None


class Cost(NamedTuple):
    """Of an evaluation."""

    cpu_seconds: float
    samples: int

    @property
    def is_light(self) -> bool:
        return self.cpu_seconds * 1000 <= LIGHT_MS and self.samples <= _LIGHT_SAMPLES


class LightQueries:
    """The queries that were light when they were evaluated last; of very many, those asked most recently."""

    def __init__(self) -> None:
        self._light: dict[Asked, None] = {}

    def attempt(self, asked: Asked, work: Callable[[Control], T]) -> T | None:
        """What `work` gives at once, if the query is light; None if it is not, or has become heavy."""
        if asked not in self._light:
            return None
        try:
            return work(Control())
        except TooManySamplesError:
            return None

    def evaluated(self, asked: Asked, cost: Cost) -> None:
        """Remember what an evaluation cost."""
        self._light.pop(asked, None)
        if cost.is_light and len(asked.text) <= _MAX_TEXT:
            self._light[asked] = None
            if len(self._light) > _MAX_REMEMBERED:
                del self._light[next(iter(self._light))]


def light_options(options: EngineOptions) -> EngineOptions:
    """Those of an engine that holds no more samples than a light query."""
    return replace(options, max_samples=min(options.max_samples, _LIGHT_SAMPLES))
