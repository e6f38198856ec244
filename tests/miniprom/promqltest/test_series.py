import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniprom.promqltest import NotationError, parse_series
from miniprom.promqltest.histogram_notation import StatedHistogram, format_histogram, parse_histogram
from miniprom.promqltest.series import parse_offsets
from tsdb.histogram import CUSTOM_BUCKETS, Buckets, CounterReset, FloatHistogram
from tsdb.numbers import format_number
from tsdb.sample import is_stale


def values(text: str) -> list[object]:
    return [
        format_histogram(value.histogram) if isinstance(value, StatedHistogram) else value
        for value in parse_series(f"m {text}").values
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", [5.0]),
        ("-1.5 1e3 .5", [-1.5, 1000.0, 0.5]),
        ("0x1F", [31.0]),
        ("Inf -Inf +inf", [math.inf, -math.inf, math.inf]),
        ("_", [None]),
        ("_x3", [None, None, None]),
        ("2x4", [2.0, 2.0, 2.0, 2.0, 2.0]),
        ("0x3", [0.0, 0.0, 0.0, 0.0]),
        ("1+2x3", [1.0, 3.0, 5.0, 7.0]),
        ("10-2x3", [10.0, 8.0, 6.0, 4.0]),
        ("-1-2x1", [-1.0, -3.0]),
        ("1x0", [1.0]),
        ("{{}}", ["{{}}"]),
        ("{{sum:1}}x1", ["{{sum:1}}", "{{sum:1}}"]),
        ("{{sum:1 count:2}}+{{sum:2}}x2", ["{{count:2 sum:1}}", "{{count:2 sum:3}}", "{{count:2 sum:5}}"]),
        ("{{sum:5}}-{{sum:2}}x1", ["{{sum:5}}", "{{sum:3}}"]),
        ("1 {{  sum:1   count:2  }}\t_", [1.0, "{{count:2 sum:1}}", None]),
        ("", []),
    ],
)
def test_values(text: str, expected: list[object]) -> None:
    assert values(text) == expected


def test_stale_is_the_staleness_marker() -> None:
    assert is_stale(np.array(parse_series("m stale").values, dtype=np.float64)).all()


def test_nan_is_no_staleness_marker() -> None:
    assert not is_stale(np.array(parse_series("m NaN").values, dtype=np.float64)).any()


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("m 1", (("__name__", "m"),)),
        ("m{} 1", (("__name__", "m"),)),
        ("{} 1", ()),
        ("a:b_c{x=\"1\", y='2',} 1", (("__name__", "a:b_c"), ("x", "1"), ("y", "2"))),
        ('{__name__="m", x="}"} 1', (("__name__", "m"), ("x", "}"))),
        ('{"m.n", "x y"="é\\n"} 1', (("__name__", "m.n"), ("x y", "é\n"))),
        ('m{empty=""} 1', (("__name__", "m"),)),
        ("{a=`b\\`} 1", (("a", "b\\"),)),
    ],
)
def test_labels(text: str, labels: tuple[tuple[str, str], ...]) -> None:
    assert parse_series(text).labels == labels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("m abc", "expected a value such as 5, _, stale, 1+2x3 or {{sum:1}}, got 'abc'"),
        ("m 1+2", "expected x and a count after the step, as in 1+2x3"),
        ("m{a=1} 1", "expected label=\"value\" and a closing brace, got 'a=1} 1'"),
        ('m{a="1"', 'expected label="value" and a closing brace, got \'a="1"\''),
        ('m{a="1", a="2"} 1', "label 'a' is given twice in 'm{a=\"1\", a=\"2\"} 1'"),
        ("m{a} 1", 'expected a="value"'),
        ("m{{sum:1}}", "expected a blank between series and values, got '{{sum:1}}'"),
        ("5", "expected a series such as name{label=\"value\"}, got '5'"),
        ("m {{bucket:[1]}}", "unknown field 'bucket' in a histogram; did you mean 'buckets'?"),
        ("m {{sum:1 sum:2}}", "field 'sum' is given twice in a histogram"),
        ("m {{sum}}", "expected a field such as buckets:[5 10 7], got 'sum'"),
        ("m {{schema:9}}", "expected a schema from -4 to 8, or -53, got 9"),
        ("m {{schema:1.5}}", "expected a whole number, got '1.5'"),
        ("m {{buckets:5}}", "expected a list such as [5 10 7], got '5'"),
        ("m {{schema:-53 buckets:[1 2] custom_values:[]}}", "0 custom_values do not bound 2 buckets"),
        (
            "m {{counter_reset_hint:no}}",
            "expected one of unknown, reset, not_reset, gauge as counter_reset_hint, got 'no'",
        ),
        ("m {{schema:1}}+{{schema:0}}x1", "cannot merge from schema 0 to 1"),
        ("m 1x9999999", "9999999 values in one item are too many, expected at most 1000000"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse_series(text)
    assert str(caught.value) == message


def test_all_fields_of_a_histogram() -> None:
    stated = parse_histogram(
        "n_offset:-5 schema:1 sum:-0.3 count:32.1 z_bucket:7.1 z_bucket_w:0.05"
        " buckets:[5.1 10 7] offset:-3 n_buckets:[4.1 5] counter_reset_hint:gauge"
    )
    assert stated.hint_is_stated
    assert stated.histogram == FloatHistogram(
        schema=1,
        sum=-0.3,
        count=32.1,
        zero_count=7.1,
        zero_threshold=0.05,
        positive=Buckets.dense(-3, [5.1, 10, 7]),
        negative=Buckets.dense(-5, [4.1, 5]),
    )
    assert stated.histogram.counter_reset_hint is CounterReset.GAUGE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("_ -1m 0s", (None, -60_000, 0)),
        ("_x2", (None, None)),
        ("-1m+10sx3", (-60_000, -50_000, -40_000, -30_000)),
        ("-30s-1mx2", (-30_000, -90_000, -150_000)),
        ("1ms-1mx1 0", (1, -59_999, 0)),
        ("-59999msx1", (-59_999, -59_999)),
    ],
)
def test_start_timestamps(text: str, expected: tuple[int | None, ...]) -> None:
    assert parse_offsets(text) == expected


def test_bad_start_timestamp_is_named() -> None:
    with pytest.raises(NotationError, match="expected a start timestamp"):
        parse_offsets("soon")


counts = st.lists(st.floats(0.5, 1e9), max_size=5)


@st.composite
def histograms(draw: st.DrawFn) -> FloatHistogram:
    custom = draw(st.booleans())
    bounds = sorted(draw(st.sets(st.floats(-1e6, 1e6), min_size=5, max_size=8)))
    return FloatHistogram(
        schema=CUSTOM_BUCKETS if custom else draw(st.integers(-4, 8)),
        count=draw(st.floats(0, 1e9)),
        sum=draw(st.floats(allow_nan=False)),
        zero_count=0.0 if custom else draw(st.floats(0, 1e9)),
        zero_threshold=0.0 if custom else draw(st.floats(0, 1)),
        positive=Buckets.dense(0 if custom else draw(st.integers(-9, 9)), draw(counts)),
        negative=Buckets.dense(draw(st.integers(-9, 9)), [] if custom else draw(counts)),
        custom_values=tuple(bounds) if custom else (),
        counter_reset_hint=draw(st.sampled_from(CounterReset)),
    )


@given(histograms())
def test_histogram_round_trip(histogram: FloatHistogram) -> None:
    text = format_histogram(histogram)
    parsed = parse_histogram(text[2:-2]).histogram
    assert format_histogram(parsed) == text
    assert parsed.positive.counts.tolist() == histogram.positive.counts.tolist()
    assert parsed.counter_reset_hint is histogram.counter_reset_hint


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_number_round_trip(numbers: list[float]) -> None:
    assert list(parse_series("m " + " ".join(map(format_number, numbers))).values) == numbers


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for line in (text, "m " + text):
        with suppress(NotationError):
            parse_series(line)
