"""What a way of finding targets has to be able to do."""

from collections.abc import Callable, Sequence
from typing import Protocol

from collector.target import TargetGroup


class Discovery(Protocol):
    """Finds targets for one discovery section; jobs with equal sections share it."""

    async def run(self, changed: Callable[[], None]) -> None:
        """Look for targets until cancelled; `changed` is called when `groups` has something new."""
        ...

    def groups(self) -> Sequence[TargetGroup]:
        """All that is known now. A group that did not change is the same object as before."""
        ...
