import pytest

from query.errors import ParseError, position
from query.language import parse


def drawing(text: str) -> str:
    with pytest.raises(ParseError) as caught:
        parse(text)
    return caught.value.drawing


def test_drawing_marks_the_span_in_its_line() -> None:
    assert drawing("sum(\n\trate(up[5m]) oops\n)") == (
        '2:15: parse error: unexpected identifier "oops" in aggregation\n'
        "  \trate(up[5m]) oops\n"
        "  \t             ^^^^"
    )


def test_drawing_puts_one_caret_behind_the_end() -> None:
    assert drawing("1 +") == "1:4: parse error: unexpected end of input\n  1 +\n     ^"


def test_drawing_counts_characters_where_the_column_counts_bytes() -> None:
    assert drawing('"é" b') == '1:6: parse error: unexpected identifier "b"\n  "é" b\n      ^'


def test_drawing_of_a_span_over_lines_ends_with_the_first() -> None:
    assert drawing("sum(a\n,\nb)").splitlines()[1:] == ["  sum(a", "  ^^^^^"]


def test_drawing_suggests_the_nearest_function() -> None:
    assert drawing("raet(up[5m])").splitlines() == [
        '1:1: parse error: unknown function with name "raet"',
        "  raet(up[5m])",
        "  ^^^^",
        'did you mean "rate"?',
    ]


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [("", 0, "unknown position"), ("ab", 0, "1:1"), ("ab", 2, "1:3"), ("a\n\nb", 3, "3:1"), ("☺b", 1, "1:4")],
)
def test_position_is_line_and_byte_column_from_one(text: str, offset: int, expected: str) -> None:
    assert position(text, offset) == expected
