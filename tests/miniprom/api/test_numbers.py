"""Numbers as Prometheus's API prints them."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from miniprom.api.numbers import (
    format_floats,
    format_timestamps,
    go_float,
    interleaved_whole_numbers,
    plain_float,
)
from tsdb.sample import FloatArray


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (1e-6, "0.000001"),
        (1.5e-5, "0.000015"),
        (-2.25e-6, "-0.00000225"),
        (9.9e-7, "9.9e-07"),
        (5e-324, "5e-324"),
        (1e15, "1000000000000000"),
        (1e16, "10000000000000000"),
        (1.2345678901234567e19, "12345678901234567000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_float_is_printed_as_go_prints_it(value: float, text: str) -> None:
    assert go_float(value) == text
    assert format_floats(np.array([value])) == [text.encode()]


@given(st.lists(st.floats()))
def test_printed_array_reads_back_the_same(values: list[float]) -> None:
    texts = format_floats(np.array(values, dtype=np.float64))
    read = [float(text) for text in texts]
    assert [math.isnan(value) or struct.pack("d", value) for value in values] == [
        math.isnan(value) or struct.pack("d", value) for value in read
    ]


@given(st.lists(st.floats()))
def test_array_and_single_printing_agree(values: list[float]) -> None:
    assert format_floats(np.array(values, dtype=np.float64)) == [go_float(value).encode() for value in values]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-7, "0.0000001"), (-1.25e-9, "-0.00000000125"), (1.5e21, "1500000000000000000000"), (2.0, "2")],
)
def test_scalar_never_has_an_exponent(value: float, text: str) -> None:
    assert plain_float(value) == text


def test_staleness_marker_prints_as_nan() -> None:
    assert format_floats(np.array([0x7FF0000000000002], dtype=np.uint64).view(np.float64)) == [b"NaN"]


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (1435781451781, b"1435781451.781"),
        (1435781451000, b"1435781451"),
        (1050, b"1.050"),
        (7, b"0.007"),
        (0, b"0"),
        (-250, b"-0.250"),
    ],
)
def test_timestamp_is_in_seconds_with_three_decimals_if_any(time_ms: int, text: bytes) -> None:
    assert format_timestamps(np.array([time_ms])) == [text]


@given(arrays(np.float64, (3, 4), elements=st.integers(0, 2**32 - 1).map(float)))
def test_whole_numbers_are_printed_as_one_by_one(values: FloatArray) -> None:
    texts = [b"%d;" % number for number in (1, 22, 333, 4444)]
    printed = interleaved_whole_numbers(texts, values)
    assert printed == [
        b"".join(text + number for text, number in zip(texts, format_floats(row), strict=True))
        for row in values
    ]


def test_whole_numbers_that_are_not_there_are_left_out() -> None:
    present = np.array([[False, True, False], [False, False, False]])
    printed = interleaved_whole_numbers([b"a", b"b", b"c"], np.array([[1.0, 23.0, 4.0]] * 2), present)
    assert printed == [b"b23", b""]


@pytest.mark.parametrize("value", [0.5, -1.0, -0.0, 2.0**32, math.nan, math.inf])
def test_other_numbers_are_not_printed_as_whole_ones(value: float) -> None:
    assert interleaved_whole_numbers([b"a", b"b"], np.array([[1.0, value]])) is None
