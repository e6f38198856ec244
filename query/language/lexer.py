"""Text to tokens. What a token is depends on three modes alone: expression, braces, brackets.

Keywords that the grammar treats alike share a token type. A fault is the last token, of type `FAULT`, whose
value is the message, so that the parser first completes what stands before it.

Source: upstream's promql/parser/lex.go. Lark's contextual lexer isn't used because it takes a keyword for a
name wherever the grammar has no place for the keyword, so that `bool + 1` would be a query.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from lark import Token
from lark.lexer import Lexer

from query.language.ast import Span
from query.language.functions import AGGREGATORS
from query.language.literals import LiteralError, quote, quote_char, unquote

FAULT: Final = "FAULT"

KEYWORDS: Final = {
    "and": "SET_OPERATOR",
    "or": "SET_OPERATOR",
    "unless": "SET_OPERATOR",
    "atan2": "ATAN2",
    **dict.fromkeys(AGGREGATORS, "AGGREGATOR"),
    "by": "BY",
    "without": "WITHOUT",
    "offset": "OFFSET",
    "anchored": "EXTENSION",
    "smoothed": "EXTENSION",
    "bool": "BOOL",
    "on": "MATCHING",
    "ignoring": "MATCHING",
    "group_left": "GROUP_SIDE",
    "group_right": "GROUP_SIDE",
    "fill": "FILL",
    "fill_left": "FILL_LEFT",
    "fill_right": "FILL_RIGHT",
    "start": "AT_ANCHOR",
    "end": "AT_ANCHOR",
    "step": "DURATION_VALUE",
    "range": "DURATION_VALUE",
    "min_of": "DURATION_CHOICE",
    "max_of": "DURATION_CHOICE",
    "inf": "NUMBER",
    "nan": "NUMBER",
}

# Possessive quantifiers: a fault at the end of a long number must not make the match quadratic.
_DIGITS: Final = r"[0-9]++(?:_[0-9]++)*+"
_COMMON: Final = (
    (None, r"[ \t\r\n]+|\#[^\r\n]*"),
    ("_COMMA", r","),
    ("STRING", r'"(?:[^"\\\n]|\\[^\n])*+"|' r"'(?:[^'\\\n]|\\[^\n])*+'|`[^`]*+`"),
)
_NUMBERS: Final = (
    ("NUMBER", rf"(?:0[xX]_?[0-9a-fA-F]++(?:_[0-9a-fA-F]++)*+"
               rf"|(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)(?![\w.])"),
    ("DURATION", r"[0-9._]++[smhdwy]s?(?:[0-9]++[smhdw]s?)*+(?!\w)"),
)  # fmt: skip

_EXPRESSION, _BRACES, _BRACKETS = "expression", "braces", "brackets"
_PATTERNS: Final = {
    _EXPRESSION: (
        *_COMMON,
        ("NAME", r"[a-zA-Z_:][a-zA-Z0-9_:]*"),
        *_NUMBERS,
        ("COMPARISON", r"==|!=|<=|</|<|>=|>/|>"),
        ("ARITHMETIC", r"[*/%^]"),
        ("EQUAL", r"=(?!~)"),
        ("SIGN", r"[+-]"),
        ("_AT", r"@"),
        ("LEFT_PAREN", r"\("),
        ("RIGHT_PAREN", r"\)"),
        ("LEFT_BRACE", r"\{"),
        ("LEFT_BRACKET", r"\["),
    ),
    _BRACES: (
        *_COMMON,
        ("IDENTIFIER", r"[a-zA-Z_][a-zA-Z0-9_]*"),
        ("MATCH_OPERATOR", r"=~|!~|!=|="),
        ("RIGHT_BRACE", r"\}"),
    ),
    _BRACKETS: (
        _COMMON[0],
        *_NUMBERS,
        ("DURATION_VALUE", r"(?i:step|range)(?![A-Za-z_])"),
        ("DURATION_CHOICE", r"(?i:min_of|max_of)(?![A-Za-z_])"),
        ("ARITHMETIC", r"[*/%^]"),
        ("SIGN", r"[+-]"),
        ("_COMMA", r","),
        ("_COLON", r":"),
        ("LEFT_PAREN", r"\("),
        ("RIGHT_PAREN", r"\)"),
        ("RIGHT_BRACKET", r"\]"),
    ),
}
_SCANNERS: Final = {
    mode: re.compile("|".join(f"(?P<{kind or 'SKIP'}>{pattern})" for kind, pattern in patterns), re.ASCII)
    for mode, patterns in _PATTERNS.items()
}
_MODE_AFTER: Final = {
    "LEFT_BRACE": _BRACES,
    "RIGHT_BRACE": _EXPRESSION,
    "LEFT_BRACKET": _BRACKETS,
    "RIGHT_BRACKET": _EXPRESSION,
}
_NESTING: Final = {"LEFT_PAREN": 1, "RIGHT_PAREN": -1}
_AT_END: Final = {
    _BRACES: "unexpected end of input inside braces",
    _BRACKETS: "unexpected end of input in duration expression",
}
_FILL_FOLLOWS: Final = re.compile(r"[ \t\r\n]*\(")
_DIGIT: Final = re.compile("[0-9]")
_BAD_NUMBER: Final = re.compile(
    r"0[xX][0-9a-fA-F_]*[\w.]?|[0-9_]*\.?[0-9_]*(?:[eE][+-]?[0-9_]*)?[smhdwy]?s?(?:[0-9]+[smhdw]?s?)*[\w.]?",
    re.ASCII,
)
_INVALID_RUNE: Final = re.compile("[\ufffd\ud800-\udfff]")


class PromqlLexer(Lexer):
    """The lexer that the grammar in `promql.lark` declares its terminals for."""

    def __init__(self, lexer_conf: Any) -> None:
        """Lark's signature; the tables above are all the configuration."""

    def lex(self, text: str) -> Iterator[Token]:  # type: ignore[override]  # Lark wraps lexers that take text alone
        return tokens(text)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a query without spaces and comments; a `FAULT`, if any, is the last."""
    mode, depth, end = _EXPRESSION, 0, 0
    while match := _SCANNERS[mode].match(text, end):
        kind, value = match.lastgroup, match.group()
        start, end = match.span()
        if kind is None or kind == "SKIP":
            continue
        depth += _NESTING.get(kind, 0)
        fault = _string_fault(value) if kind == "STRING" else None
        if fault is not None or depth < 0:
            yield (
                _fault(fault, start, text) if fault else _fault("unexpected right parenthesis ')'", end, text)
            )
            return
        mode = _MODE_AFTER.get(kind, mode)
        yield Token(_classify(value, text, end) if kind == "NAME" else kind, value, start, end_pos=end)
    if end < len(text):
        yield _fault(_explain(text, end, mode), end, text)
    elif message := _AT_END.get(mode) or (depth and "unclosed left parenthesis"):
        yield _fault(message, end, text)


def token_span(token: Token) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0)


def span_between(first: Token, last: Token) -> Span:
    """From the start of one token to the end of another."""
    return Span(first.start_pos or 0, last.end_pos or 0)


def _classify(word: str, text: str, end: int) -> str:
    """The token type of a word outside braces and brackets. Keywords are not case-sensitive."""
    kind = KEYWORDS.get(word.lower())
    if kind is None:
        return "METRIC_IDENTIFIER" if ":" in word else "IDENTIFIER"
    if kind.startswith("FILL") and not _FILL_FOLLOWS.match(text, end):
        return "IDENTIFIER"
    return kind


def _fault(message: str, start: int, text: str) -> Token:
    return Token(FAULT, message, start, end_pos=len(text))


def _string_fault(literal: str) -> str | None:
    if _INVALID_RUNE.search(literal):
        return "invalid UTF-8 rune"
    try:
        unquote(literal)
    except LiteralError as error:
        return str(error)
    return None


def _explain(text: str, start: int, mode: str) -> str:
    """Why no token starts here."""
    char = text[start]
    following = text[start + 1 : start + 2]
    if char in "\"'" and mode != _BRACKETS:
        line = text[start + 1 :].partition("\n")[0]
        return _string_fault(f"{char}{line}{char}") or "unterminated quoted string"
    if char == "`" and mode != _BRACKETS:
        return "unterminated raw string"
    if mode == _BRACES:
        return _explain_in_braces(char, following)
    if _DIGIT.match(char) or (char == "." and _DIGIT.match(following)):
        bad = _BAD_NUMBER.match(text, start)
        return f"bad number or duration syntax: {quote(bad.group() if bad else char)}"
    if mode == _BRACKETS:
        if char.isalpha() and _DIGIT.search(text, text.rfind("[", 0, start), start):
            return f"unexpected character: {quote_char(char)}, expected ':'"
        return f"unexpected character in duration expression: {quote_char(char)}"
    if char in "=!":
        return f"unexpected character after '{char}': {quote_char(following) if following else '-1'}"
    if char == "]":
        return "unexpected right bracket ']'"
    return f"unexpected character: {quote_char(char)}"


def _explain_in_braces(char: str, following: str) -> str:
    if char == "!":
        return f"unexpected character after '!' inside braces: {quote_char(following) if following else '-1'}"
    if char == "{":
        return "unexpected left brace '{'"
    return f"unexpected character inside braces: {quote_char(char)}"
