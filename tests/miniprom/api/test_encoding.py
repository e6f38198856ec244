"""JSON built by the column."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniprom.api import encoding
from miniprom.api.encoding import encode_matrix, encode_vector, histogram_object, metric_objects
from miniprom.api.results import encode_result
from query import RawMatrix, RawSeries
from tsdb import LabelFrame, LabelScope, labels_from
from tsdb.histogram import Buckets, FloatHistogram

SCOPE = LabelScope({})
# Two observations in (1,2], one in (4,8], one in the zero bucket [-0.25,0.25], one in [-2,-1).
HISTOGRAM = FloatHistogram(
    schema=0,
    zero_threshold=0.25,
    zero_count=1.0,
    count=5.0,
    sum=3.5,
    positive=Buckets.dense(1, [2.0, 0.0, 1.0]),
    negative=Buckets.dense(1, [1.0]),
)
HISTOGRAM_JSON = {
    "count": "5",
    "sum": "3.5",
    "buckets": [
        [1, "-2", "-1", "1"],
        [3, "-0.25", "0.25", "1"],
        [0, "1", "2", "2"],
        [0, "4", "8", "1"],
    ],
}


def frame(*series: dict[str, str]) -> LabelFrame:
    return LabelFrame.of(SCOPE, [labels_from(labels) for labels in series])


def matrix(
    labels: LabelFrame,
    values: list[list[float]],
    present: list[list[bool]] | None = None,
    histograms: object = None,
) -> object:
    steps = np.arange(len(values)) * 1000
    mask = None if present is None else np.array(present)
    return json.loads(b"".join(encode_matrix(labels, steps, np.array(values), mask, histograms)))  # type: ignore[arg-type]  # object arrays


label_sets = st.lists(
    st.dictionaries(st.text(min_size=1, max_size=3), st.text(max_size=4), max_size=3), max_size=12
)


@given(label_sets)
def test_labels_are_json_objects_without_empty_values(series: list[dict[str, str]]) -> None:
    decoded = [json.loads(metric) for metric in metric_objects(frame(*series))]
    assert decoded == [{name: value for name, value in labels.items() if value} for labels in series]


def test_label_names_ascend() -> None:
    assert list(metric_objects(frame({"b": "1", "a": "2", "__name__": "up"}))) == [
        b'{"__name__":"up","a":"2","b":"1"}'
    ]


def test_matrix_has_a_point_at_every_step() -> None:
    assert matrix(frame({"a": "1"}, {"a": "2"}), [[1.0, 2.5], [3.0, float("nan")]]) == [
        {"metric": {"a": "1"}, "values": [[0, "1"], [1, "3"]]},
        {"metric": {"a": "2"}, "values": [[0, "2.5"], [1, "NaN"]]},
    ]


def test_matrix_leaves_out_steps_without_a_sample() -> None:
    values, present = [[1.0, 2.0], [3.0, 4.0]], [[True, False], [False, True]]
    assert matrix(frame({"a": "1"}, {"a": "2"}), values, present) == [
        {"metric": {"a": "1"}, "values": [[0, "1"]]},
        {"metric": {"a": "2"}, "values": [[1, "4"]]},
    ]


@given(st.data())
def test_matrix_in_blocks_is_the_same_as_sample_by_sample(data: st.DataObject) -> None:
    steps, series = data.draw(st.integers(1, 5)), data.draw(st.integers(0, 7))
    numbers = st.sampled_from([0.0, 1.0, 2.5]) | st.floats(allow_nan=False)
    flat = data.draw(st.lists(numbers, min_size=steps * series, max_size=steps * series))
    shown = data.draw(st.lists(st.booleans(), min_size=steps * series, max_size=steps * series))
    values, present = (
        np.array(flat).reshape(steps, series),
        np.array(shown, dtype=bool).reshape(steps, series),
    )
    labels = frame(*({"n": str(n)} for n in range(series)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(encoding, "_POINTS_PER_BLOCK", 8)
        patched.setattr(encoding, "_MANY_POINTS", data.draw(st.sampled_from([0, 1 << 8])))
        decoded = json.loads(b"".join(encode_matrix(labels, np.arange(steps) * 1000, values, present, None)))
    read = [[(point[0], float(point[1])) for point in one.get("values", ())] for one in decoded]
    assert read == [
        [(step, float(values[step, column])) for step in range(steps) if present[step, column]]
        for column in range(series)
    ]


def test_equal_series_with_other_gaps_or_signs_of_zero_stay_apart() -> None:
    labels = frame(*({"a": str(number)} for number in range(4)))
    present = [[True, True, True, True], [True, True, False, True]]
    series = matrix(labels, [[0.0, 0.0, 0.0, -0.0], [1.0, 1.0, 1.0, 1.0]], present)
    assert [each["values"] for each in series] == [  # type: ignore[attr-defined]  # JSON
        [[0, "0"], [1, "1"]],
        [[0, "0"], [1, "1"]],
        [[0, "0"]],
        [[0, "-0"], [1, "1"]],
    ]


def test_histogram_shows_its_buckets_that_are_not_empty() -> None:
    assert json.loads(histogram_object(HISTOGRAM)) == HISTOGRAM_JSON


def test_histogram_without_observations_has_no_buckets() -> None:
    assert json.loads(histogram_object(FloatHistogram(schema=0))) == {"count": "0", "sum": "0"}


def test_vector_holds_floats_and_histograms() -> None:
    histograms = np.array([None, HISTOGRAM], dtype=object)
    labels, times = frame({"a": "1"}, {"a": "2"}), np.array([1000, 1000])
    assert json.loads(b"".join(encode_vector(labels, times, np.array([1.0, 0.0]), histograms))) == [
        {"metric": {"a": "1"}, "value": [1, "1"]},
        {"metric": {"a": "2"}, "histogram": [1, HISTOGRAM_JSON]},
    ]


def test_matrix_keeps_floats_and_histograms_of_a_series_apart() -> None:
    histograms = np.array([[None, HISTOGRAM], [HISTOGRAM, HISTOGRAM], [None, None]], dtype=object)
    present = [[True, True], [True, True], [False, True]]
    values = [[1.0, 0.0], [0.0, 0.0], [0.0, 5.0]]
    assert matrix(frame({"a": "1"}, {"a": "2"}), values, present, histograms) == [
        {"metric": {"a": "1"}, "values": [[0, "1"]], "histograms": [[1, HISTOGRAM_JSON]]},
        {
            "metric": {"a": "2"},
            "values": [[2, "5"]],
            "histograms": [[0, HISTOGRAM_JSON], [1, HISTOGRAM_JSON]],
        },
    ]


def test_stored_samples_have_times_of_their_own() -> None:
    series = RawSeries(np.array([1500]), np.array([2.0]), np.array([3000]), (HISTOGRAM,))
    kind, pieces = encode_result(RawMatrix(frame({"a": "1"}), (series,)))
    assert kind == "matrix"
    assert json.loads(b"".join(pieces)) == [
        {"metric": {"a": "1"}, "values": [[1.5, "2"]], "histograms": [[3, HISTOGRAM_JSON]]}
    ]
