"""`Template`: a parsed text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lark import Lark, Token, UnexpectedToken

from miniprom.templates.builder import Builder
from miniprom.templates.check import Checker
from miniprom.templates.errors import SyntaxFaultError, error_at
from miniprom.templates.functions import FUNCTIONS
from miniprom.templates.lexer import TemplateLexer
from miniprom.templates.nodes import Body
from query.language.literals import quote

ALERT_VARIABLES: Final = {
    "$labels": "Labels",
    "$externalLabels": "ExternalLabels",
    "$externalURL": "ExternalURL",
    "$value": "Value",
}
"""What alerts' templates have beside `$`: fields of the data, by the names of variables."""


@dataclass(frozen=True)
class Template:
    """A parsed template. `definitions` are the bodies that `{{template}}` can invoke, by name."""

    text: str
    body: Body
    definitions: Mapping[str, Body]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Parse and check a template of an alert's label or annotation. Raises `TemplateError`."""
        try:
            body: Body = _grammar().parse(text)  # type: ignore[assignment]  # see the builder
            checker = Checker(FUNCTIONS.keys())
            checker.template(body, ALERT_VARIABLES)
        except UnexpectedToken as error:
            fault = _unexpected(error.token, text)
        except SyntaxFaultError as error:
            fault = error
        else:
            return cls(text, body, MappingProxyType(checker.definitions))
        raise error_at(text, fault.offset, fault.message)


_WITH_VALUE: Final = frozenset({"if", "with", "range", "template", "define", "block"})
_KEYWORDS: Final = frozenset(word.upper() for word in _WITH_VALUE) | {"END", "ELSE", "BREAK", "CONTINUE"}
_FIRST_WORD: Final = re.compile(r"\{\{(?:-\s)?\s*(\w*)")


@cache
def _grammar() -> Lark:
    return Lark(
        Path(__file__).with_name("template.lark").read_text(encoding="utf-8"),
        parser="lalr",
        lexer=TemplateLexer,
        transformer=Builder(),
        maybe_placeholders=False,
        keep_all_tokens=True,
    )


def _unexpected(token: Token, text: str) -> SyntaxFaultError:
    """In upstream's words."""
    if token.type == "$END":
        return SyntaxFaultError("unexpected EOF", len(text))
    offset = int(token.start_pos or 0)
    opening = _FIRST_WORD.match(text, text.rfind("{{", 0, offset + 1))
    keyword = opening[1] if opening and opening[1] in _WITH_VALUE else "command"
    if token.type == "CLOSE":
        return SyntaxFaultError(f"missing value for {keyword}", offset)
    if token.type in _KEYWORDS:
        return SyntaxFaultError(f"unexpected {{{{{token}}}}}", offset)
    return SyntaxFaultError(f"unexpected {quote(token)} in operand", offset)
