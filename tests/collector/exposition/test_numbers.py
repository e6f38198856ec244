import math

import pytest

from collector.exposition.numbers import milliseconds, parse_value, parse_values, seconds

NUMBERS = [
    (b"0", 0.0),
    (b"-1.5e-3", -0.0015),
    (b"+1", 1.0),
    (b"1.", 1.0),
    (b".5E2", 50.0),
    (b"007", 7.0),
    (b"1e-999", 0.0),
    (b"inf", math.inf),
    (b"+INFINITY", math.inf),
    (b"-Inf", -math.inf),
]
NO_NUMBERS = [
    b"",
    b".",
    b"+",
    b"e5",
    b"1e",
    b"1_0",
    b"0x10",
    b"0x1p2",
    b"1\r",
    b"\t1",
    b"+nan",
    b"infin",
    b"1e309",
    b"1 2",
]


@pytest.mark.parametrize(("text", "value"), NUMBERS)
def test_number_in_go_is_a_number(text: bytes, value: float) -> None:
    assert parse_value(text) == value
    assert parse_values([b"1", text]).tolist() == [1.0, value]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_go_refuses_is_no_number(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a number|out of range"):
        parse_value(text)
    with pytest.raises(ValueError, match=r"not a number|out of range|could not convert"):
        parse_values([b"1", text])


@pytest.mark.parametrize("text", [b"NaN", b"nan", b"NAN"])
def test_nan_is_a_number(text: bytes) -> None:
    assert math.isnan(parse_value(text))
    assert math.isnan(parse_values([text])[0])


def test_negative_zero_keeps_its_sign() -> None:
    assert math.copysign(1, parse_values([b"-0"])[0]) == -1


@pytest.mark.parametrize("text", [b"9223372036854775808", b"-1", b"+1", b"1_0", b"1.5", b""])
def test_milliseconds_are_digits_that_fit_an_int64(text: bytes) -> None:
    assert milliseconds(b"9223372036854775807") == 2**63 - 1
    with pytest.raises(ValueError, match="not a time"):
        milliseconds(text)


@pytest.mark.parametrize("text", [b"1e16", b"-1e16", b"NaN", b"+Inf"])
def test_seconds_are_finite_and_fit_an_int64_of_milliseconds(text: bytes) -> None:
    assert seconds(b"-1.0019") == -1001
    with pytest.raises(ValueError, match="not a time"):
        seconds(text)
