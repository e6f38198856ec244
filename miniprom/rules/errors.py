"""What goes wrong with rules."""

from collections.abc import Sequence

from miniprom.config import ConfigFileError
from miniprom.errors import MinipromError


class RuleError(MinipromError):
    """Why a rule could not be evaluated, in the words that the API shows as `lastError`."""


class RuleFileError(ConfigFileError):
    """Rule files that can't be loaded; `problems` holds each fault, beginning with `file:line:`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
