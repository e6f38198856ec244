"""Query results as JSON, built by the column.

All values of a block of series are printed in one call, timestamps once a query, label pairs once
a distinct value; what remains per sample is a place in a list that is joined at the end.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import compress, islice, repeat

import msgspec
import numpy as np

from miniprom.api.numbers import format_floats, format_timestamps, go_float, interleaved_whole_numbers
from query.execution.values import HistogramArray
from tsdb import LabelFrame
from tsdb.histogram import FloatHistogram
from tsdb.sample import BoolArray, FloatArray, IntArray

_POINTS_PER_BLOCK = 1 << 16
_PIECE_BYTES = 1 << 20
_FEW_SERIES = 8
"""Up to here it is faster to print labels series by series."""
_MANY_POINTS = 1 << 8
"""From here on it is faster to print whole numbers digit by digit."""


def metric_objects(labels: LabelFrame) -> Iterator[bytes]:
    """`{"__name__":"up","job":"a"}` of each series, names ascending, absent labels left out.

    One at a time: a long value that many series share would take much memory in all of them together.
    """
    if labels.size <= _FEW_SERIES:
        return (msgspec.json.encode(dict(series)) for series in labels.series())
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
    openings = _openings(timestamps_ms.tobytes())
    block = max(1, _POINTS_PER_BLOCK // max(1, len(openings)))

    def points() -> Iterator[bytes]:
        for start in range(0, labels.size, block):
            columns = slice(start, start + block)
            mask = None if present is None else present[:, columns].T
            if histograms is None:
                yield from _values(openings, values[:, columns].T, mask)
            else:
                yield from _mixed(openings, values[:, columns].T, mask, histograms[:, columns].T)

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


@lru_cache(4)
def _openings(timestamps_ms: bytes) -> list[bytes]:
    """What stands before each value; the panels of a dashboard ask for the same steps."""
    times = format_timestamps(np.frombuffer(timestamps_ms, dtype=np.int64))
    return [b'"],[%b,"' % time for time in times]


def _label_pairs(labels: LabelFrame, name: str) -> list[bytes]:
    codes = labels.codes(name).tolist()
    distinct = np.array(list(dict.fromkeys(codes)), dtype=np.int32)
    key = msgspec.json.encode(name)
    pair_of = {
        code: b"%b:%b" % (key, msgspec.json.encode(value)) if value else b""
        for code, value in zip(distinct.tolist(), labels.scope.decode(name, distinct), strict=True)
    }
    return [pair_of[code] for code in codes]


def _values(openings: list[bytes], values: FloatArray, present: BoolArray | None) -> Iterator[bytes]:
    """`,"values":[...]` of each series; values[series, step]. Equal series are printed once."""
    if present is not None:
        values = np.where(present, values, 0.0)
    equal = _equal_rows(values, present)
    if equal is None:
        yield from _printed(openings, values, present)
        return
    distinct = list(dict.fromkeys(equal))
    printed = _printed(openings, values[distinct], None if present is None else present[distinct])
    printed_of = dict(zip(distinct, printed, strict=True))
    yield from (printed_of[row] for row in equal)


def _equal_rows(values: FloatArray, present: BoolArray | None) -> list[int] | None:
    """For each row the first that is equal; None if few seem to be."""
    rows = len(values)
    if rows < 2 or len(set(values[:, 0].tolist())) > rows // 2:
        return None
    cells = np.ascontiguousarray(values).view(np.bool_)
    if present is not None:
        cells = np.concatenate((cells, present), axis=1)
    first: dict[bytes, int] = {}
    keys = cells.view(f"V{cells.shape[1]}").ravel().tolist()
    return [first.setdefault(key, row) for row, key in enumerate(keys)]


def _printed(openings: list[bytes], values: FloatArray, present: BoolArray | None) -> Iterator[bytes]:
    whole = interleaved_whole_numbers(openings, values, present) if values.size >= _MANY_POINTS else None
    rows = _interleaved_rows(openings, values, present) if whole is None else whole
    return map(_value_field, rows)


def _interleaved_rows(
    openings: list[bytes], values: FloatArray, present: BoolArray | None
) -> Iterator[bytes]:
    bits = values.view(np.int64)
    is_constant = (bits == bits[:, :1]).all(axis=1)
    texts = iter(format_floats(values[~is_constant]))
    constants = iter(format_floats(values[is_constant, 0]))
    steps = len(openings)
    for row, constant in enumerate(is_constant.tolist()):
        shown = None if present is None else present[row].tolist()
        chosen = openings if shown is None else list(compress(openings, shown))
        if constant:
            text = next(constants)
            yield text.join(chosen) + text if chosen else b""
        else:
            of_row = list(islice(texts, steps))
            yield _interleaved(chosen, of_row if shown is None else list(compress(of_row, shown)))


def _mixed(
    openings: list[bytes], values: FloatArray, present: BoolArray | None, histograms: HistogramArray
) -> Iterator[bytes]:
    """`,"values":[...]` and `,"histograms":[...]` of each series; all are [series, step]."""
    there = np.ones(values.shape, dtype=np.bool_) if present is None else present
    is_histogram = there & (histograms != None)  # noqa: E711  cell by cell
    floats = there & ~is_histogram
    rows = _interleaved_rows(openings, np.where(floats, values, 0.0), floats)
    for points, cells, chosen in zip(rows, histograms.tolist(), is_histogram.tolist(), strict=True):
        yield _value_field(points) + _histogram_field(compress(openings, chosen), compress(cells, chosen))


def _value_field(points: bytes) -> bytes:
    return b',"values":[%b"]]' % points[3:] if points else b""


def _interleaved(openings: list[bytes], texts: list[bytes]) -> bytes:
    parts = [b""] * (2 * len(openings))
    parts[0::2] = openings
    parts[1::2] = texts
    return b"".join(parts)


def _histogram_field(openings: Iterable[bytes], histograms: Iterable[FloatHistogram]) -> bytes:
    points = [
        b"%b%b]" % (opening[2:-1], histogram_object(histogram))
        for opening, histogram in zip(openings, histograms, strict=True)
    ]
    return b',"histograms":[%b]' % b"".join(points)[1:] if points else b""
