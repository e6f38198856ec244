import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from query.errors import ParseError
from query.language import EVERYTHING, ParserOptions, ValueType, format_expr, parse, prettify, to_json
from query.language.ast import Expr
from tests.query.expressions import expressions

TREES = st.sampled_from(ValueType).flatmap(lambda kind: expressions(kind, 2))
WORDS = "sum by on offset @ start ( ) { } [ ] : , = =~ != + - ^ 5m 1 'a' foo rate bool fill inf #"
FRAGMENTS = st.sampled_from([*WORDS.split(), "\n"])


def parse_or_refuse(text: str) -> None:
    """Passes on no exception but a `ParseError`, which can be drawn."""
    for options in (EVERYTHING, ParserOptions()):
        drawing = ""
        try:
            parse(text, options)
        except ParseError as error:
            drawing = error.drawing
        assert not drawing or "^" in drawing


@settings(max_examples=80, deadline=None)
@given(TREES)
def test_parse_of_a_printed_tree_gives_the_tree(tree: Expr) -> None:
    assert parse(format_expr(tree), EVERYTHING) == tree


@settings(max_examples=30, deadline=None)
@given(TREES)
def test_parse_of_a_prettified_tree_gives_the_tree(tree: Expr) -> None:
    assert parse(prettify(tree), EVERYTHING) == tree


@settings(max_examples=30, deadline=None)
@given(TREES)
def test_every_tree_has_a_json_form(tree: Expr) -> None:
    assert to_json(tree)["type"]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
@example("\ud800")
@example('"\ud800"')
@example('{a="\ud800"}')
@example("\x00")
@example('{a=~"("}')
@example('{a=~"\\xff"}')
@example("'\\")
@example("0_")
@example("08.5e+")
@example("٣")
@example("foo[٣m]")
@example("foo @ 1e400")
@example("foo offset 1e18")
@example("1 ./ 2")
def test_any_text_is_parsed_or_refused(text: str) -> None:
    parse_or_refuse(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(FRAGMENTS, max_size=12).map(" ".join))
def test_any_fragments_are_parsed_or_refused(text: str) -> None:
    parse_or_refuse(text)


@settings(max_examples=100, deadline=None)
@given(TREES.map(format_expr), st.data())
def test_a_mutated_query_is_parsed_or_refused(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    parse_or_refuse(text[:start] + data.draw(st.text(max_size=3)) + text[end:])


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "(" * 10_000 + "1" + ")" * 10_000,
        "1" + "+1" * 20_000,
        "2" + "^2" * 20_000,
        "-" * 20_000 + "x",
        "sum(" * 5_000 + "x" + ")" * 5_000,
        "x" + "[5m:]" * 5_000,
        "x[" + "(" * 5_000 + "1m" + ")" * 5_000 + "]",
        "x[1m" + "+1m" * 5_000 + "]",
    ],
    ids=lambda text: text[:12],
)
def test_a_query_nested_without_end_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match=r"nested more than 200 levels deep|unclosed left parenthesis"):
        parse(text, EVERYTHING)


def test_a_number_with_many_signs_is_one_number() -> None:
    assert format_expr(parse("-" * 20_001 + "1")) == "-1"


def test_a_query_longer_than_the_limit_is_refused() -> None:
    with pytest.raises(ParseError, match="query of 131073 characters is longer than 131072"):
        parse("x" * 131_073)


@pytest.mark.parametrize(
    "text", ["9" * 100_000 + "s", "1_" * 50_000, '"' + "\\n" * 50_000, "(" * 100_000 + "x!"]
)
def test_a_long_faulty_token_is_refused_in_linear_time(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)
