"""What is refused, with upstream's words and place."""

import pytest

from query.errors import ParseError
from query.language import EVERYTHING, ParserOptions, parse


def refusal(text: str, options: ParserOptions = EVERYTHING) -> str:
    with pytest.raises(ParseError) as caught:
        parse(text, options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "unknown position", "no expression found in input"),
        ("# nothing", "1:1", "no expression found in input"),
        ("1 +", "1:4", "unexpected end of input"),
        ("a\n+\n* b", "3:1", "unexpected <op:*>"),
        ('"é" * * b', "1:8", "unexpected <op:*>"),
        ("(a", "1:3", "unclosed left parenthesis"),
        ("a)", "1:3", "unexpected right parenthesis ')'"),
        ("a b", "1:3", 'unexpected identifier "b"'),
        ("a b:c", "1:3", 'unexpected metric identifier "b:c"'),
        ("a 5m", "1:3", 'unexpected duration "5m"'),
        ("a 12345678901", "1:3", 'unexpected number "1234567890"...'),
        ("a sum", "1:3", "unexpected <aggr:sum>"),
        ("a On(b) c", "1:3", "unexpected <On>"),
        ("a = b", "1:3", 'unexpected "="'),
        ("a start", "1:3", 'unexpected "start"'),
        ("bool + 1", "1:1", "unexpected <bool>"),
        ("a == == b", "1:6", "unexpected <op:==>"),
        ("a =~ b", "1:3", "unexpected character after '=': '~'"),
        ("a ! b", "1:3", "unexpected character after '!': ' '"),
        ("a $ b", "1:3", "unexpected character: '$'"),
        ("a ] b", "1:3", "unexpected right bracket ']'"),
        ("12.5.", "1:1", 'bad number or duration syntax: "12.5."'),
        ("7mm", "1:1", 'bad number or duration syntax: "7mm"'),
        ("5m1h", "1:1", 'not a valid duration string: "5m1h"'),
        ("'a", "1:1", "unterminated quoted string"),
        ("`a", "1:1", "unterminated raw string"),
        (r'"\z"', "1:1", "unknown escape sequence U+007A 'z'"),
    ],
)
def test_text_that_is_no_expression(text: str, place: str, message: str) -> None:
    assert refusal(text) == f"{place}: parse error: {message}"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a{", "1:3", "unexpected end of input inside braces"),
        ("a{b}", "1:4", 'unexpected "}" in label matching, expected label matching operator'),
        ("a{b=}", "1:5", 'unexpected "}" in label matching, expected string'),
        ('a{b="c" d}', "1:9", 'unexpected identifier "d" in label matching, expected "," or "}"'),
        ("a{,}", "1:3", 'unexpected "," in label matching, expected identifier or "}"'),
        ("a{b>1}", "1:4", "unexpected character inside braces: '>'"),
        ("a{{", "1:3", "unexpected left brace '{'"),
        ("a{b!1}", "1:4", "unexpected character after '!' inside braces: '1'"),
        ("{}", "1:1", "vector selector must contain at least one non-empty matcher"),
        ('{a=~".*",b=""}', "1:1", "vector selector must contain at least one non-empty matcher"),
        ('a{__name__="b"}', "1:1", 'metric name must not be set twice: "a" or "b"'),
        ("sum by a (b)", "1:8", 'unexpected identifier "a" in grouping opts, expected "("'),
        ("sum by (1) (b)", "1:9", 'unexpected number "1" in grouping opts, expected label'),
        (
            "sum by (a b) (b)",
            "1:11",
            'unexpected identifier "b" in grouping opts, expected "," or ")"',
        ),
        ("sum by (without) (b)", "1:9", "unexpected <without> in grouping opts, expected label"),
        ('sum by ("") (b)', "1:9", 'invalid label name for grouping: ""'),
    ],
)
def test_braces_and_groupings(text: str, place: str, message: str) -> None:
    assert refusal(text) == f"{place}: parse error: {message}"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            "a offset",
            "1:9",
            "unexpected end of input in offset, expected number, duration, step(), or range()",
        ),
        ("a @ b", "1:5", 'unexpected identifier "b" in @, expected timestamp'),
        (
            "a[]",
            "1:3",
            'unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
        ),
        ("a[5m 5m]", "1:6", 'unexpected duration "5m" in subquery or range, expected ":" or "]"'),
        ("a[5m:5m 5m]", "1:9", 'unexpected duration "5m" in subquery selector, expected "]"'),
        (
            "a[5m:*]",
            "1:6",
            'unexpected <op:*> in subquery selector, expected number, duration, step(), range(), or "]"',
        ),
        ("a[b]", "1:3", "unexpected character in duration expression: 'b'"),
        ("a[5m b]", "1:6", "unexpected character: 'b', expected ':'"),
        ("a[5m", "1:5", "unexpected end of input in duration expression"),
        ("a[0s]", "1:3", "duration must be greater than 0"),
        ("a[5m:-1]", "1:6", "duration must be greater than 0"),
        ("a[1e10]", "1:3", "duration out of range"),
        ("a[5m/0]", "1:5", "division by zero"),
        ("a[5m%0]", "1:5", "modulo by zero"),
        ("a[5m > 1]", "1:6", "unexpected character in duration expression: '>'"),
        ("(a)[5m]", "1:4", "ranges only allowed for vector selectors"),
        ("a offset 1m[5m]", "1:12", "no offset modifiers allowed before range"),
        ("a @ 1[5m]", "1:6", "no @ modifiers allowed before range"),
        ("a offset 1m offset 1m", "1:1", "offset may not be set multiple times"),
        ("a @ 1 @ 1", "1:1", "@ <timestamp> may not be set multiple times"),
        ("a @ Inf", "1:1", "timestamp out of bounds for @ modifier: +Inf"),
        ("a @ 1e30", "1:1", "timestamp out of bounds for @ modifier: 1000000000000000019884624838656.000000"),
        (
            "1 offset 1m",
            "1:1",
            "offset modifier must be preceded by an instant vector selector "
            "or range vector selector or a subquery",
        ),
        ("a anchored smoothed", "1:1", "anchored and smoothed modifiers cannot be used together"),
        ("a[5m:] smoothed", "1:1", "smoothed modifier is not supported for subqueries"),
        ("1 smoothed", "1:1", "smoothed modifier not implemented"),
    ],
)
def test_modifiers_and_ranges(text: str, place: str, message: str) -> None:
    assert refusal(text) == f"{place}: parse error: {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nope(a)", 'unknown function with name "nope"'),
        ("without(a)", 'unexpected "("'),
        ("rate(a)", 'expected type range vector in call to function "rate", got instant vector'),
        ("label_join(a, 1, 'b', 'c')", 'expected type string in call to function "label_join", got scalar'),
        ("time(1)", 'expected 0 argument(s) in call to "time", got 1'),
        ("clamp(a)", 'expected 3 argument(s) in call to "clamp", got 1'),
        ("label_join(a)", 'expected at least 3 argument(s) in call to "label_join", got 1'),
        ("round(a, 1, 2)", 'expected at most 2 argument(s) in call to "round", got 3'),
        ("abs(a,)", "trailing commas not allowed in function call args"),
        ("sum()", "no arguments for aggregate expression provided"),
        ("sum(a, b)", "wrong number of arguments for aggregate expression provided, expected 1, got 2"),
        ("topk(a)", "wrong number of arguments for aggregate expression provided, expected 2, got 1"),
        ("topk(a, b)", "expected type scalar in aggregation parameter, got instant vector"),
        ("count_values(1, b)", "expected type string in aggregation parameter, got scalar"),
        ("sum(1)", "expected type instant vector in aggregation expression, got scalar"),
        ("sum(a b)", 'unexpected identifier "b" in aggregation'),
        ("sum a", 'unexpected identifier "a"'),
        ("info(a, b)", "expected label selectors only, got vector selector instead"),
        ("info(a, sum(b))", "expected label selectors only"),
        ("info(a, 1)", 'expected type instant vector in call to function "info", got scalar'),
    ],
)
def test_calls_and_aggregations(text: str, message: str) -> None:
    assert refusal(text).partition("parse error: ")[2] == message


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("1 == 1", "1:3", "comparisons between scalars must use BOOL modifier"),
        ("a +  bool b", "1:3", "bool modifier can only be used on comparison operators"),
        ("1 and 1", "1:1", 'set operator "and" not allowed in binary scalar expression'),
        ("a or 1", "1:1", 'set operator "or" not allowed in binary scalar expression'),
        ("a + on(x) 1", "1:1", "vector matching only allowed between instant vectors"),
        ("a + fill(1) 1", "1:1", "filling in missing series only allowed between instant vectors"),
        ("a and fill(1) b", "1:1", "filling in missing series not allowed for set operators"),
        ("a and on(x) group_left b", "1:1", 'no grouping allowed for "and" operation'),
        ("a + group_left b", "1:5", "unexpected <group_left>"),
        ("a + on(x) group_left(x) b", "1:3", 'label "x" must not occur in ON and GROUP clause at once'),
        ("'a' + b", "1:1", "binary expression must contain only scalar and instant vector types"),
        ("a + b[5m]", "1:5", "binary expression must contain only scalar and instant vector types"),
        (
            "-'a'",
            "1:1",
            'unary expression only allowed on expressions of type scalar or instant vector, got "string"',
        ),
        (
            "-a[5m]",
            "1:1",
            "unary expression only allowed on expressions of type scalar or instant vector, "
            'got "range vector"',
        ),
        ("1[5m:]", "1:1", "subquery is only allowed on instant vector, got scalar instead"),
        ("a[5m:][5m:]", "1:1", "subquery is only allowed on instant vector, got matrix instead"),
    ],
)
def test_operations_between_wrong_types(text: str, place: str, message: str) -> None:
    assert refusal(text) == f"{place}: parse error: {message}"


def test_regular_expression_that_does_not_compile() -> None:
    assert refusal('a{b=~"("}').startswith("1:3: parse error: ")


def test_problem_of_a_complete_part_comes_before_a_later_one() -> None:
    assert refusal("nope(a) $") == '1:1: parse error: unknown function with name "nope"'


def test_info_takes_matchers_that_match_everything() -> None:
    parse("info(a, {b=~'.*'})", EVERYTHING)


@pytest.mark.parametrize(
    ("text", "option", "place", "message"),
    [
        ("mad_over_time(a[5m])", "experimental_functions", "1:1", 'function "mad_over_time" is not enabled'),
        ("1 + start()", "experimental_functions", "1:5", 'function "start" is not enabled'),
        (
            "limitk(1, a)",
            "experimental_functions",
            "1:1",
            "limitk() is experimental and must be enabled "
            "with --enable-feature=promql-experimental-functions",
        ),
        ("a[5m*2]", "duration_expressions", "1:3", "experimental duration expression is not enabled"),
        ("a[(5m)]", "duration_expressions", "1:4", "experimental duration expression is not enabled"),
        (
            "a offset step()",
            "duration_expressions",
            "1:10",
            "experimental duration expression is not enabled",
        ),
        ("a[5m:5m+1]", "duration_expressions", "1:6", "experimental duration expression is not enabled"),
        (
            "a[5m] anchored",
            "extended_range_selectors",
            "1:1",
            "anchored modifier is experimental and not enabled",
        ),
        (
            "a + fill(1) b",
            "binop_fill_modifiers",
            "1:1",
            "binop fill modifiers are experimental and not enabled",
        ),
    ],
)
def test_experimental_part_needs_its_option(text: str, option: str, place: str, message: str) -> None:
    assert refusal(text, ParserOptions()) == f"{place}: parse error: {message}"
    parse(text, ParserOptions(**{option: True}))
