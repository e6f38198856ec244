"""A store written by hand, and queries whose answers are plain dictionaries."""

from collections.abc import Mapping, Sequence

import numpy as np

from query import Engine, EngineOptions, InstantVector, RangeMatrix, RawMatrix, Result
from query.language import EVERYTHING
from tsdb import Labels, Snapshot, Store, labels_from

Samples = Sequence[tuple[int, float]]

ENGINE = Engine(EngineOptions(parser=EVERYTHING))


def snapshot_of(series: Mapping[str, Samples]) -> Snapshot:
    """Series by name, or by `name/instance`, each with (milliseconds, value) pairs."""
    store = Store(retention_ms=None)
    for key, samples in series.items():
        name, _, instance = key.partition("/")
        ids = store.series_ids([labels_from({"__name__": name, "instance": instance})])
        for time_ms, value in samples:
            store.append(ids, time_ms, np.array([value]))
    return store.snapshot(0)


def every(step_ms: int, values: Sequence[float], start_ms: int = 0) -> Samples:
    return [(start_ms + row * step_ms, value) for row, value in enumerate(values)]


def instants(result: Result) -> dict[str, float]:
    """The value of each series of an instant vector by its labels, in the vector's order."""
    vector = result.value
    assert isinstance(vector, InstantVector)
    return dict(zip(map(text, vector.labels.series()), vector.values.tolist(), strict=True))


def matrix(result: Result) -> dict[str, dict[int, float]]:
    """The samples of each series of a range matrix by its labels, and by their time."""
    value = result.value
    assert isinstance(value, RangeMatrix)
    steps = value.steps_ms.tolist()
    return {
        text(labels): {
            steps[step]: float(value.values[step, series])
            for step in range(len(steps))
            if value.present is None or value.present[step, series]
        }
        for series, labels in enumerate(value.labels.series())
    }


def raw(result: Result) -> dict[str, Samples]:
    value = result.value
    assert isinstance(value, RawMatrix)
    return {
        text(labels): list(zip(each.timestamps_ms.tolist(), each.values.tolist(), strict=True))
        for labels, each in zip(value.labels.series(), value.series, strict=True)
    }


def text(labels: Labels) -> str:
    pairs = dict(labels)
    name = pairs.pop("__name__", "")
    return "/".join([name, *pairs.values()]) if pairs else name
