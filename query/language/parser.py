"""`parse`: text to a checked tree."""

from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from lark import Lark, UnexpectedToken

from query.errors import ParseError
from query.language.ast import Expr, VectorSelector
from query.language.builder import Builder
from query.language.check import ParserOptions, check
from query.language.lexer import PromqlLexer
from query.language.problem import ProblemError
from query.language.syntax_error import explain
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
    try:
        return grammar().parse(text, start=rule)  # type: ignore[return-value]  # an Expr, see the builder
    except ProblemError as problem:
        raise _with_text(problem, text) from None
    except UnexpectedToken as error:
        raise _with_text(explain(error, text), text) from None


def _with_text(problem: ProblemError, text: str) -> ParseError:
    return ParseError(problem.message, problem.span.start, problem.span.end, text, problem.hint)


@cache
def grammar() -> Lark:
    """The parser's tables, made at the first query; a server may call this in advance."""
    return Lark(
        Path(__file__).with_name("promql.lark").read_text(encoding="utf-8"),
        parser="lalr",
        lexer=PromqlLexer,
        transformer=Builder(),
        start=["start", "selector"],
        maybe_placeholders=False,
    )
