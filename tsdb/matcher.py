"""Label matchers: one condition on the value of one label."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from tsdb.errors import BadMatcherError, RegexError
from tsdb.regex import compile_regex

_PLAIN = r"(?:[^\\.+*?()|\[\]{}^$]|\\[!-/:-@\[-`{-~])*+"
_GROUPED_LITERALS = re.compile(
    rf"(?P<open>\((?:\?:)?)?(?P<body>{_PLAIN}(?:\|{_PLAIN})*+)(?(open)\))", re.DOTALL
)
_ALTERNATIVE = re.compile(rf"(?:^|\|)({_PLAIN})", re.DOTALL)
_LITERAL_WITHIN = re.compile(rf"(?P<before>\.[*+])?(?P<literal>{_PLAIN})(?P<after>\.[*+])?", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)")


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

    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.name, self.op.value, self.value)))
        if self.literals is None:
            self._fullmatch  # noqa: B018  compiled at once, so that a bad pattern is refused here

    def __hash__(self) -> int:
        return self._hash  # made once: selections are looked up by their matchers

    @property
    def is_regex(self) -> bool:
        return self.op in (MatchOp.MATCHES, MatchOp.NOT_MATCHES)

    @property
    def is_negative(self) -> bool:
        return self.op in (MatchOp.NOT_EQUAL, MatchOp.NOT_MATCHES)

    @cached_property
    def _fullmatch(self) -> Callable[[str], object]:
        return literal_within(self.value) or compile_anchored(self.value)

    @cached_property
    def literals(self) -> frozenset[str] | None:
        """The only values that satisfy the condition, negation aside; None if it takes a regex to tell."""
        return literals_of(self.value) if self.is_regex else frozenset((self.value,))

    def matches(self, value: str) -> bool:
        """Whether a series with this label value is selected."""
        literals = self.literals
        hit = bool(self._fullmatch(value)) if literals is None else value in literals
        return hit != self.is_negative

    def matching(self, values: Iterable[str]) -> list[bool]:
        """`matches` for many values, one call a distinct value."""
        return [self.matches(value) for value in values]

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.op.value}"{escaped}"'


def literals_of(pattern: str) -> frozenset[str] | None:
    r"""The alternatives of a pattern such as `a|b\.c|d`, in parentheses or not; None if it is anything else.

    Dashboards and recommenders send thousands of alternatives: one look-up replaces the automaton.
    """
    grouped = _GROUPED_LITERALS.fullmatch(pattern)
    if grouped is None:
        return None
    return frozenset(_ESCAPED.sub(r"\1", literal) for literal in _ALTERNATIVE.findall(grouped["body"]))


def literal_within(pattern: str) -> Callable[[str], bool] | None:
    """A predicate for patterns such as `.+`, `a.*` or `.*a.+`, quicker than RE2's; None for all others."""
    parts = _LITERAL_WITHIN.fullmatch(pattern)
    if parts is None or not (parts["before"] or parts["after"]):
        return None
    literal, before, after = _ESCAPED.sub(r"\1", parts["literal"]), parts["before"], parts["after"]
    least_before, least_after = before == ".+", after == ".+"
    least = least_before + len(literal) + least_after

    def matches(value: str) -> bool:
        if len(value) < least:
            return False
        if before and after:
            return value.find(literal, least_before, len(value) - least_after) >= 0
        return value.endswith(literal) if before else value.startswith(literal)

    return matches


def compile_anchored(pattern: str) -> Callable[[str], object]:
    """A predicate that matches whole strings, `.` including newlines, as upstream's labels.FastRegexMatcher.

    Raises `BadMatcherError`.
    """
    try:
        compiled = compile_regex(pattern)
    except RegexError as error:
        raise BadMatcherError(str(error)) from error
    fullmatch: Callable[[str], object] = compiled.fullmatch
    return fullmatch
