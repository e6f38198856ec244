import pytest

from query.errors import ParseError
from query.language import parse_selector
from tsdb import METRIC_NAME, Matcher, MatchOp


def test_selector_gives_its_matchers_with_the_name_first() -> None:
    assert parse_selector('up{job!="a"}') == (
        Matcher(METRIC_NAME, MatchOp.EQUAL, "up"),
        Matcher("job", MatchOp.NOT_EQUAL, "a"),
    )


def test_selector_may_match_everything() -> None:
    assert parse_selector("{}") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("up offset 5m", "1:4: parse error: unexpected <offset>"),
        ("rate(up[5m])", '1:5: parse error: unexpected "("'),
        ("1", '1:1: parse error: unexpected number "1"'),
        ("up{", "1:4: parse error: unexpected end of input inside braces"),
        ("", "unknown position: parse error: unexpected end of input"),
    ],
)
def test_anything_but_a_selector_is_refused(text: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_selector(text)
    assert str(caught.value) == message
