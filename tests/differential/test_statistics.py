"""How many samples a query looks at: as many as Prometheus counts, in all and at each step."""

import json
import re
from itertools import product

import pytest

from benchmarks.programs import Running
from query import Engine, EngineOptions, Result
from tests.differential.answers import Window
from tests.differential.samples import END_MS, START_MS, store

ENGINE = Engine(EngineOptions(counts_samples=True))
QUERIES = (
    "requests_total",
    "sum by (job) (requests_total)",
    "sum(requests_total) / sum(requests_total)",
    "rate(requests_total[2m])",
    "sum(rate(requests_total[2m]))",
    "sum by (job) (rate(requests_total[2m]))",
    "sum(increase(requests_total[5m])) / count(requests_total)",
    "quantile_over_time(0.5, requests_total[3m])",
    "max_over_time(rate(requests_total[1m])[5m:30s])",
    "timestamp(requests_total)",
    "requests_total offset 1m > 5",
    "sum(rate(queue_depth[2m])) + sum_over_time(queue_depth[1m])",
    f"requests_total @ {END_MS // 1000 - 600}",
    f"sum(rate(requests_total[2m] @ {END_MS // 1000 - 600}))",
    "absent_over_time(requests_total[2m])",
    "vector(1)",
)
WINDOWS = (
    Window(START_MS + 1_500_500),
    Window(START_MS - 299_500, END_MS + 420_000, 131_000),
    Window(START_MS + 1_100_500, START_MS + 1_700_000, 15_000),
)


# What 3.x counts otherwise: aggregations gather nothing, and subqueries end with the last step.
SAME_PEAK = [query for query in QUERIES if not re.search(r"^(sum|count)\(|^sum by|:30s", query)]


def theirs(prometheus: Running, query: str, window: Window, name: str = "totalQueryableSamples") -> int:
    data = json.loads(prometheus.get(window.path(query) + "&stats=all"))["data"]
    counted: int = data["stats"]["samples"][name]
    return counted


def ours(query: str, window: Window) -> Result:
    snapshot = store().snapshot(END_MS)
    if window.step_ms:
        return ENGINE.range(snapshot, query, window.start_ms, window.end_ms, window.step_ms)
    return ENGINE.instant(snapshot, query, window.start_ms)


@pytest.mark.peer
@pytest.mark.parametrize(("query", "window"), [*product(QUERIES, WINDOWS)])
def test_as_many_samples_are_counted_as_by_prometheus(
    query: str, window: Window, prometheus: Running
) -> None:
    assert ours(query, window).stats.total_samples == theirs(prometheus, query, window)


@pytest.mark.peer
@pytest.mark.parametrize(("query", "window"), [*product(SAME_PEAK, WINDOWS)])
def test_as_many_samples_are_held_at_most_as_by_prometheus(
    query: str, window: Window, prometheus: Running
) -> None:
    assert ours(query, window).stats.peak_samples == theirs(prometheus, query, window, "peakSamples")


@pytest.mark.peer
@pytest.mark.parametrize("query", ["requests_total[3m]", "rate(requests_total[1m])[5m:30s]"])
def test_as_many_samples_are_counted_of_a_raw_range_as_by_prometheus(query: str, prometheus: Running) -> None:
    assert ours(query, WINDOWS[0]).stats.total_samples == theirs(prometheus, query, WINDOWS[0])


@pytest.mark.parametrize("query", QUERIES)
def test_each_step_looks_at_what_an_instant_query_looks_at(query: str) -> None:
    snapshot, window = store().snapshot(END_MS), WINDOWS[1]
    stats = ENGINE.range(snapshot, query, window.start_ms, window.end_ms, window.step_ms).stats
    for time_ms, samples in zip(stats.steps_ms.tolist(), stats.samples_per_step.tolist(), strict=True):
        assert samples == ENGINE.instant(snapshot, query, time_ms).stats.total_samples
