"""Samples as OpenMetrics text with timestamps: what `promtool tsdb create-blocks-from openmetrics` reads."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from collector.errors import ExpositionError
from collector.exposition import OPENMETRICS, parse
from miniprom.api.federate import series_text
from miniprom.api.numbers import go_float
from miniprom.errors import MinipromError
from tsdb import METRIC_NAME, Labels
from tsdb.rewriting import Points

END: Final = "# EOF\n"


class OpenMetricsError(MinipromError):
    """Text that can't be imported."""


def read_points(body: bytes) -> dict[Labels, Points]:
    """The samples by series, in the order of the lines. Raises `OpenMetricsError`."""
    try:
        samples = parse(body, OPENMETRICS).samples
    except ExpositionError as error:
        raise OpenMetricsError(str(error)) from error
    gathered: dict[Labels, tuple[list[int], list[float]]] = {}
    for sample in samples:
        if sample.timestamp_ms is None:
            raise OpenMetricsError(f"expected a timestamp for each sample, {_series(sample.labels)} has none")
        times_ms, values = gathered.setdefault(sample.labels, ([], []))
        times_ms.append(sample.timestamp_ms)
        values.append(sample.value)
    return {
        labels: (np.array(times_ms, dtype=np.int64), np.array(values))
        for labels, (times_ms, values) in gathered.items()
    }


def lines(labels: Labels, times_ms: Sequence[int], values: Sequence[float]) -> Iterator[str]:
    """The lines of one series; `END` must follow the last series."""
    series = _series(labels)
    for time_ms, value in zip(times_ms, values, strict=True):
        yield f"{series} {go_float(value)} {time_ms / 1000:.3f}\n"


def _series(labels: Labels) -> str:
    pairs = dict(labels)
    return series_text(pairs.pop(METRIC_NAME, ""), pairs, utf8=True)
