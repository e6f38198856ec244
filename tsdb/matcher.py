"""Label matchers: one condition on the value of one label."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import re2

from tsdb.errors import BadMatcherError


class MatchOp(Enum):
    """The four operators of a selector."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"


@dataclass(frozen=True)
class Matcher:
    """`name op value`; a label that a series lacks has the value "".

    Raises `BadMatcherError` when it is built with a regular expression that RE2 refuses.
    """

    name: str
    op: MatchOp
    value: str

    def __post_init__(self) -> None:
        if self.is_regex:
            self._fullmatch  # noqa: B018  compiled at once, so that a bad pattern is refused here

    @property
    def is_regex(self) -> bool:
        return self.op in (MatchOp.MATCHES, MatchOp.NOT_MATCHES)

    @property
    def is_negative(self) -> bool:
        return self.op in (MatchOp.NOT_EQUAL, MatchOp.NOT_MATCHES)

    @cached_property
    def _fullmatch(self) -> Callable[[str], object]:
        return compile_anchored(self.value)

    def matches(self, value: str) -> bool:
        """Whether a series with this label value is selected."""
        hit = bool(self._fullmatch(value)) if self.is_regex else value == self.value
        return hit != self.is_negative

    def matching(self, values: Iterable[str]) -> list[bool]:
        """`matches` for many values, one call a distinct value."""
        return [self.matches(value) for value in values]

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.op.value}"{escaped}"'


def compile_anchored(pattern: str) -> Callable[[str], object]:
    """A predicate that matches whole strings, `.` including newlines, as upstream's labels.FastRegexMatcher.

    Raises `BadMatcherError`.
    """
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise BadMatcherError(f"invalid regular expression {pattern!r}: {reason}") from error
    fullmatch: Callable[[str], object] = compiled.fullmatch
    return fullmatch
