import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.language.literals import (
    LiteralError,
    as_utf8,
    format_duration_ms,
    format_number,
    parse_duration_ms,
    parse_number,
    quote,
    unquote,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        (".5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("1_000", 1000),
        ("1_0.5", 10.5),
        ("0x1F", 31),
        ("0X_1f", 31),
        ("017", 15),
        ("08", 8),
        ("Inf", math.inf),
        ("iNf", math.inf),
    ],
)
def test_number_has_the_value_that_go_reads(text: str, value: float) -> None:
    assert parse_number(text) == value


def test_nan_is_a_number() -> None:
    assert math.isnan(parse_number("NaN"))


@pytest.mark.parametrize(
    ("text", "reason"), [("1e999", "value out of range"), ("0xfffffffffffffffff", "invalid syntax")]
)
def test_number_that_fits_no_float_is_refused(text: str, reason: str) -> None:
    with pytest.raises(
        LiteralError, match=f'^error parsing number: strconv.ParseFloat: parsing "{text}": {reason}$'
    ):
        parse_number(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (1e21, "1000000000000000000000"),
        (1.5e300, "15" + "0" * 299),
        (-1.25e-7, "-0.000000125"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_number_is_printed_without_an_exponent(value: float, text: str) -> None:
    assert format_number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_printed_number_reads_back(value: float) -> None:
    assert float(format_number(value)) == value


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [("0", 0), ("1ms", 1), ("90s", 90_000), ("1h30m", 5_400_000), ("1y1w1d1h1m1s1ms", 32_230_861_001)],
)
def test_duration_is_the_sum_of_its_units(text: str, duration_ms: int) -> None:
    assert parse_duration_ms(text) == duration_ms


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5m1h", 'not a valid duration string: "5m1h"'),
        ("5m5m", 'not a valid duration string: "5m5m"'),
        ("m", 'not a valid duration string: "m"'),
        ("5", 'not a valid duration string: "5"'),
        ("5hs", 'unknown unit "hs" in duration "5hs"'),
        ("1.5h", 'unknown unit "." in duration "1.5h"'),
        ("293y", "duration out of range"),
    ],
)
def test_malformed_duration_is_refused(text: str, message: str) -> None:
    with pytest.raises(LiteralError) as caught:
        parse_duration_ms(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [
        (0, "0s"),
        (1, "1ms"),
        (300_000, "5m"),
        (-5_400_000, "-1h30m"),
        (14 * 86_400_000, "2w"),
        (90 * 86_400_000, "90d"),
        (365 * 86_400_000, "1y"),
        (366 * 86_400_000, "366d"),
    ],
)
def test_duration_uses_years_and_weeks_only_when_nothing_is_left_over(duration_ms: int, text: str) -> None:
    assert format_duration_ms(duration_ms) == text


@given(st.integers(1, 2**63 // 10**6))
def test_printed_duration_reads_back(duration_ms: int) -> None:
    assert parse_duration_ms(format_duration_ms(duration_ms)) == duration_ms


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (r'"a\"b"', 'a"b'),
        (r"'it\'s'", "it's"),
        (r"`a\n`", r"a\n"),
        (r'"\a\b\f\n\r\t\v\\"', "\a\b\f\n\r\t\v\\"),
        (r'"\101\x41\u0041\U00000041"', "AAAA"),
        (r'"\xc3\xa9"', "é"),
        (r'"\xff"', "\udcff"),
        ('"☺"', "☺"),
    ],
)
def test_string_literal_has_the_value_that_go_reads(literal: str, value: str) -> None:
    assert unquote(literal) == value


@pytest.mark.parametrize(
    ("literal", "message"),
    [
        (r'"\q"', "unknown escape sequence U+0071 'q'"),
        (r"""'\"'""", "unknown escape sequence U+0022 '\"'"),
        (r'"\xg1"', "illegal character U+0067 'g' in escape sequence"),
        (r'"\08"', "illegal character U+0038 '8' in escape sequence"),
        (r'"\x4"', "escape sequence not terminated"),
        (r'"\400"', "escape sequence is an invalid Unicode code point"),
        (r'"\ud800"', "escape sequence is an invalid Unicode code point"),
        (r'"\U00110000"', "escape sequence is an invalid Unicode code point"),
    ],
)
def test_malformed_escape_is_refused(literal: str, message: str) -> None:
    with pytest.raises(LiteralError) as caught:
        unquote(literal)
    assert str(caught.value) == message


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_quoted_text_reads_back(text: str) -> None:
    assert unquote(quote(text)) == text


def test_a_byte_that_is_not_utf8_survives_printing() -> None:
    assert quote(unquote(r'"a\xc5\303z"')) == r'"a\xc5\xc3z"'


def test_bytes_that_are_utf8_together_are_one_character() -> None:
    assert quote(unquote(r'"\xc3\xa9"')) == '"é"'


def test_a_byte_that_is_not_utf8_is_shown_as_the_replacement_character() -> None:
    assert as_utf8(unquote(r'"a\xc5z"')) == "a\ufffdz"
