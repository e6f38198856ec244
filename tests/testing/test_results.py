import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from miniprom.testing import Bucket, Histogram, Matrix, Result, ResultError, Scalar, String, Vector
from miniprom.testing.results import result_from_json


def answer(kind: str, result: object, **more: Any) -> Result:
    return result_from_json({"data": {"resultType": kind, "result": result}, **more}, "the query", lambda: ())


def vector(*samples: tuple[Mapping[str, str], float | str]) -> Vector:
    result = answer("vector", [{"metric": labels, "value": [10, str(value)]} for labels, value in samples])
    assert isinstance(result, Vector)
    return result


def matrix(*series: tuple[Mapping[str, str], list[tuple[float, str]]]) -> Matrix:
    result = answer("matrix", [{"metric": labels, "values": points} for labels, points in series])
    assert isinstance(result, Matrix)
    return result


CODES = vector(({"code": "200", "pod": "a"}, 10), ({"code": "500", "pod": "a"}, 0.5))


def test_the_scalar_of_one_series_is_its_value() -> None:
    assert vector(({"a": "b"}, 1.5)).scalar() == 1.5


def test_the_scalar_of_a_scalar_is_its_value() -> None:
    assert answer("scalar", [10, "-Inf"]).scalar() == float("-inf")


def test_the_scalar_of_two_series_is_refused_with_both() -> None:
    with pytest.raises(ResultError, match=r"one number was asked of 2 series(?s:.*)code=\"500\""):
        CODES.scalar()


def test_the_scalar_of_nothing_is_refused_with_the_reason() -> None:
    empty = Vector("rate(x[5m])", (), why=lambda: ["there is no metric x"])
    with pytest.raises(
        ResultError, match="one number was asked of 0 series\n<empty answer: there is no metric x>"
    ):
        empty.scalar()


def test_the_scalar_of_a_text_is_refused() -> None:
    with pytest.raises(ResultError, match=r"^a number was asked of a string\n<String 'hello'"):
        answer("string", [10, "hello"]).scalar()


def test_a_series_is_found_by_some_of_its_labels() -> None:
    assert CODES[{"code": "500"}] == 0.5


def test_labels_that_several_series_have_find_none() -> None:
    with pytest.raises(ResultError, match=r'^2 series have \{pod="a"\}, one is expected'):
        CODES[{"pod": "a"}]


def test_labels_that_no_series_has_find_none() -> None:
    with pytest.raises(ResultError, match=r'^no series has \{code="404"\}, one is expected'):
        CODES[{"code": "404"}]


def test_by_maps_the_values_of_a_label_to_numbers() -> None:
    assert CODES.by("code") == pytest.approx({"200": 10, "500": 0.5})


def test_by_maps_combinations_of_several_labels() -> None:
    assert CODES.by("pod", "code") == {("a", "200"): 10, ("a", "500"): 0.5}


def test_by_refuses_a_label_that_does_not_tell_series_apart() -> None:
    with pytest.raises(ResultError, match=r"^several series have \{'pod': 'a'\}"):
        CODES.by("pod")


def test_a_matrix_maps_labels_to_series() -> None:
    found = matrix(({"pod": "a"}, [(1, "1"), (2, "NaN"), (3, "3")]), ({"pod": "b"}, []))
    series = found[{"pod": "a"}]
    assert found.by("pod")["a"] is series
    assert series.timestamps == [1, 2, 3]
    assert series.values == pytest.approx([1, float("nan"), 3], nan_ok=True)


def test_numpy_sees_the_samples_themselves() -> None:
    series = matrix(({}, [(1, "1"), (2, "2")])).series()[0]
    _, values = series.to_numpy()
    values[0] = 7
    assert series.values == [7, 2]
    assert values.dtype == np.float64


def test_answers_are_equal_by_what_they_hold() -> None:
    assert vector(({"a": "b"}, 1)) == vector(({"a": "b"}, 1))
    assert vector(({"a": "b"}, 1)) != vector(({"a": "b"}, 2))
    assert vector(({"a": "b"}, 1)) != vector(({"a": "c"}, 1))


def test_an_empty_answer_is_false() -> None:
    assert not vector()
    assert vector(({}, 0))
    assert answer("scalar", [1, "0"])


def test_warnings_and_infos_are_kept() -> None:
    result = answer("vector", [], warnings=["w"], infos=["i"])
    assert (result.warnings, result.infos) == (("w",), ("i",))


def test_native_histograms_are_kept_whole() -> None:
    point = {"count": "3", "sum": "4.5", "buckets": [[0, "1", "2", "3"]]}
    result = answer("vector", [{"metric": {"a": "b"}, "histogram": [10, point]}])
    assert result.series()[0].histograms == ((10, Histogram(3, 4.5, (Bucket(0, 1, 2, 3),))),)
    with pytest.raises(ResultError, match=r'^\{a="b"\} is a native histogram; see .series\(\)'):
        result.scalar()


def test_columns_hold_a_row_a_sample() -> None:
    found = matrix(({"pod": "a"}, [(1, "1"), (2, "2")]), ({"zone": "z"}, [(1, "5")]))
    assert found.columns() == {
        "pod": ["a", "a", ""],
        "zone": ["", "", "z"],
        "time": [1, 2, 1],
        "value": [1, 2, 5],
    }
    assert vector().columns() == {"time": [], "value": []}


def test_pandas_gets_the_columns_with_times_as_timestamps(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = ModuleType("pandas")
    setattr(pandas, "DataFrame", dict)  # noqa: B010  mypy knows no such attribute
    setattr(pandas, "to_datetime", lambda times, **options: (times, options))  # noqa: B010  as above
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    assert vector(({"pod": "a"}, 1)).to_pandas() == {
        "pod": ["a"],
        "time": ([10], {"unit": "s", "utc": True}),
        "value": [1],
    }


def test_a_vector_is_shown_a_line_a_series() -> None:
    assert repr(CODES) == (
        "<Vector of 2 series at 1970-01-01T00:00:10Z\n"
        '  {code="200", pod="a"}  10\n'
        '  {code="500", pod="a"}  0.5>'
    )


def test_a_matrix_is_shown_without_the_middle_of_long_series() -> None:
    points = [(float(time), str(time)) for time in range(9)]
    assert repr(matrix(({"__name__": "up", "job": "a"}, points))) == (
        "<Matrix of 1 series\n"
        '  up{job="a"}  0 1 2 ... 6 7 8  (9 samples, 1970-01-01T00:00:00Z to 1970-01-01T00:00:08Z)>'
    )


def test_a_large_vector_is_shown_in_part() -> None:
    shown = repr(vector(*(({"pod": str(pod)}, pod) for pod in range(13)))).splitlines()
    assert len(shown) == 1 + 10 + 1
    assert shown[-1] == "  ... and 3 more>"


def test_scalars_and_texts_are_shown_with_their_time() -> None:
    assert repr(answer("scalar", [10, "1.5"])) == "<Scalar 1.5 at 1970-01-01T00:00:10Z>"
    assert repr(answer("string", [10, "a"])) == "<String 'a' at 1970-01-01T00:00:10Z>"


@pytest.mark.parametrize(("kind", "result"), [("scalar", [1, "2"]), ("string", [1, "a"])])
def test_what_has_no_series_says_so(kind: str, result: object) -> None:
    found = answer(kind, result)
    assert isinstance(found, Scalar | String)
    with pytest.raises(ResultError, match=f"^series was asked of a {kind}"):
        found.series()
