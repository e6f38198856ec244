"""Work that the event loop does itself: what costs less than the visit to a thread.

To wake a worker and to be woken by it takes 0.1 to 0.3 ms, as long as most panels of a dashboard need.
"""

import time
from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from query import Control

T = TypeVar("T")

LIGHT_SECONDS: Final = 0.002
"""CPU time that is light. The event loop is busy as long with the scrape of a middling target."""
_PATIENCE_SECONDS: Final = 0.004
"""CPU time, too. Then the work is given to a worker all the same, from its start: it has become heavy."""
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
            value, cpu_seconds = timed(work, _Impatience(time.thread_time() + _PATIENCE_SECONDS))
        except _HeavyError:
            return None
        self.done(key, cpu_seconds)
        return (value,)

    def done(self, key: Hashable, cpu_seconds: float) -> None:
        """Remember what the work cost."""
        self._light.pop(key, None)
        if cpu_seconds <= LIGHT_SECONDS:
            self._light[key] = None
            if len(self._light) > _MAX_REMEMBERED:
                del self._light[next(iter(self._light))]


def timed(work: Callable[[Control], T], control: Control) -> tuple[T, float]:
    """What the work gives, and the CPU seconds it took."""
    begin = time.thread_time()
    return work(control), time.thread_time() - begin


class _HeavyError(BaseException):
    """The work takes longer than the event loop can wait. Not for those who catch every `Exception`."""


class _Impatience(Control):
    """Ends what has used the thread's CPU up to a time; queries ask it between and inside nodes."""

    def __init__(self, until_seconds: float) -> None:
        super().__init__()
        self._until_seconds = until_seconds

    def check(self, where: str = "") -> None:  # noqa: ARG002  nobody is told
        if time.thread_time() > self._until_seconds:
            raise _HeavyError
