"""Query results as JSON, built by the column.

All values of a block of series are printed in one call, timestamps once a query, label pairs once
a distinct value; what remains per sample is a place in a list that is joined at the end.
"""

from collections.abc import Iterable, Iterator
from itertools import compress, repeat

import msgspec
import numpy as np

from miniprom.api.numbers import format_floats, format_timestamps, go_float, interleaved_whole_numbers
from query.execution.values import HistogramArray
from tsdb import LabelFrame
from tsdb.histogram import FloatHistogram
from tsdb.sample import BoolArray, FloatArray, IntArray

_POINTS_PER_BLOCK = 1 << 16
_PIECE_BYTES = 1 << 20


def metric_objects(labels: LabelFrame) -> Iterator[bytes]:
    """`{"__name__":"up","job":"a"}` of each series, names ascending, absent labels left out.

    One at a time: a long value that many series share would take much memory in all of them together.
    """
    columns = [_label_pairs(labels, name) for name in labels.names]
    if not columns:
        return repeat(b"{}", labels.size)
    return (b"{%b}" % b",".join(filter(None, row)) for row in zip(*columns, strict=True))


def json_array(items: Iterable[bytes]) -> Iterator[bytes]:
    """The items as an array, in pieces of about a MiB."""
    yield b"["
    separator, size = b"", 0
    gathered: list[bytes] = []
    for item in items:
        gathered.append(item)
        size += len(item)
        if size >= _PIECE_BYTES:
            yield separator + b",".join(gathered)
            separator, gathered, size = b",", [], 0
    yield (separator if gathered else b"") + b",".join(gathered) + b"]"


def encode_vector(
    labels: LabelFrame, timestamps_ms: IntArray, values: FloatArray, histograms: HistogramArray | None
) -> Iterator[bytes]:
    """The array of an instant vector: one sample a series; arrays are [series]."""
    metrics = metric_objects(labels)
    times = format_timestamps(timestamps_ms)
    texts = format_floats(values)
    if histograms is None:
        fields = [b'"value":[%b,"%b"]' % point for point in zip(times, texts, strict=True)]
    else:
        fields = [
            b'"value":[%b,"%b"]' % (time, text)
            if histogram is None
            else b'"histogram":[%b,%b]' % (time, histogram_object(histogram))
            for time, text, histogram in zip(times, texts, histograms.tolist(), strict=True)
        ]
    return json_array(b'{"metric":%b,%b}' % sample for sample in zip(metrics, fields, strict=True))


def encode_matrix(
    labels: LabelFrame,
    timestamps_ms: IntArray,
    values: FloatArray,
    present: BoolArray | None,
    histograms: HistogramArray | None,
) -> Iterator[bytes]:
    """The array of a range vector in pieces: timestamps_ms[step], the others [step, series]."""
    openings = [b'"],[%b,"' % time for time in format_timestamps(timestamps_ms)]
    block = max(1, _POINTS_PER_BLOCK // max(1, len(openings)))

    def points() -> Iterator[bytes]:
        for start in range(0, labels.size, block):
            columns = slice(start, start + block)
            mask = None if present is None else present[:, columns].T
            yield from _float_points(openings, values[:, columns].T, mask, histograms, columns)

    series = zip(metric_objects(labels), points(), strict=True)
    return json_array(b'{"metric":%b%b}' % each for each in series)


def encode_series_points(timestamps_ms: IntArray, values: FloatArray) -> bytes:
    """`[1.5,"2"],[2.5,"3"]`: the points of one series with timestamps of its own."""
    points = zip(format_timestamps(timestamps_ms), format_floats(values), strict=True)
    return b",".join([b'[%b,"%b"]' % point for point in points])


def histogram_points(timestamps_ms: Iterable[int], histograms: Iterable[FloatHistogram]) -> bytes:
    """`[1.5,{"count":...}]` for each sample of a series of native histograms."""
    times = format_timestamps(np.fromiter(timestamps_ms, dtype=np.int64))
    return b",".join(
        b"[%b,%b]" % (time, histogram_object(histogram))
        for time, histogram in zip(times, histograms, strict=True)
    )


def histogram_object(histogram: FloatHistogram) -> bytes:
    """A native histogram: count, sum, and the buckets that are not empty (upstream MarshalHistogram)."""
    fields: dict[str, object] = {"count": go_float(histogram.count), "sum": go_float(histogram.sum)}
    buckets = [
        [bucket.boundary_rule, *map(go_float, (bucket.lower, bucket.upper, bucket.count))]
        for bucket in histogram.buckets()
        if bucket.count != 0
    ]
    if buckets:
        fields["buckets"] = buckets
    return msgspec.json.encode(fields)


def _label_pairs(labels: LabelFrame, name: str) -> list[bytes]:
    codes, inverse = np.unique(labels.codes(name), return_inverse=True)
    key = msgspec.json.encode(name)
    distinct = [
        b"%b:%b" % (key, msgspec.json.encode(value)) if value else b""
        for value in labels.scope.decode(name, codes)
    ]
    return [distinct[position] for position in inverse.tolist()]


def _float_points(
    openings: list[bytes],
    values: FloatArray,
    present: BoolArray | None,
    histograms: HistogramArray | None,
    columns: slice,
) -> Iterator[bytes]:
    """`,"values":[...]` and `,"histograms":[...]` of each series; values[series, step]."""
    if present is not None:
        values = np.where(present, values, 0.0)
    whole = None if histograms is not None else interleaved_whole_numbers(openings, values, present)
    if whole is not None:
        yield from (b',"values":[%b"]]' % points[3:] if points else b"" for points in whole)
        return
    texts = format_floats(values)
    steps = len(openings)
    for row in range(len(values)):
        series_texts = texts[row * steps : (row + 1) * steps]
        shown = None if present is None else present[row].tolist()
        suffix = b""
        if histograms is not None:
            cells = histograms[:, columns.start + row].tolist()
            shown = shown or [True] * steps
            is_histogram = [there and cell is not None for there, cell in zip(shown, cells, strict=True)]
            suffix = _histogram_column(compress(openings, is_histogram), compress(cells, is_histogram))
            shown = [there and cell is None for there, cell in zip(shown, cells, strict=True)]
        if shown is None:
            points = _interleaved(openings, series_texts)
        else:
            points = _interleaved(list(compress(openings, shown)), list(compress(series_texts, shown)))
        yield (b',"values":[%b"]]' % points[3:] if points else b"") + suffix


def _interleaved(openings: list[bytes], texts: list[bytes]) -> bytes:
    parts = [b""] * (2 * len(openings))
    parts[0::2] = openings
    parts[1::2] = texts
    return b"".join(parts)


def _histogram_column(openings: Iterable[bytes], histograms: Iterable[FloatHistogram]) -> bytes:
    points = [
        b"%b%b]" % (opening[2:-1], histogram_object(histogram))
        for opening, histogram in zip(openings, histograms, strict=True)
    ]
    return b',"histograms":[%b]' % b"".join(points)[1:] if points else b""
