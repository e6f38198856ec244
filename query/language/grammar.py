"""Reading with the grammar. Imported at the first query: Lark and the tables are no part of starting up."""

from functools import cache
from pathlib import Path

from lark import Lark, UnexpectedToken

from query.language.ast import Expr
from query.language.builder import Builder
from query.language.lexer import PromqlLexer
from query.language.syntax_error import explain


def read(text: str, rule: str) -> Expr:
    """The tree of a text, by one of the start rules; not checked yet. Raises `ProblemError`."""
    try:
        return _grammar().parse(text, start=rule)  # type: ignore[return-value]  # an Expr, see the builder
    except UnexpectedToken as error:
        raise explain(error, text) from None


@cache
def _grammar() -> Lark:
    return Lark(
        Path(__file__).with_name("promql.lark").read_text(encoding="utf-8"),
        parser="lalr",
        lexer=PromqlLexer,
        transformer=Builder(),
        start=["start", "selector"],
        maybe_placeholders=False,
    )
