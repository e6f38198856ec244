import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsdb import BadMatcherError, Matcher, MatchOp
from tsdb.matcher import compile_anchored, literal_within, literals_of


@pytest.mark.parametrize(
    ("op", "value", "accepted", "refused"),
    [
        (MatchOp.EQUAL, "a", ["a"], ["", "ab"]),
        (MatchOp.NOT_EQUAL, "a", ["", "ab"], ["a"]),
        (MatchOp.MATCHES, "a|b", ["a", "b"], ["", "ab"]),
        (MatchOp.MATCHES, "a.*", ["a", "ab"], ["", "ba"]),
        (MatchOp.NOT_MATCHES, "a.*", ["", "ba"], ["a", "ab"]),
        (MatchOp.NOT_MATCHES, "", ["a"], [""]),
        (MatchOp.MATCHES, "(?i)ab", ["AB", "ab"], ["abc"]),
    ],
)
def test_matchers_match_whole_values(
    op: MatchOp, value: str, accepted: list[str], refused: list[str]
) -> None:
    matcher = Matcher("l", op, value)
    assert matcher.matching(accepted) == [True] * len(accepted)
    assert matcher.matching(refused) == [False] * len(refused)


def test_a_dot_matches_a_newline() -> None:
    assert Matcher("l", MatchOp.MATCHES, "a.b").matches("a\nb")


def test_an_invalid_regex_is_refused_when_the_matcher_is_built() -> None:
    with pytest.raises(BadMatcherError, match=r"^error parsing regexp: missing closing \): `a\(`$"):
        Matcher("l", MatchOp.MATCHES, "a(")


def test_what_is_no_regex_in_an_equality_matcher_is_fine() -> None:
    assert Matcher("l", MatchOp.EQUAL, "a(").matches("a(")


def test_a_matcher_prints_as_promql_with_its_value_escaped() -> None:
    assert str(Matcher("l", MatchOp.NOT_MATCHES, 'a"\\\n')) == r'l!~"a\"\\\n"'


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("a", {"a"}),
        ("", {""}),
        ("a|b", {"a", "b"}),
        ("|a", {"", "a"}),
        ("a|", {"", "a"}),
        ("a||b", {"", "a", "b"}),
        ("(a|b)", {"a", "b"}),
        ("(?:a|b)", {"a", "b"}),
        (r"a\.b|c\|d", {"a.b", "c|d"}),
        (r"a\\|b", {"a\\", "b"}),
        ("10-1|a_b:c/d", {"10-1", "a_b:c/d"}),
    ],
)
def test_alternatives_of_literals_are_a_set(pattern: str, literals: set[str]) -> None:
    assert literals_of(pattern) == frozenset(literals)


@pytest.mark.parametrize(
    "pattern", ["a.*", "a+", "[ab]", "(a)|b", "(a|b)c", r"\d", "^a", "a$", "(?i)a", "a{2}", "("]
)
def test_what_takes_a_regex_is_no_set_of_literals(pattern: str) -> None:
    assert literals_of(pattern) is None


@given(
    st.lists(st.text(st.sampled_from("ab.|\\()[]*+?^${}-_:\n/é")), min_size=1),
    st.text(st.sampled_from("ab.|\\()[]-_:é")),
)
def test_literals_match_what_the_regex_matches(alternatives: list[str], probe: str) -> None:
    pattern = "|".join(re.sub(r"([.|\\()\[\]*+?^${}\-_:/])", r"\\\1", literal) for literal in alternatives)
    fullmatch = compile_anchored(pattern)
    literals = literals_of(pattern)
    assert literals is not None
    for value in (*alternatives, probe):
        assert (value in literals) == bool(fullmatch(value))


@given(
    st.sampled_from(["", ".*", ".+"]),
    st.text(st.sampled_from("ab\n"), max_size=2),
    st.sampled_from(["", ".*", ".+"]),
    st.text(st.sampled_from("ab\né"), max_size=5),
)
def test_a_literal_between_wildcards_matches_what_the_regex_matches(
    before: str, literal: str, after: str, value: str
) -> None:
    pattern = before + literal + after
    quick = literal_within(pattern)
    assert (quick is None) == (not before and not after)
    if quick is not None:
        assert quick(value) == bool(compile_anchored(pattern)(value))


@pytest.mark.parametrize("pattern", ["a.*b", "a.b", ".*?a", "(.*)", "a|.*", ".", "a.**"])
def test_other_patterns_are_left_to_the_regex(pattern: str) -> None:
    assert literal_within(pattern) is None


@given(st.text(st.sampled_from("ab.|\\()*")), st.lists(st.text(st.sampled_from("ab.|\\()*"))))
def test_any_pattern_matches_the_same_with_and_without_the_set(pattern: str, probes: list[str]) -> None:
    literals = literals_of(pattern)
    if literals is None:
        return
    fullmatch = compile_anchored(pattern)
    for value in (*literals, *probes):
        assert (value in literals) == bool(fullmatch(value))
