"""The file: JSON, compressed if its name ends in `.gz`. Times are Unix milliseconds.

    {"format": "miniprom recording", "version": 1, "server": URL, "now": the time asked about last,
     "series": [{"labels": {...}, "timestamps": [...], "values": [1, "NaN", "+Inf", "-Inf", "stale"...]}],
     "answers": [{"query": EXPR, "start": ..., "end": ..., "step": ..., "data": {...}}]}

An instant query has equal `start` and `end` and the step 0; its `data` is that of the API.
"""

import gzip
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from miniprom.errors import MinipromError
from tsdb import STALE, Labels, labels_from
from tsdb.sample import FloatArray, IntArray, is_stale

FORMAT: Final = "miniprom recording"
VERSION: Final = 1
_GZIP_MAGIC: Final = b"\x1f\x8b"
_WORDS: Final = {"NaN": math.nan, "+Inf": math.inf, "-Inf": -math.inf, "stale": STALE}

Samples: TypeAlias = Mapping[Labels, tuple[IntArray, FloatArray]]
"""Timestamps in milliseconds, ascending, and values (stale markers among them) of each series."""


class RecordingError(MinipromError):
    """A file that is no recording, or no recording that we can read."""


class Answer(msgspec.Struct, frozen=True):
    """What the server answered to a query; `step` is 0 for an instant query. Times in milliseconds."""

    query: str
    start: int
    end: int
    step: int
    data: dict[str, Any]


@dataclass(frozen=True)
class Recording:
    """The contents of a file. `now_ms` is the latest time that was asked about."""

    server: str
    now_ms: int
    samples: Samples
    answers: Sequence[Answer] = ()


class _AnswerSeries(msgspec.Struct):
    """A series of a vector or a matrix, as the API shows it."""

    metric: dict[str, str]
    value: tuple[float, str] | None = None
    values: list[tuple[float, str]] = []
    histogram: tuple[float, dict[str, Any]] | None = None
    histograms: list[tuple[float, dict[str, Any]]] = []


_RESULTS: Final[Mapping[str, Any]] = {
    "vector": list[_AnswerSeries],
    "matrix": list[_AnswerSeries],
    "scalar": tuple[float, str],
    "string": tuple[float, str],
}


class _Series(msgspec.Struct):
    labels: dict[str, str]
    timestamps: list[int]
    values: list[float | str]


class _Head(msgspec.Struct):
    format: str
    version: int


class _File(_Head):
    server: str
    now: int
    series: list[_Series]
    answers: list[Answer] = []


def write_recording(recording: Recording, *, compressed: bool = False) -> bytes:
    """The file's bytes."""
    series = [
        _Series(dict(labels), timestamps_ms.tolist(), _words(values))
        for labels, (timestamps_ms, values) in sorted(recording.samples.items())
    ]
    file = _File(FORMAT, VERSION, recording.server, recording.now_ms, series, list(recording.answers))
    text = msgspec.json.encode(file)
    return gzip.compress(text, mtime=0) if compressed else text


def read_recording(content: bytes | str) -> Recording:
    """The recording in a file's content. Raises `RecordingError`, which says what is wrong and where."""
    if isinstance(content, bytes) and content.startswith(_GZIP_MAGIC):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise RecordingError(f"the recording is compressed, but damaged: {error}") from error
    file = _decoded(content)
    samples: dict[Labels, tuple[IntArray, FloatArray]] = {}
    for position, series in enumerate(file.series):
        labels = labels_from(series.labels)
        if labels in samples:
            raise RecordingError(f"series[{position}] of the recording repeats the labels {series.labels}")
        samples[labels] = _arrays(series, f"series[{position}] of the recording")
    return Recording(file.server, file.now, samples, file.answers)


def _decoded(content: bytes | str) -> _File:
    try:
        head = msgspec.json.decode(content, type=_Head)
        if head.format != FORMAT:
            raise RecordingError(f'not a recording: "format" is "{head.format}", expected "{FORMAT}"')
        if head.version != VERSION:
            raise RecordingError(f"the recording has version {head.version}; only version {VERSION} is known")
        file = msgspec.json.decode(content, type=_File)
        for answer in file.answers:
            msgspec.convert(answer.data.get("result"), _RESULTS[answer.data.get("resultType", "")])
        return file
    except KeyError as error:
        raise RecordingError(f"an answer of the recording has the unknown resultType {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingError(f"not a recording: {error}") from error


def _arrays(series: _Series, where: str) -> tuple[IntArray, FloatArray]:
    if len(series.timestamps) != len(series.values):
        counts = f"{len(series.timestamps)} timestamps, but {len(series.values)} values"
        raise RecordingError(f"{where} has {counts}")
    try:
        timestamps_ms = np.array(series.timestamps, dtype=np.int64)
    except OverflowError as error:
        raise RecordingError(f"{where} has a timestamp that is out of range") from error
    if (np.diff(timestamps_ms) <= 0).any():
        raise RecordingError(f"the timestamps of {where} do not ascend")
    values = np.empty(len(series.values))
    for row, value in enumerate(series.values):
        if isinstance(value, str) and value not in _WORDS:
            raise RecordingError(f'{where} has the value "{value}"; expected a number or {_listed(_WORDS)}')
        values[row] = _WORDS[value] if isinstance(value, str) else value
    return timestamps_ms, values


def _words(values: FloatArray) -> list[float | str]:
    """Values as JSON has them."""
    return [
        value if math.isfinite(value) else _word(value, bool(stale))
        for value, stale in zip(values.tolist(), is_stale(values), strict=True)
    ]


def _word(value: float, stale: bool) -> str:
    if math.isnan(value):
        return "stale" if stale else "NaN"
    return "+Inf" if value > 0 else "-Inf"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)
