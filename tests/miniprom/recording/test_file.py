"""The file of a recording, and moving its time."""

import gzip
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniprom.recording import (
    Answer,
    Recording,
    RecordingError,
    moved,
    read_recording,
    samples_of,
    write_recording,
)
from tsdb import STALE, Labels
from tsdb.sample import is_stale

UP: Labels = (("__name__", "up"), ("job", "a"))
WHOLE: dict[str, Any] = {
    "format": "miniprom recording",
    "version": 1,
    "server": "http://localhost:9090",
    "now": 60_000,
    "series": [{"labels": dict(UP), "timestamps": [1000, 2500], "values": [1.5, "stale"]}],
    "answers": [
        {
            "query": "up",
            "start": 60_000,
            "end": 60_000,
            "step": 0,
            "data": {"resultType": "vector", "result": [{"metric": dict(UP), "value": [60, "1.5"]}]},
        }
    ],
}


@given(
    st.lists(st.integers(-(2**62), 2**62), unique=True, max_size=8)
    .map(sorted)
    .flatmap(
        lambda times: st.tuples(
            st.just(times), st.lists(st.floats(), min_size=len(times), max_size=len(times))
        )
    ),
    st.booleans(),
)
def test_what_is_written_is_read(points: tuple[list[int], list[float]], compressed: bool) -> None:
    times, values = points
    samples = {UP: (np.array(times, dtype=np.int64), np.array(values, dtype=np.float64))}
    content = write_recording(Recording("http://x", 7, samples), compressed=compressed)
    read = read_recording(content).samples[UP]
    np.testing.assert_array_equal(read[0], samples[UP][0])
    np.testing.assert_array_equal(read[1], samples[UP][1])


def test_stale_markers_and_nan_stay_apart() -> None:
    samples = {UP: (np.array([1, 2]), np.array([STALE, math.nan]))}
    read = read_recording(write_recording(Recording("http://x", 7, samples)))
    assert is_stale(read.samples[UP][1]).tolist() == [True, False]


def test_content_may_be_text_bytes_or_compressed() -> None:
    text = json.dumps(WHOLE)
    for content in (text, text.encode(), gzip.compress(text.encode())):
        assert read_recording(content).now_ms == 60_000


def series(timestamps: list[int], values: list[Any]) -> dict[str, Any]:
    return {"series": [{"labels": {}, "timestamps": timestamps, "values": values}]}


def answers(data: dict[str, Any]) -> dict[str, Any]:
    return {"answers": [{**WHOLE["answers"][0], "data": data}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "har"}, 'not a recording: "format" is "har", expected "miniprom recording"'),
        ({"version": 2}, "the recording has version 2; only version 1 is known"),
        ({"now": "today"}, "not a recording: Expected `int`, got `str` - at `$.now`"),
        (series([1], []), "series[0] of the recording has 1 timestamps, but 0 values"),
        (series([2, 1], [1, 1]), "the timestamps of series[0] of the recording do not ascend"),
        (series([1, 1], [1, 1]), "the timestamps of series[0] of the recording do not ascend"),
        (series([1], ["old"]), 'has the value "old"; expected a number or "NaN", "+Inf", "-Inf", "stale"'),
        (series([2**63], [1]), "out of range"),
        ({"series": WHOLE["series"] * 2}, "series[1] of the recording repeats the labels"),
        (answers({"resultType": "tensor"}), "an answer of the recording has the unknown resultType 'tensor'"),
        (answers({"resultType": "vector", "result": [1]}), "not a recording: Expected `object`"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordingError) as caught:
        read_recording(json.dumps({**WHOLE, **change}))
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\x1f\x8bnonsense", b"[]", b"\xff", "{", "null"])
def test_what_is_no_recording_at_all_is_refused(content: bytes | str) -> None:
    with pytest.raises(RecordingError):
        read_recording(content)


@given(st.binary(max_size=64))
def test_damaged_files_are_refused(tail: bytes) -> None:
    whole = write_recording(read_recording(json.dumps(WHOLE)), compressed=True)
    with pytest.raises(RecordingError):
        read_recording(whole[: len(whole) // 2] + tail)


def test_time_moves_to_what_was_asked_about_last() -> None:
    times_ms, values = samples_of(json.dumps(WHOLE), 1_060_500)[UP]
    assert times_ms.tolist() == [1_001_500, 1_003_000]
    assert values[0] == 1.5


def test_time_that_is_not_moved_stays() -> None:
    assert samples_of(json.dumps(WHOLE))[UP][0].tolist() == [1000, 2500]


def test_answers_move_with_the_samples() -> None:
    (answer,) = moved(read_recording(json.dumps(WHOLE)), 1_060_500).answers
    data = {"resultType": "vector", "result": [{"metric": dict(UP), "value": [1060.5, "1.5"]}]}
    assert answer == Answer("up", 1_060_500, 1_060_500, 0, data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"resultType": "scalar", "result": [60, "1"]}, [70, "1"]),
        ({"resultType": "string", "result": [60.5, "x"]}, [70.5, "x"]),
        (
            {
                "resultType": "matrix",
                "result": [{"metric": {}, "values": [[1, "1"]], "histograms": [[2, {}]]}],
            },
            [{"metric": {}, "values": [[11, "1"]], "histograms": [[12, {}]]}],
        ),
    ],
)
def test_answers_of_all_types_move(data: dict[str, Any], expected: Any) -> None:
    (answer,) = moved(read_recording(json.dumps({**WHOLE, **answers(data)})), 70_000).answers
    assert answer.data["result"] == expected
