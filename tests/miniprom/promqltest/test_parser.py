from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniprom.promqltest import ScriptError, parse_script
from miniprom.promqltest.statements import Clear, Evaluation, Kind, Load, Steps


def parsed(text: str) -> list[Clear | Load | Evaluation]:
    return list(parse_script(text, "t.test").statements)


def evaluation(text: str) -> Evaluation:
    (statement,) = parsed(text)
    assert isinstance(statement, Evaluation)
    return statement


def test_comment_and_empty_line_end_a_statement() -> None:
    statements = parsed("load 5m\n  a 1\n# b 2\n\nclear\nload 1m\n  c 3\n")
    assert [type(statement) for statement in statements] == [Load, Clear, Load]
    assert [statement.line for statement in statements] == [1, 5, 6]


def test_load_has_interval_and_series() -> None:
    (statement,) = parsed("load_with_nhcb 1m30s\n\ta 1 2\n  b 3")
    assert isinstance(statement, Load)
    assert statement.with_custom_buckets
    assert statement.interval_ms == 90_000
    assert [loaded.series.values for loaded in statement.series] == [(1.0, 2.0), (3.0,)]


def test_start_timestamps_belong_to_the_line_below() -> None:
    (statement,) = parsed('load 1m\n  a{x="1"}@st _ -1m\n  a{x="1"} 1 2\n  b 3')
    assert isinstance(statement, Load)
    assert [loaded.start_offsets_ms for loaded in statement.series] == [(None, -60_000), None]


def test_instant_evaluation() -> None:
    statement = evaluation('eval instant at 5m sum by (a) (b)\n  {a="1"} 2')
    assert (statement.when, statement.query) == (300_000, "sum by (a) (b)")
    assert statement.expected.series[0].values == (2.0,)


def test_range_evaluation() -> None:
    statement = evaluation("eval range from 0 to 10m step 1m a\n  a 1 _ 3")
    assert statement.when == Steps(0, 600_000, 60_000)
    assert statement.expected.series[0].values == (1.0, None, 3.0)


def test_lone_number_is_a_scalar_and_ends_the_statement() -> None:
    first, second = parsed("eval instant at 0 1\n  -0x10\nclear")
    assert isinstance(first, Evaluation)
    assert first.expected.scalar == -16
    assert isinstance(second, Clear)


@pytest.mark.parametrize("literal", ['"a\\n"', "`a\n`".replace("\n", "b")])
def test_expected_string(literal: str) -> None:
    expected = {'"a\\n"': "a\n", "`ab`": "ab"}[literal]
    assert evaluation(f"eval instant at 0 x\n  expect string {literal}").expected.string == expected


def test_expected_range_vector_has_times() -> None:
    expected = evaluation(
        "eval instant at 1m a[1m]\n  expect range vector from 10s to 1m step 10s\n  a 1 2"
    ).expected
    assert expected.range_vector == Steps(10_000, 60_000, 10_000)


@pytest.mark.parametrize(
    ("line", "kind", "matching", "other"),
    [
        ("expect fail", Kind.FAIL, "anything", None),
        ("expect warn msg: a.c", Kind.WARN, "a.c", "abc"),
        ("expect info regex: a.c", Kind.INFO, "xabcx", "ac"),
    ],
)
def test_expected_texts(line: str, kind: Kind, matching: str, other: str | None) -> None:
    (text,) = evaluation(f"eval instant at 0 x\n  {line}").expected.texts_of(kind)
    assert text.matches(matching)
    assert other is None or not text.matches(other)


def test_expected_absence_of_annotations() -> None:
    expected = evaluation("eval instant at 0 x\n  expect no_warn\n  expect no_info").expected
    assert expected.none_of == {Kind.WARN, Kind.INFO}


@pytest.mark.parametrize("mode", ["fail", "warn", "info"])
def test_old_forms_of_expected_texts(mode: str) -> None:
    assert evaluation(f"eval_{mode} instant at 0 x").expected.texts_of(Kind(mode))


def test_old_form_of_ordered() -> None:
    assert evaluation("eval_ordered instant at 0 x").expected.ordered


def test_old_forms_of_failure_messages() -> None:
    for line in ("expected_fail_message a.c", "expected_fail_regexp ^a.c$"):
        (text,) = evaluation(f"eval_fail instant at 0 x\n  {line}").expected.texts_of(Kind.FAIL)
        assert text.matches("a.c")
        assert not text.matches("ac")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lod 5m", "t.test:1: expected load, clear or eval, got 'lod 5m'"),
        ("\nload 5", 't.test:2: not a valid duration string: "5"'),
        ("load", "t.test:1: expected load <interval> or load_with_nhcb <interval>, got 'load'"),
        (
            "load 1m\n  a 1\n  b x",
            "t.test:3: expected a value such as 5, _, stale, 1+2x3 or {{sum:1}}, got 'x'",
        ),
        ("eval instant at 1m", "t.test:1: expected eval instant at <time> <query>"),
        ("eval range from 2m to 1m step 1m x", "t.test:1: the end, 1m, is before the start, 2m"),
        ("eval range from 1m to 2m step 0 x", "t.test:1: expected a step greater than 0"),
        (
            "eval instant at 0 x\n  a 1 2",
            "t.test:2: expected one value, or an 'expect range vector' line above",
        ),
        ("eval instant at 0 x\n  expect wran", "t.test:2: expected expect ordered, fail, warn"),
        (
            "eval instant at 0 x\n  expect warn\n  expect no_warn",
            "t.test:3: expect warn and expect no_warn exclude",
        ),
        ("eval instant at 0 x\n  expect fail\n  expect fail", "t.test:3: expect fail is given twice"),
        ("eval instant at 0 x\n  expect fail regex: (", "t.test:2: invalid regular expression '('"),
        ("eval instant at 0 x\n  expect string a", "t.test:2: expected a quoted string, got 'a'"),
        ("load 1m\n  a@st _\n", "t.test:3: expected the line of samples that belongs to the @st line above"),
        ("load 1m\n  a@st _\n  b 1", "t.test:3: the series is not the one of the @st line above"),
        ("load 1m\n  a@st _\n  a 1 2", "t.test:3: 2 samples, but 1 start timestamps above"),
    ],
)
def test_mistakes_are_named_with_their_place(text: str, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_script(text, "t.test")
    assert str(caught.value).startswith(message)


LINES = [
    "load 1m",
    "load_with_nhcb 5s",
    "eval instant at 1m a",
    "eval range from 0 to 1m step 1m a",
    "eval_fail instant at 0 a +",
    "clear",
    "",
    "# comment",
    "a 1 2",
    "a@st _ -1m",
    "5",
    "expect warn",
    "expect no_warn",
    "expect fail regex: (",
    "expect string `",
    "expect range vector from 0 to 1m step 1m",
    "expected_fail_message x",
]


@given(st.lists(st.sampled_from(LINES) | st.text(max_size=20), max_size=8))
def test_any_script_is_parsed_or_refused(lines: list[str]) -> None:
    with suppress(ScriptError):
        parse_script("\n".join(lines), "t.test")
