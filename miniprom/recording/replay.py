"""A recording with its time moved."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from miniprom.recording.file import Answer, Recording, Samples, read_recording
from tsdb import Store


def samples_of(content: bytes | str, move_to_ms: int | None = None) -> Samples:
    """The samples in a recording's content, moved so that what was asked about last is at `move_to_ms`.

    None leaves the times as they were. Raises `RecordingError`.
    """
    recording = read_recording(content)
    return recording.samples if move_to_ms is None else moved(recording, move_to_ms).samples


def moved(recording: Recording, now_ms: int) -> Recording:
    """The recording as if it had been made at `now_ms`; samples and answers keep their distances."""
    by_ms = now_ms - recording.now_ms
    samples = {labels: (times_ms + by_ms, values) for labels, (times_ms, values) in recording.samples.items()}
    answers = [_moved_answer(answer, by_ms) for answer in recording.answers]
    return Recording(recording.server, now_ms, samples, answers)


def _moved_answer(answer: Answer, by_ms: int) -> Answer:
    result = answer.data["result"]
    if answer.data["resultType"] in ("scalar", "string"):
        result = _moved_point(result, by_ms)
    else:
        result = [{field: _MOVED[field](value, by_ms) for field, value in each.items()} for each in result]
    data = {**answer.data, "result": result}
    return Answer(answer.query, answer.start + by_ms, answer.end + by_ms, answer.step, data)


def _moved_point(point: list[Any], by_ms: int) -> list[Any]:
    """A pair of seconds and value; whole seconds stay whole."""
    seconds = (round(point[0] * 1000) + by_ms) / 1000
    return [int(seconds) if seconds.is_integer() else seconds, point[1]]


def _moved_points(points: list[list[Any]], by_ms: int) -> list[list[Any]]:
    return [_moved_point(point, by_ms) for point in points]


_MOVED: Final[Mapping[str, Callable[[Any, int], Any]]] = {
    "metric": lambda metric, _: metric,
    "value": _moved_point,
    "histogram": _moved_point,
    "values": _moved_points,
    "histograms": _moved_points,
}
"""What moving does to the fields of a series in an answer."""


def store_of(samples: Samples) -> Store:
    """A store of its own with these samples."""
    store = Store(retention_ms=None)
    for series_id, (times_ms, values) in zip(store.series_ids(samples), samples.values(), strict=True):
        store.append_matrix(np.array([series_id]), times_ms, values[:, np.newaxis])
    return store
