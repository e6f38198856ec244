"""Work that the event loop does itself: what costs less than the visit to a thread.

To wake a worker and to be woken by it takes 0.1 to 0.3 ms, as long as most panels of a dashboard need.
"""

import time
from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from query import Control

T = TypeVar("T")

LIGHT_SECONDS: Final = 0.002
"""What is light. The event loop is busy as long with the scrape of a middling target."""
_PATIENCE_SECONDS: Final = 0.004
"""After so long the work is given to a worker all the same, from its start: it has become heavy."""
_MAX_REMEMBERED: Final = 1024


class LightWork:
    """The keys of work that was light when it was done last; of very many, those of the most recent."""

    def __init__(self) -> None:
        self._light: dict[Hashable, None] = {}

    def attempt(self, key: Hashable, work: Callable[[Control], T]) -> tuple[T] | None:
        """What `work` gives at once, if it is light; None if it is not, or has become heavy."""
        if key not in self._light:
            return None
        try:
            value, seconds = timed(work, _Impatience(time.perf_counter() + _PATIENCE_SECONDS))
        except _HeavyError:
            self._light.pop(key, None)
            return None
        self.done(key, seconds)
        return (value,)

    def done(self, key: Hashable, seconds: float) -> None:
        """Remember what the work cost."""
        self._light.pop(key, None)
        if seconds <= LIGHT_SECONDS:
            self._light[key] = None
            if len(self._light) > _MAX_REMEMBERED:
                del self._light[next(iter(self._light))]


def timed(work: Callable[[Control], T], control: Control) -> tuple[T, float]:
    """What the work gives, and the seconds it took: not CPU time, for it may wait for other threads."""
    begin = time.perf_counter()
    return work(control), time.perf_counter() - begin


class _HeavyError(BaseException):
    """The work takes longer than the event loop can wait. Not for those who catch every `Exception`."""


class _Impatience(Control):
    """Ends what goes on until a time; queries ask it between and inside nodes."""

    def __init__(self, until_seconds: float) -> None:
        super().__init__()
        self._until_seconds = until_seconds

    def check(self, where: str = "") -> None:  # noqa: ARG002  nobody is told
        if time.perf_counter() > self._until_seconds:
            raise _HeavyError
