"""`parse`: text to a checked tree."""

from functools import lru_cache
from typing import Final

from query.errors import ParseError
from query.language.ast import Expr, VectorSelector
from query.language.check import ParserOptions, check
from query.language.problem import ProblemError
from tsdb import Matcher

UPSTREAM_DEFAULTS: Final = ParserOptions()
EVERYTHING: Final = ParserOptions(True, True, True, True)
MAX_CHARACTERS: Final = 128 * 1024
_CACHED_QUERIES: Final = 256
_MAX_CACHED_CHARACTERS: Final = 4096


def parse(text: str, options: ParserOptions = UPSTREAM_DEFAULTS) -> Expr:
    """The tree of a query, checked; recent ones are remembered. Thread-safe. Raises `ParseError`."""
    return _parse_cached(text, options) if len(text) <= _MAX_CACHED_CHARACTERS else _parse(text, options)


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """The matchers of a selector without modifiers, which may be empty ones. Raises `ParseError`.

    Source: upstream's ParseMetricSelector, for `match[]` and `promtool`.
    """
    selector = _read(text, "selector")
    assert isinstance(selector, VectorSelector)
    return selector.matchers


def _parse(text: str, options: ParserOptions) -> Expr:
    expr = _read(text, "start")
    try:
        return check(expr, text, options)
    except ProblemError as problem:
        raise _with_text(problem, text) from None


_parse_cached = lru_cache(_CACHED_QUERIES)(_parse)


def _read(text: str, rule: str) -> Expr:
    if len(text) > MAX_CHARACTERS:
        raise ParseError(f"query of {len(text)} characters is longer than {MAX_CHARACTERS}", 0, 0, text)
    from query.language.grammar import read  # noqa: PLC0415  Lark and its tables: 0.1 s of start-up time

    try:
        return read(text, rule)
    except ProblemError as problem:
        raise _with_text(problem, text) from None


def _with_text(problem: ProblemError, text: str) -> ParseError:
    return ParseError(problem.message, problem.span.start, problem.span.end, text, problem.hint)
