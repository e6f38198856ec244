"""`parse`: text to a checked tree."""

from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from lark import Lark, UnexpectedToken

from query.errors import ParseError
from query.language.ast import Expr
from query.language.builder import Builder
from query.language.check import ParserOptions, check
from query.language.lexer import PromqlLexer
from query.language.problem import ProblemError
from query.language.syntax_error import explain

UPSTREAM_DEFAULTS: Final = ParserOptions()
EVERYTHING: Final = ParserOptions(True, True, True, True)
MAX_CHARACTERS: Final = 128 * 1024
_CACHED_QUERIES: Final = 256
_MAX_CACHED_CHARACTERS: Final = 4096


def parse(text: str, options: ParserOptions = UPSTREAM_DEFAULTS) -> Expr:
    """The tree of a query, checked; recent ones are remembered. Thread-safe. Raises `ParseError`."""
    return _parse_cached(text, options) if len(text) <= _MAX_CACHED_CHARACTERS else _parse(text, options)


def _parse(text: str, options: ParserOptions) -> Expr:
    if len(text) > MAX_CHARACTERS:
        message = f"query of {len(text)} characters is longer than {MAX_CHARACTERS}"
        raise ParseError(message, 0, 0, text)
    try:
        return check(_read(text), text, options)
    except ProblemError as problem:
        span = problem.span
        raise ParseError(problem.message, span.start, span.end, text, problem.hint) from None


_parse_cached = lru_cache(_CACHED_QUERIES)(_parse)


def _read(text: str) -> Expr:
    try:
        return grammar().parse(text)  # type: ignore[return-value]  # the builder's `start` returns an Expr
    except UnexpectedToken as error:
        raise explain(error, text) from None


@cache
def grammar() -> Lark:
    """The parser's tables, made at the first query; a server may call this in advance."""
    return Lark(
        files(__package__).joinpath("promql.lark").read_text(encoding="utf-8"),
        parser="lalr",
        lexer=PromqlLexer,
        transformer=Builder(),
        maybe_placeholders=False,
    )
