"""Queries that the event loop answers itself: those that cost less than the visit to a thread.

To wake a worker and to be woken by it takes 0.1 to 0.3 ms, as long as most panels of a dashboard need.
"""

import time
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from query import Control

T = TypeVar("T")

LIGHT_SECONDS: Final = 0.002
"""CPU time that is light. The event loop is busy as long with the scrape of a middling target."""
_PATIENCE_SECONDS: Final = 0.004
"""After so long a query is given to a worker all the same, from its start: it has become heavy."""
_MAX_TEXT: Final = 4096
_MAX_REMEMBERED: Final = 1024


class Asked(NamedTuple):
    """What a query's cost depends on, besides the samples that are there."""

    text: str
    span_ms: int
    step_ms: int
    lookback_ms: int | None


class LightQueries:
    """The queries that were light when they were evaluated last; of very many, those asked most recently."""

    def __init__(self) -> None:
        self._light: dict[Asked, None] = {}

    def attempt(self, asked: Asked, work: Callable[[Control], T]) -> T | None:
        """What `work` gives at once, if the query is light; None if it is not, or has become heavy."""
        if asked not in self._light:
            return None
        try:
            return work(_Impatience(time.perf_counter() + _PATIENCE_SECONDS))
        except _HeavyError:
            return None

    def evaluated(self, asked: Asked, cpu_seconds: float) -> None:
        """Remember what an evaluation cost."""
        self._light.pop(asked, None)
        if cpu_seconds <= LIGHT_SECONDS and len(asked.text) <= _MAX_TEXT:
            self._light[asked] = None
            if len(self._light) > _MAX_REMEMBERED:
                del self._light[next(iter(self._light))]


class _HeavyError(Exception):
    """The query takes longer than the event loop can wait."""


class _Impatience(Control):
    """Ends a query that goes on until a time; it is asked between and inside nodes."""

    def __init__(self, until_seconds: float) -> None:
        super().__init__()
        self._until_seconds = until_seconds

    def check(self, where: str = "") -> None:  # noqa: ARG002  nobody is told
        if time.perf_counter() > self._until_seconds:
            raise _HeavyError
