"""What lexer, parser and check raise among themselves; `parse` turns it into a `ParseError`."""

from collections.abc import Iterable
from difflib import get_close_matches

from query.language.ast import Span


class ProblemError(Exception):
    """A fault in the query: where, and what."""

    def __init__(self, message: str, span: Span, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint


def nearest(name: str, known: Iterable[str]) -> str:
    """A suggestion for a mistyped name, or nothing."""
    matches = get_close_matches(name, known, n=1)
    return f'did you mean "{matches[0]}"?' if matches else ""
