"""What bounds a query from outside: its time, its client, and its memory."""

from dataclasses import dataclass, field
from typing import Final

from query.execution.errors import (
    EvaluationError,
    QueryCanceledError,
    QueryTimeoutError,
    TooManySamplesError,
)

MAX_TEXT: Final = 32 * 1024 * 1024
"""Characters of new label values that one query may build: nested calls could double them each time."""


class Control:
    """Stops a running query. Any thread may call `cancel` or `expire`; the query calls `check`.

    It reads no clock: whoever owns the deadline calls `expire` when it is reached.
    """

    def __init__(self) -> None:
        self._reason: type[QueryTimeoutError | QueryCanceledError] | None = None

    def cancel(self) -> None:
        """Let the query end with `QueryCanceledError` at its next check."""
        self._reason = self._reason or QueryCanceledError

    def expire(self) -> None:
        """Let the query end with `QueryTimeoutError` at its next check."""
        self._reason = self._reason or QueryTimeoutError

    def check(self, where: str = "expression evaluation") -> None:
        """Raises `QueryCanceledError` or `QueryTimeoutError` once the query is to stop."""
        if self._reason is not None:
            raise self._reason(where)


@dataclass
class SampleBudget:
    """Counts the samples a query holds, before memory is taken for them.

    Written by the one thread that evaluates the query.
    """

    max_samples: int
    text_left: int = field(default=MAX_TEXT, init=False)
    held: int = field(default=0, init=False)
    peak: int = field(default=0, init=False)
    _kept: int = field(default=0, init=False)

    def reserve(self, samples: int) -> None:
        """Account for an array that is about to be filled. Raises `TooManySamplesError`."""
        self.held += samples
        self.peak = max(self.peak, self.held)
        if self.held > self.max_samples:
            raise TooManySamplesError

    def reserve_text(self, characters: int) -> None:
        """Account for a label value that was built. Raises `EvaluationError` if there are too many."""
        self.text_left -= characters
        if self.text_left < 0:
            raise EvaluationError(f"query would build more than {MAX_TEXT} characters of label values")

    def settle(self, held: int) -> None:
        """A node is done: only its result is held still."""
        self.held = held + self._kept

    def keep(self, samples: int) -> None:
        """A result is held until the query ends. Call it before `settle`."""
        self._kept += samples

    @property
    def in_use(self) -> int:
        """What is held, without what is kept."""
        return self.held - self._kept
