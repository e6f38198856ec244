"""The `response` form of loading: an answer of the API that was saved. Pure."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from miniprom.fake.errors import FakeError
from miniprom.fake.fields import number, shown
from tsdb import METRIC_NAME, Labels, labels_from
from tsdb.sample import FloatArray, IntArray

_WHERE: Final = "load.response"


def read_response(answer: Any, metric: str | None) -> Iterator[tuple[Labels, IntArray, FloatArray]]:
    """The series of a whole answer, or of its `data`; `metric` names those that have no name.

    Raises `FakeError`.
    """
    if isinstance(answer, dict) and answer.get("status") == "error":
        raise FakeError(f"{_WHERE}: it tells of an error, {shown(answer.get('error'))}, and holds no samples")
    data = answer.get("data", answer) if isinstance(answer, dict) else None
    kind = data.get("resultType") if isinstance(data, dict) else None
    result = data.get("result") if isinstance(data, dict) else None
    if kind == "scalar":
        yield _series({"metric": {}, "values": [result]}, f"{_WHERE}.result", metric)
        return
    if kind not in ("vector", "matrix") or not isinstance(result, list):
        raise FakeError(
            f"{_WHERE}: expected the answer to a query, a vector, matrix or scalar, got {shown(answer)}"
        )
    for position, each in enumerate(result):
        yield _series(each, f"{_WHERE}.result[{position}]", metric)


def _series(each: Any, where: str, metric: str | None) -> tuple[Labels, IntArray, FloatArray]:
    if not isinstance(each, dict):
        raise FakeError(f"{where}: expected an object with metric and value or values, got {shown(each)}")
    if "histogram" in each or "histograms" in each:
        raise FakeError(
            f"{where}: native histograms can't be loaded, since an answer does not show them whole"
        )
    labels = _labels(each.get("metric"), where, metric)
    points = each.get("values", [each["value"]] if "value" in each else None)
    if not isinstance(points, list):
        raise FakeError(f"{where}: expected value or values, got {shown(each)}")
    times_ms, values = [], []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            raise FakeError(f'{where}: expected points such as [1700000000, "1"], got {shown(point)}')
        try:
            times_ms.append(round(number(point[0]) * 1000))
            values.append(number(point[1]))
        except (ValueError, OverflowError) as error:
            raise FakeError(f"{where}: {shown(point)} is no time and value") from error
    try:
        return labels, np.array(times_ms, dtype=np.int64), np.array(values, dtype=np.float64)
    except OverflowError as error:
        raise FakeError(f"{where}: a time is out of range") from error


def _labels(labels: Any, where: str, metric: str | None) -> Labels:
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise FakeError(f"{where}: expected an object of texts as metric, got {shown(labels)}")
    kept = {name: value for name, value in labels.items() if value}
    if METRIC_NAME not in kept:
        if not metric:
            raise FakeError(f'{where}: it has no metric name; expected one in "metric" of the request')
        kept[METRIC_NAME] = metric
    return labels_from(kept)
