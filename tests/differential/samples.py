"""Samples that both programs get: six targets, scraped for fifty minutes, with all that goes wrong in a life.

No sample lies on a full or half second (nor 5 ms before one), where all windows of the queries begin and
end: so it does not matter that ranges became left-open in 3.0. Counters are never small against their
increase per sample: so it does not matter whether a rate is cut at zero before or after its extrapolation is
limited.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from benchmarks.data import Dataset
from tsdb import ABSENT, STALE, Store, labels_from
from tsdb.sample import FloatArray, IntArray

START_MS: Final = 1_700_000_000_000
INTERVAL_MS: Final = 15_000
ROWS: Final = 200
END_MS: Final = START_MS + ROWS * INTERVAL_MS

BOUNDS: Final = ("0.1", "0.5", "1", "5", "+Inf")


@dataclass(frozen=True)
class Target:
    """What happens to a target: the rows where it begins, ends, falls silent and restarts."""

    job: str
    instance: str
    first_row: int = 0
    end_row: int | None = None
    silent_rows: range = range(0)
    restart_row: int | None = None


TARGETS: Final = (
    Target("api", "api-0:80"),
    Target("api", "api-1:80", restart_row=90),
    Target("api", "api-2:80", silent_rows=range(80, 108), restart_row=108),
    Target("web", "web-0:80", silent_rows=range(40, 52)),
    Target("web", "web-1:80", first_row=60),
    Target("web", "web-2:80", end_row=130, restart_row=50),
)


@cache
def datasets() -> tuple[Dataset, ...]:
    """One a target: its series share their timestamps, which waver as those of scrapes do."""
    return tuple(_dataset(target, seed) for seed, target in enumerate(TARGETS))


@cache
def store() -> Store:
    """The samples in our store."""
    filled = Store(retention_ms=None)
    for data in datasets():
        appended = filled.append_matrix(filled.series_ids(data.series), data.timestamps_ms, data.values)
        assert appended.outcomes is None
    return filled


def _dataset(target: Target, seed: int) -> Dataset:
    random = np.random.default_rng(seed)
    columns: list[FloatArray] = []
    series = []
    for name, labels, values in _series(target, random):
        series.append(
            labels_from({"__name__": name, "job": target.job, "instance": target.instance} | labels)
        )
        columns.append(values)
    values = np.stack(columns, axis=1)
    values[: target.first_row] = ABSENT
    values[list(target.silent_rows)] = ABSENT
    if target.end_row is not None:
        values[target.end_row] = STALE
        values[target.end_row + 1 :] = ABSENT
    return Dataset(series, _timestamps_ms(random), values)


def _timestamps_ms(random: np.random.Generator) -> IntArray:
    grid = START_MS + np.arange(ROWS, dtype=np.int64) * INTERVAL_MS
    return grid + 1000 * random.integers(0, 3, ROWS) + random.integers(100, 400, ROWS)


def _series(target: Target, random: np.random.Generator) -> Iterator[tuple[str, dict[str, str], FloatArray]]:
    """Name, further labels and values[row] of each series of a target."""
    for method in ("GET", "POST"):
        for code in ("200", "404", "500"):
            counter = _counter(random, target.restart_row, random.uniform(0.5, 12))
            yield "requests_total", {"method": method, "code": code}, counter
    observed = 1_000 + np.cumsum(random.poisson(3.0, (ROWS, len(BOUNDS))), axis=0).astype(np.float64)
    cumulative = np.cumsum(observed, axis=1)
    for column, bound in enumerate(BOUNDS):
        yield "latency_seconds_bucket", {"le": bound}, cumulative[:, column]
    yield "latency_seconds_sum", {}, observed @ np.array([0.06, 0.3, 0.7, 2.5, 8.25])
    yield "latency_seconds_count", {}, cumulative[:, -1].copy()
    for shard in ("0", "1"):
        yield "queue_depth", {"shard": shard}, _with_gaps(random, 50 + np.cumsum(random.normal(0, 1, ROWS)))
    for room in ("a", "b", "c"):
        yield "temperature_celsius", {"room": room}, random.normal(2, 7, ROWS)
    for kind in _ODD:
        yield "odd_values", {"kind": kind}, _odd(random, kind)
    yield "up", {}, (random.random(ROWS) > 0.1).astype(np.float64)
    yield "start_time_seconds", {}, np.full(ROWS, START_MS / 1000 - random.integers(10**5, 10**7))
    yield "young_total", {}, _young()
    change = int(random.integers(65, 120))
    yield "build_info", {"version": "v1", "commit": "abc"}, _ones(slice(0, change))
    yield "build_info", {"version": "v2", "commit": "def"}, _ones(slice(change, ROWS))


def _counter(random: np.random.Generator, restart_row: int | None, mean: float) -> FloatArray:
    values = random.integers(10_000, 90_000) + np.cumsum(random.poisson(mean, ROWS)).astype(np.float64)
    if restart_row is not None:
        values[restart_row:] -= values[restart_row] - random.integers(300, 400)
    return values


def _young() -> FloatArray:
    """A counter that begins with less than one increase: for known_differences.py only."""
    values = 8.0 + 10.0 * np.arange(-100, ROWS - 100)
    return np.where(values > 0, values, ABSENT)


def _with_gaps(random: np.random.Generator, values: FloatArray) -> FloatArray:
    """Single samples are missing, some stretches too; some of these begin with a stale marker."""
    values[random.random(ROWS) < 0.05] = ABSENT
    for length in (3, 12, 30):
        first = int(random.integers(0, ROWS - length))
        values[first : first + length] = ABSENT
        if random.random() < 0.5:
            values[first] = STALE
    return values


_ODD: Final = {
    "nan": (np.nan,),
    "infinite": (np.inf, -np.inf),
    "positive": (np.inf,),
    "mixed": (np.nan, np.inf, -np.inf),
    "zero": (0.0, -0.0),
}


def _odd(random: np.random.Generator, kind: str) -> FloatArray:
    """Plain numbers, a third of them replaced by odd ones."""
    values = np.round(random.normal(0, 100, ROWS), 3)
    return np.where(random.random(ROWS) < 0.35, random.choice(_ODD[kind], ROWS), values)


def _ones(rows: slice) -> FloatArray:
    values = np.full(ROWS, ABSENT)
    values[rows] = 1.0
    if rows.stop < ROWS:
        values[rows.stop] = STALE
    return values
