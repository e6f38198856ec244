"""Regular expressions are refused in the words of Go's regexp/syntax."""

import pytest

from tsdb.errors import RegexError
from tsdb.regex import compile_regex


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "missing closing ): `(`"),
        ("[a", "missing closing ]: `[a`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a{2000}", "invalid repeat count: `{2000}`"),
        ("(?Px)", "invalid or unsupported Perl syntax: `(?P`"),
        ("(?P<>a)", "invalid named capture: `(?P<>`"),
        (r"\q", r"invalid escape sequence: `\q`"),
        ("a\\", "trailing backslash at end of expression: ``"),
        ("[z-a]", "invalid character class range: `z-a`"),
    ],
)
def test_regex_is_refused_in_the_words_of_go(pattern: str, reason: str) -> None:
    with pytest.raises(RegexError) as refused:
        compile_regex(pattern)
    assert str(refused.value) == f"error parsing regexp: {reason}"
