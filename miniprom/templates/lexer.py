"""A template's text to tokens. Source: Go's text/template/parse/lex.go."""

import re
from collections.abc import Generator, Iterator
from typing import Any, Final

from lark import Token
from lark.lexer import Lexer

from miniprom.templates.errors import SyntaxFaultError
from query.language.literals import quote

_MAX_PARENS: Final = 40
_WHITESPACE: Final = " \t\r\n"
_KEYWORDS: Final = {
    **{word: word.upper() for word in ("block", "break", "continue", "define", "else", "end", "if", "nil")},
    **{word: word.upper() for word in ("range", "template", "with")},
    "true": "BOOL",
    "false": "BOOL",
}
_TOKENS: Final = (
    ("SPACE", r"[ \t\r\n]+"),
    ("STRING", r'"(?:[^"\\\n]|\\[^\n])*+"|`[^`]*+`'),
    ("CHAR", r"'(?:[^'\\\n]|\\[^\n])++'"),
    ("NUMBER", r"[+-]?(?:0[xX][0-9a-fA-F_]++|0[bB][01_]++|0[oO][0-7_]++"
               r"|(?:[0-9][0-9_]*+\.?[0-9_]*+|\.[0-9][0-9_]*+)(?:[eE][+-]?[0-9]++)?)"),
    ("FIELD", r"\.[^\W\d]\w*+"),
    ("DOT", r"\."),
    ("VARIABLE", r"\$\w*+"),
    ("NAME", r"[^\W\d]\w*+"),
    ("DECLARE", r":="),
    ("ASSIGN", r"="),
    ("PIPE", r"\|"),
    ("COMMA", r","),
    ("LEFT_PAREN", r"\("),
    ("RIGHT_PAREN", r"\)"),
)  # fmt: skip
_TOKEN: Final = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _TOKENS))
_OPEN: Final = re.compile(r"\{\{(-[ \t\r\n])?")
_CLOSE: Final = re.compile(r"([ \t\r\n]+-)?\}\}")
_COMMENT: Final = "/*"
_ENDS_WORD: Final = re.compile(r"[ \t\r\n.,|:)(]|=|\}\}|\Z")
_WORDS: Final = frozenset({"FIELD", "DOT", "VARIABLE", "NAME"})
_OPERAND_ENDS: Final = _WORDS | {"NIL", "BOOL", "NUMBER", "STRING", "CHAR", "RIGHT_PAREN"}
_OPERAND_STARTS: Final = _OPERAND_ENDS - {"RIGHT_PAREN"} | {"LEFT_PAREN"}


class TemplateLexer(Lexer):
    """The lexer that Lark runs. Raises `SyntaxFaultError`."""

    def __init__(self, _conf: Any) -> None:
        """Lark hands its configuration over; there is nothing in it to heed."""

    def lex(self, text: str) -> Iterator[Token]:  # type: ignore[override]  # Lark wraps lexers that take text alone
        return tokens(text)


def tokens(text: str) -> Iterator[Token]:
    """Texts, and between them the tokens of actions; comments and trimmed space are left out."""
    end, trims = 0, False
    while opening := _OPEN.search(text, end):
        yield from _text(text, end, opening.start(), trims, trims_right=opening[1] is not None)
        if text.startswith(_COMMENT, opening.end()):
            end, trims = _skip_comment(text, opening.start(), opening.end() + len(_COMMENT))
            continue
        yield Token("OPEN", "{{", opening.start(), end_pos=opening.end())
        closing = yield from _action(text, opening.start(), opening.end())
        yield Token("CLOSE", "}}", closing.start(), end_pos=closing.end())
        end, trims = closing.end(), closing[1] is not None
    yield from _text(text, end, len(text), trims, trims_right=False)


def _text(text: str, start: int, end: int, trims_left: bool, *, trims_right: bool) -> Iterator[Token]:
    part = text[start:end]
    part = part.lstrip(_WHITESPACE) if trims_left else part
    part = part.rstrip(_WHITESPACE) if trims_right else part
    if part:
        yield Token("TEXT", part, start, end_pos=end)


def _skip_comment(text: str, opening: int, start: int) -> tuple[int, bool]:
    """Where the text goes on, and whether it is trimmed there."""
    end = text.find("*/", start)
    if end < 0:
        raise SyntaxFaultError("unclosed comment", opening)
    closing = _CLOSE.match(text, end + 2)
    if closing is None:
        raise SyntaxFaultError("comment ends before closing delimiter", opening)
    return closing.end(), closing[1] is not None


def _action(text: str, opening: int, start: int) -> Generator[Token, None, re.Match[str]]:
    """The tokens of one action; returns the match of what closes it."""
    depth, end, last, space = 0, start, "", None
    while not (closing := _CLOSE.match(text, end)):
        token = _token(text, opening, end)
        end = int(token.end_pos or 0)
        if token.type == "SPACE":
            space = token
            continue
        if space and last in _OPERAND_ENDS and token.type in _OPERAND_STARTS:
            yield space
        depth += {"LEFT_PAREN": 1, "RIGHT_PAREN": -1}.get(token.type, 0)
        if depth < 0:
            raise SyntaxFaultError("unexpected right paren", int(token.start_pos or 0))
        if depth > _MAX_PARENS:
            raise SyntaxFaultError("max expression depth exceeded", int(token.start_pos or 0))
        yield token
        last, space = token.type, None
    if depth:
        raise SyntaxFaultError("unclosed left paren", opening)
    return closing


def _token(text: str, opening: int, start: int) -> Token:
    if start == len(text):
        raise SyntaxFaultError("unclosed action", opening)
    match = _TOKEN.match(text, start)
    if match is None:
        raise SyntaxFaultError(_no_token(text[start]), start)
    kind, end = str(match.lastgroup), match.end()
    if kind in _WORDS and not _ENDS_WORD.match(text, end):
        raise SyntaxFaultError(f"bad character {_code_point(text[end])}", end)
    if kind == "NUMBER" and text[end : end + 1].isalnum():
        raise SyntaxFaultError(f"bad number syntax: {quote(text[start : end + 1])}", start)
    if kind == "NAME":
        kind = _KEYWORDS.get(match[0], kind)
    return Token(kind, match[0], start, end_pos=end)


def _no_token(char: str) -> str:
    messages = {
        '"': "unterminated quoted string",
        "`": "unterminated raw quoted string",
        "'": "unterminated character constant",
        ":": "expected :=",
    }
    return messages.get(char) or f"unrecognized character in action: {_code_point(char)}"


def _code_point(char: str) -> str:
    shown = f" '{char}'" if char.isprintable() else ""
    return f"U+{ord(char):04X}{shown}"
