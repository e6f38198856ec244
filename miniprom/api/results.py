"""The value of a query as the `result` of an answer."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np

from miniprom.api.encoding import (
    encode_matrix,
    encode_series_points,
    encode_vector,
    histogram_points,
    json_array,
    metric_objects,
)
from miniprom.api.numbers import plain_float
from query import Explanation
from query.execution.result import (
    InstantVector,
    RangeMatrix,
    RawMatrix,
    RawSeries,
    ResultValue,
    ScalarPoint,
    StringPoint,
)


def encode_result(value: ResultValue) -> tuple[str, Iterator[bytes]]:
    """The `resultType` of a value, and its JSON in pieces."""
    match value:
        case InstantVector(time_ms, labels, values, histograms):
            timestamps_ms = np.full(labels.size, time_ms, dtype=np.int64)
            return "vector", encode_vector(labels, timestamps_ms, values, histograms)
        case RangeMatrix(steps_ms, labels, values, present, histograms):
            return "matrix", encode_matrix(labels, steps_ms, values, present, histograms)
        case RawMatrix():
            return "matrix", _encode_raw_matrix(value)
        case ScalarPoint(time_ms, number):
            return "scalar", _encode_point(time_ms, plain_float(number))
        case StringPoint(time_ms, text):
            return "string", _encode_point(time_ms, text)


def truncated(value: ResultValue, limit: int) -> ResultValue | None:
    """The first `limit` series of a value, None if it has no more than that (0: no limit)."""
    if limit == 0 or isinstance(value, ScalarPoint | StringPoint) or value.labels.size <= limit:
        return None
    labels = value.labels.take(np.arange(limit))
    match value:
        case InstantVector(histograms=histograms):
            kept = None if histograms is None else histograms[:limit]
            return replace(value, labels=labels, values=value.values[:limit], histograms=kept)
        case RangeMatrix(present=present, histograms=histograms):
            return replace(
                value,
                labels=labels,
                values=value.values[:, :limit],
                present=None if present is None else present[:, :limit],
                histograms=None if histograms is None else histograms[:, :limit],
            )
        case RawMatrix():
            return replace(value, labels=labels, series=value.series[:limit])


def explanation_object(explanation: Explanation) -> dict[str, object]:
    """A node of a plan: what it does, what it gave and took if it was measured, and its operands."""
    measured = explanation.measured
    figures: dict[str, object] = {}
    if measured is not None:
        figures = {"series": measured.series, "samples": measured.samples, "seconds": measured.seconds}
    return {
        "node": explanation.text,
        **figures,
        "operands": [explanation_object(operand) for operand in explanation.operands],
    }


def _encode_point(time_ms: int, text: str) -> Iterator[bytes]:
    """Upstream prints this time in its shortest form, not with three decimals as those of series."""
    yield b"[%b,%b]" % (plain_float(time_ms / 1000).encode(), msgspec.json.encode(text))


def _encode_raw_matrix(matrix: RawMatrix) -> Iterator[bytes]:
    metrics = metric_objects(matrix.labels)
    return json_array(map(_encode_raw_series, metrics, matrix.series))


def _encode_raw_series(metric: bytes, series: RawSeries) -> bytes:
    fields = b'{"metric":%b' % metric
    if len(series.values):
        fields += b',"values":[%b]' % encode_series_points(series.timestamps_ms, series.values)
    if series.histograms:
        points = histogram_points(series.histogram_timestamps_ms, series.histograms)
        fields += b',"histograms":[%b]' % points
    return fields + b"}"
