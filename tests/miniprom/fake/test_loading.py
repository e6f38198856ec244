import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniprom.fake.errors import FakeError
from miniprom.fake.filling import fill
from miniprom.fake.loading import read_load
from tests.miniprom.fake.serving import START, Fake
from tsdb.wal_store import LoggedStore

NOW_MS = START * 1000


def test_last_value_stands_now_unless_told(fake: Fake) -> None:
    answer = fake.load({"x": "1 2 3"}, interval="15s")
    assert answer == {"series": 1, "samples": 3, "start": START - 30, "end": START}
    assert fake.points("x[1h]") == [[-30, "1"], [-15, "2"], [0, "3"]]


def test_values_of_different_length_all_end_at_the_end(fake: Fake) -> None:
    fake.load({"a": "1 2 3", "b": [9]}, end="-1m", interval=10)
    assert fake.points("a[1h]") == [[-80, "1"], [-70, "2"], [-60, "3"]]
    assert fake.points("b[1h]") == [[-60, "9"]]


def test_with_a_start_the_first_value_stands_there_even_in_the_future(fake: Fake) -> None:
    fake.load({"x": "1 2"}, start="+1h", interval="1m")
    assert fake.values("x") == {}
    fake.advance("61m")
    assert fake.values("x") == {"": "2"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("0+10x2", ["0", "10", "20"]),
        ("1 _ 3", ["1", "3"]),
        ("NaN -Inf 1e3", ["NaN", "-Inf", "1000"]),
        ([1, None, "+Inf", 2.5], ["1", "+Inf", "2.5"]),
        (7, ["7"]),
    ],
    ids=str,
)
def test_values_may_be_notation_or_numbers(fake: Fake, values: object, expected: list[str]) -> None:
    fake.load({"x": values})
    assert [value for _, value in fake.points("x[1h]")] == expected


def test_stale_marker_ends_a_series(fake: Fake) -> None:
    fake.load({"x": "1 stale"})
    assert fake.values("x") == {}


def test_native_histograms_are_loaded_from_notation(fake: Fake) -> None:
    fake.load({"x": "{{schema:0 count:4 sum:6 buckets:[1 3]}}x2"})
    assert fake.values("histogram_count(x)") == {"": "4"}


def test_template_stands_for_as_many_series_as_counted(fake: Fake) -> None:
    series = {'x{pod="p-{i}",zone="z{i}"}': "{i}", 'y{a="b"}': "5"}
    assert fake.load(series, count=3)["series"] == 4
    assert fake.values("x") == {"pod=p-0,zone=z0": "0", "pod=p-1,zone=z1": "1", "pod=p-2,zone=z2": "2"}
    assert fake.values("y") == {"a=b": "5"}


def test_without_a_count_a_template_is_its_first_series(fake: Fake) -> None:
    fake.load({'x{pod="p-{i}"}': "1"})
    assert fake.values("x") == {"pod=p-0": "1"}


def test_openmetrics_keeps_its_times_and_uses_now_where_it_has_none(fake: Fake) -> None:
    text = f"# TYPE c counter\nc_total 5 {START - 60}\nc_total 6 {START - 30}\ng 7\n# EOF\n"
    fake.control("POST", "load", {"openmetrics": text})
    assert fake.points("c_total[1h]") == [[-60, "5"], [-30, "6"]]
    assert fake.points("g[1h]") == [[0, "7"]]


def test_text_format_is_loaded_at_the_time_that_is_given(fake: Fake) -> None:
    fake.control("POST", "load", {"openmetrics": "# TYPE g gauge\ng 7\n", "at": "-5m"})
    assert fake.points("g[1h]") == [[-300, "7"]]


def test_samples_have_times_of_their_own_in_any_order(fake: Fake) -> None:
    labels = {"__name__": "x", "a": "b", "none": ""}
    samples = [{"labels": labels, "timestamps": [START, "-1m", START - 30], "values": [3, "1", "NaN"]}]
    assert fake.control("POST", "load", {"samples": samples})["samples"] == 3
    assert fake.points('x{a="b"}[1h]') == [[-60, "1"], [-30, "NaN"], [0, "3"]]


def test_samples_may_be_little_endian_arrays(fake: Fake) -> None:
    times = base64.b64encode(np.array([NOW_MS - 1000, NOW_MS], dtype="<i8").tobytes()).decode()
    values = base64.b64encode(np.array([1.5, -2.0], dtype="<f8").tobytes()).decode()
    item = {"labels": {"__name__": "x"}, "timestamps_b64": times, "values_b64": values}
    fake.control("POST", "load", {"samples": [item]})
    assert fake.points("x[1h]") == [[-1, "1.5"], [0, "-2"]]


def test_script_loads_so_that_its_last_value_stands_now(fake: Fake) -> None:
    fake.control("POST", "load", {"script": "load 1m\n  a 1 2 3\n  b 5\n\nload 30s\n  c 1 2"})
    assert fake.points("a[1h]") == [[-120, "1"], [-60, "2"], [0, "3"]]
    assert fake.points("b[1h]") == [[-120, "5"]]
    assert fake.points("c[1h]") == [[-120, "1"], [-90, "2"]]


def test_script_may_start_at_a_time(fake: Fake) -> None:
    fake.control("POST", "load", {"script": "load 1m\n  a 1 2", "start": "-10m"})
    assert fake.points("a[1h]") == [[-600, "1"], [-540, "2"]]


def test_script_makes_custom_buckets_and_start_timestamps(fake: Fake) -> None:
    script = 'load_with_nhcb 1m\n  h_bucket{le="1"} 1\n  h_bucket{le="+Inf"} 3\n'
    fake.control("POST", "load", {"script": script})
    assert fake.values("histogram_count(h)") == {"": "3"}


@pytest.mark.parametrize("expr", ["x", "x[5m]", "sum(x)"])
def test_answer_of_a_query_is_loaded_as_it_was(fake: Fake, expr: str) -> None:
    fake.load({"x": "1 2 3"})
    answer = fake.query(expr).json
    fake.control("POST", "reset", {})
    fake.control("POST", "load", {"response": answer, "metric": "x"})
    again = fake.query("x[5m]" if expr == "x[5m]" else "x").json["data"]["result"]
    assert [each.get("values", each.get("value")) for each in again] == [
        each.get("values", each.get("value")) for each in answer["data"]["result"]
    ]


def test_older_samples_come_before_those_that_are_there(fake: Fake) -> None:
    fake.load({"x": "3 4"}, interval=60)
    fake.load({"x": "1 2"}, interval=60, end="-10m")
    fake.load({"x": "9"}, end="-30s")
    assert fake.points("x[1h]") == [[-660, "1"], [-600, "2"], [-60, "3"], [-30, "9"], [0, "4"]]


def test_older_native_histograms_come_before_floats(fake: Fake) -> None:
    fake.load({"x": "3"})
    fake.load({"x": "{{count:1 sum:1 buckets:[1]}} {{count:2 sum:1 buckets:[2]}}"}, end="-1m")
    assert fake.values("count_over_time(x[1h])") == {"": "3"}


def test_same_sample_again_is_no_fault_but_another_value_is(fake: Fake) -> None:
    fake.load({"x": "1 2", "y": "5"})
    fake.load({"x": "1 2"})
    error = fake.refused("load", {"series": {"x": "1 7", "z": "1"}})
    assert error == f'series {{__name__="x"}} has another value at {START}.0 already'
    assert fake.points("x[1h]") == [[-15, "1"], [0, "2"]]
    assert fake.values("z") == {}


def test_what_is_older_than_the_configured_retention_is_refused(fake: Fake) -> None:
    fake.control("POST", "config", {"config": "storage: {tsdb: {retention: {time: 1h}}}"})
    fake.load({"x": "1"}, end="-1h")
    error = fake.refused("load", {"series": {"x": "1"}, "end": START - 3601})
    assert "the retention reaches back to" in error


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "load: expected one of series, openmetrics"),
        ({"series": {}, "script": ""}, "got series and script"),
        ({"series": {"x": "1"}, "at": "now"}, "unknown field 'at'"),
        ({"series": {"x": "1"}, "intervall": 5}, "did you mean 'interval'?"),
        ({"series": {"x": "1"}, "interval": "0s"}, "load.interval: expected a duration of at least 1 ms"),
        ({"series": {"x": "1"}, "end": "tomorrow"}, 'load.end: expected a time such as 1700000000, "2024'),
        ({"series": {"x": "1"}, "start": "now", "end": "-1m"}, "a time that is not before start"),
        ({"series": {"x{": "1"}}, "series 'x{': expected label="),
        ({"series": {"x 1": "1"}}, "expected nothing behind the series"),
        ({"series": {"x": "1 two"}}, "series 'x': expected a value such as 5, _, stale"),
        ({"series": {"x": [1, "two"]}}, "expected numbers, or null"),
        ({"series": {"x": None}}, "expected a notation such as"),
        ({"series": {"x": "1x2000000"}}, "2000000 values in one item are too many"),
        ({"series": {'x{a="b"}': "1", 'x{a="b",}': "2"}}, 'series {__name__="x", a="b"} is given twice'),
        ({"series": {"{}": "1"}}, "a series needs at least one label"),
        ({"openmetrics": "x{ 1\n# EOF\n"}, "load.openmetrics: "),
        ({"samples": [{"labels": {"a": 1}}]}, "samples[0].labels: expected an object of texts"),
        (
            {"samples": [{"labels": {"a": "b"}, "timestamps": [1], "values": []}]},
            "1 timestamps, but 0",
        ),
        ({"samples": [{"labels": {"a": "b"}, "timestamps": [1, 1], "values": [1, 2]}]}, "two samples at 1.0"),
        ({"samples": [{"labels": {"a": "b"}, "timestamps_b64": "AAA", "values": []}]}, "expected base64"),
        ({"script": "load 1m\n  x 1\n\neval instant at 1m x\n"}, "script:4: expected load statements only"),
        ({"script": "load 1m\n  x what"}, "script:2: expected a value"),
        ({"response": {"status": "error", "error": "no"}}, "it tells of an error, 'no'"),
        ({"response": {"data": {"resultType": "string", "result": [1, "a"]}}}, "a vector, matrix or scalar"),
        (
            {"response": {"data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "1"]}]}}},
            "it has no metric name",
        ),
        ({"recording": {"format": "other"}}, "load.recording: not a recording"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_faulty_request_is_refused_with_the_place_and_what_was_expected(
    fake: Fake, body: dict[str, Any], message: str
) -> None:
    assert message in fake.refused("load", body)
    assert fake.control("GET", "")["series"] == 0


def test_body_that_is_no_json_is_refused(fake: Fake) -> None:
    answer = fake.ask("POST", "/-/fake/load", b"{'series': 1}")
    assert answer.status == 400
    assert "not JSON" in answer.json["error"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FORMS = ("series", "openmetrics", "samples", "script", "response", "recording")
NAMES = ("interval", "start", "end", "count", "at", "metric", "move_to")
SERIES = st.dictionaries(
    st.sampled_from(["x", 'x{a="{i}"}', "{}", "x{", "{a='b'}", "y"]),
    st.sampled_from(["1", "_", "1+1x3", "stale", "{{sum:1}}", "{i}", "{{{i}}}", ""])
    | ANYTHING
    | st.fixed_dictionaries({"generator": st.sampled_from(["ramp", "noise", "counter", "histogram", "x"])}),
    max_size=3,
)


@given(
    form=st.sampled_from(FORMS),
    value=ANYTHING | SERIES,
    more=st.dictionaries(st.sampled_from(NAMES), ANYTHING | st.sampled_from(["1m", "now", 3]), max_size=2),
)
def test_whatever_is_asked_to_load_is_stored_whole_or_refused(form: str, value: Any, more: Any) -> None:
    store = LoggedStore(retention_ms=None)
    try:
        body = json.loads(json.dumps({form: value, **more}))
        batch = read_load(body, NOW_MS)
        fill(store, batch, NOW_MS)
    except FakeError:
        assert store.stats().series == 0
    else:
        assert store.stats().samples_appended == batch.samples()
