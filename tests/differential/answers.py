"""The answers of both programs in one shape, and what distinguishes them."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.error import HTTPError
from urllib.parse import urlencode

from benchmarks.programs import Running
from miniprom.api.errors import error_type_of
from query import (
    Engine,
    EngineOptions,
    InstantVector,
    QueryError,
    RangeMatrix,
    RawMatrix,
    ScalarPoint,
    StringPoint,
)
from query.language import EVERYTHING
from tests.differential.samples import store
from tsdb import Labels

RELATIVE_TOLERANCE: Final = 1e-9

Points: TypeAlias = Mapping[int, float | str]


@dataclass(frozen=True)
class Window:
    """The times a query is asked for; only the first where the step is 0."""

    start_ms: int
    end_ms: int = 0
    step_ms: int = 0

    def path(self, query: str) -> str:
        """Path and parameters of the request."""
        start, end, step = (f"{ms / 1000:.3f}" for ms in (self.start_ms, self.end_ms, self.step_ms))
        if not self.step_ms:
            return "/api/v1/query?" + urlencode({"query": query, "time": start})
        return "/api/v1/query_range?" + urlencode({"query": query, "start": start, "end": end, "step": step})


@dataclass(frozen=True)
class Answer:
    """What a query evaluates to: points by time of each series; a scalar is one series without labels."""

    series: Mapping[Labels, Points]

    @property
    def is_empty(self) -> bool:
        return not self.series


@dataclass(frozen=True)
class Refusal:
    """What a program says of a query that it can't or won't evaluate."""

    error_type: str
    message: str


def from_engine(query: str, window: Window) -> Answer | Refusal:
    """The answer of our engine."""
    engine = Engine(EngineOptions(parser=EVERYTHING))
    snapshot = store().snapshot(0)
    try:
        if window.step_ms:
            value = engine.range(snapshot, query, window.start_ms, window.end_ms, window.step_ms).value
        else:
            value = engine.instant(snapshot, query, window.start_ms).value
    except QueryError as error:
        return Refusal(error_type_of(error).label, str(error))
    match value:
        case ScalarPoint():
            return Answer({(): {value.time_ms: value.value}})
        case StringPoint():
            return Answer({(): {value.time_ms: value.text}})
        case InstantVector():
            points: Iterator[Points] = ({value.time_ms: number} for number in value.values.tolist())
        case RangeMatrix():
            points = _points(value)
        case RawMatrix():
            points = (
                dict(zip(series.timestamps_ms.tolist(), series.values.tolist(), strict=True))
                for series in value.series
            )
    all_labels = value.labels.series()
    assert len(set(all_labels)) == len(all_labels), "two series with the same labels"
    return Answer(dict(zip(all_labels, points, strict=True)))


def from_server(server: Running, query: str, window: Window) -> Answer | Refusal:
    """The answer of a program through its API."""
    envelope = json.loads(body_of(server, window.path(query)))
    if envelope["status"] == "error":
        return Refusal(envelope["errorType"], envelope["error"])
    kind, result = envelope["data"]["resultType"], envelope["data"]["result"]
    if kind in ("scalar", "string"):
        return Answer({(): {round(result[0] * 1000): result[1] if kind == "string" else float(result[1])}})
    return Answer({tuple(sorted(series["metric"].items())): _samples(series) for series in result})


def body_of(server: Running, path: str) -> bytes:
    """The body of the answer to a GET, whatever its status."""
    try:
        return server.get(path)
    except HTTPError as error:
        with error:
            return error.read()


def differences(ours: Answer | Refusal, theirs: Answer | Refusal) -> list[str]:
    """What distinguishes the answers; empty where they agree."""
    if isinstance(ours, Refusal) or isinstance(theirs, Refusal):
        same = (
            isinstance(ours, Refusal) and isinstance(theirs, Refusal) and ours.error_type == theirs.error_type
        )
        return [] if same else [f"ours: {ours}", f"theirs: {theirs}"]
    found = [f"only ours: {labels}" for labels in ours.series.keys() - theirs.series.keys()]
    found += [f"only theirs: {labels}" for labels in theirs.series.keys() - ours.series.keys()]
    for labels in ours.series.keys() & theirs.series.keys():
        one, other = ours.series[labels], theirs.series[labels]
        if one.keys() != other.keys():
            found.append(f"{labels}: times {sorted(one.keys() ^ other.keys())} stand in one answer only")
        found += [
            f"{labels} at {time_ms}: ours {one[time_ms]!r}, theirs {other[time_ms]!r}"
            for time_ms in one.keys() & other.keys()
            if not _agree(one[time_ms], other[time_ms])
        ]
    return found


def _agree(one: float | str, other: float | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return (
        one == other
        or (math.isnan(one) and math.isnan(other))
        or math.isclose(one, other, rel_tol=RELATIVE_TOLERANCE)
    )


def _points(matrix: RangeMatrix) -> Iterator[Points]:
    times_ms = matrix.steps_ms
    for column in range(matrix.values.shape[1]):
        values = matrix.values[:, column]
        if matrix.present is None:
            yield dict(zip(times_ms.tolist(), values.tolist(), strict=True))
        else:
            kept = matrix.present[:, column]
            yield dict(zip(times_ms[kept].tolist(), values[kept].tolist(), strict=True))


def _samples(series: dict[str, Any]) -> Points:
    samples = series["values"] if "values" in series else [series["value"]]
    return {round(time * 1000): float(value) for time, value in samples}
