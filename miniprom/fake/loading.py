"""What a request to `load` brings, in any of its forms, as a batch. Pure."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec
import numpy as np

from collector.errors import ExpositionError
from collector.exposition import OPENMETRICS, TEXT, parse
from miniprom.fake.batch import Batch, Block, series_text
from miniprom.fake.errors import FakeError
from miniprom.fake.fields import Fields
from miniprom.fake.responses import read_response
from miniprom.fake.scripts import read_script
from miniprom.fake.series import read_series
from miniprom.recording import RecordingError, samples_of
from tsdb import Labels, labels_from
from tsdb.sample import FloatArray, IntArray

Points = Mapping[Labels, tuple[IntArray, FloatArray]]


def read_load(body: object, now_ms: int) -> Batch:
    """The samples of a request. Raises `FakeError`."""
    anything = {name for _, names in _FORMS.values() for name in names}
    fields = Fields(body, "load", now_ms, (*_FORMS, *anything))
    given = [form for form in _FORMS if form in fields]
    if len(given) != 1:
        raise FakeError(f"load: expected one of {', '.join(_FORMS)}, got {' and '.join(given) or 'none'}")
    read, names = _FORMS[given[0]]
    return read(Fields(body, "load", now_ms, (given[0], *names)))


def block_of(points: Points) -> Iterable[Block]:
    """Series with times of their own, those that have the same together."""
    together: dict[bytes, list[Labels]] = {}
    for labels, (times_ms, _) in points.items():
        if len(times_ms):
            together.setdefault(times_ms.tobytes(), []).append(labels)
    for series in together.values():
        values = np.stack([points[labels][1] for labels in series], axis=1)
        yield Block(series, points[series[0]][0], values)


def _read_openmetrics(fields: Fields) -> Batch:
    """OpenMetrics, or Prometheus's text format where `# EOF` is missing."""
    body = fields.text("openmetrics").encode(errors="surrogatepass")
    at_ms = fields.time_ms("at", fields.now_ms)
    try:
        samples = parse(body, OPENMETRICS if body.rstrip().endswith(b"# EOF") else TEXT).samples
    except ExpositionError as error:
        raise FakeError(f"load.openmetrics: {error}") from error
    gathered: dict[Labels, tuple[list[int], list[float]]] = {}
    for sample in samples:
        times_ms, values = gathered.setdefault(sample.labels, ([], []))
        times_ms.append(at_ms if sample.timestamp_ms is None else sample.timestamp_ms)
        values.append(sample.value)
    return _batch(
        (labels, np.array(times_ms, dtype=np.int64), np.array(values))
        for labels, (times_ms, values) in gathered.items()
    )


def _read_samples(fields: Fields) -> Batch:
    items = fields.any("samples")
    if not isinstance(items, list):
        raise fields.wrong("samples", "a list of series with labels, timestamps and values")
    known = ("labels", "timestamps", "timestamps_b64", "values", "values_b64")
    return _batch(
        _series(Fields(item, f"samples[{position}]", fields.now_ms, known))
        for position, item in enumerate(items)
    )


def _series(fields: Fields) -> tuple[Labels, IntArray, FloatArray]:
    labels = labels_from({name: value for name, value in fields.text_by_name("labels").items() if value})
    times_ms = _times(fields)
    if "values_b64" in fields:
        values = np.frombuffer(_decoded(fields, "values_b64"), dtype="<f8").astype(np.float64)
    else:
        values = np.array(fields.numbers("values"), dtype=np.float64)
    if len(times_ms) != len(values):
        raise FakeError(f"{fields.where}: {len(times_ms)} timestamps, but {len(values)} values")
    return labels, times_ms, values


def _times(fields: Fields) -> IntArray:
    if "timestamps_b64" in fields:
        return np.frombuffer(_decoded(fields, "timestamps_b64"), dtype="<i8").astype(np.int64)
    return np.array(fields.times_ms("timestamps"), dtype=np.int64)


def _decoded(fields: Fields, name: str) -> bytes:
    try:
        decoded = base64.b64decode(fields.text(name), validate=True)
    except (binascii.Error, ValueError) as error:
        raise fields.wrong(name, "base64") from error
    if len(decoded) % 8:
        raise fields.wrong(name, "little-endian numbers of 8 bytes each, in base64")
    return decoded


def _read_recording(fields: Fields) -> Batch:
    content = fields.any("recording")
    move_to_ms = fields.time_ms("move_to") if "move_to" in fields else None
    try:
        is_file = isinstance(content, str | bytes)
        samples = samples_of(content if is_file else msgspec.json.encode(content), move_to_ms)
    except RecordingError as error:
        raise FakeError(f"load.recording: {error}") from error
    return Batch(list(block_of(samples)))


def _read_response(fields: Fields) -> Batch:
    content = fields.any("response")
    if isinstance(content, str):
        try:
            content = msgspec.json.decode(content)
        except msgspec.DecodeError as error:
            raise FakeError(f"load.response: not JSON: {error}") from error
    metric = fields.text("metric") if "metric" in fields else None
    return _batch(read_response(content, metric))


def _batch(series: Iterable[tuple[Labels, IntArray, FloatArray]]) -> Batch:
    """Raises `FakeError` for a series or a time that is there twice."""
    points: dict[Labels, tuple[IntArray, FloatArray]] = {}
    for labels, times_ms, values in series:
        if labels in points:
            raise FakeError(f"{series_text(labels)} is given twice")
        order = np.argsort(times_ms, kind="stable")
        ascending_ms = times_ms[order]
        if not np.diff(ascending_ms).all():
            twice_ms = int(ascending_ms[:-1][np.diff(ascending_ms) == 0][0])
            raise FakeError(f"{series_text(labels)} has two samples at {twice_ms / 1000}")
        points[labels] = ascending_ms, values[order]
    return Batch(list(block_of(points)))


_FORMS: Final[Mapping[str, tuple[Callable[[Fields], Batch], tuple[str, ...]]]] = {
    "series": (read_series, ("interval", "start", "end", "count")),
    "openmetrics": (_read_openmetrics, ("at",)),
    "samples": (_read_samples, ()),
    "script": (read_script, ("start", "end")),
    "response": (_read_response, ("metric",)),
    "recording": (_read_recording, ("move_to",)),
}
