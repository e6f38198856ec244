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


@lru_cache(maxsize=1024)
def parse(text: str, options: ParserOptions = UPSTREAM_DEFAULTS) -> Expr:
    """The tree of a query, checked. Raises `ParseError`."""
    try:
        return check(_parse(text), text, options)
    except ProblemError as problem:
        span = problem.span
        raise ParseError(problem.message, span.start, span.end, text, problem.hint) from None


def _parse(text: str) -> Expr:
    try:
        return _grammar().parse(text)  # type: ignore[return-value]  # the builder's start returns an Expr
    except UnexpectedToken as error:
        raise explain(error, text) from None


@cache
def _grammar() -> Lark:
    return Lark(
        files(__package__).joinpath("promql.lark").read_text(),
        parser="lalr",
        lexer=PromqlLexer,
        transformer=Builder(),
        maybe_placeholders=False,
    )
