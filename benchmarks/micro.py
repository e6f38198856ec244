"""Workloads inside one process: no sockets, no peers."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np

from benchmarks.data import Dataset, counters, histograms
from benchmarks.measure import median_seconds, ms, print_table
from collector.exposition import TEXT, LineMemory
from miniprom.api.results import encode_result
from query import Engine, EngineOptions, RangeMatrix
from query.language import parse
from tsdb import Store
from tsdb.snapshot import Snapshot

END_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
DASHBOARD_QUERY = (
    'sum(rate(gotk_reconcile_duration_seconds_sum{namespace=~"a|b",kind=~"Kustomization|HelmRelease"}[5m]))'
    " by (kind) / "
    'sum(rate(gotk_reconcile_duration_seconds_count{namespace=~"a|b",kind=~"Kustomization|HelmRelease"}[5m]))'
    " by (kind)"
)


@dataclass(frozen=True)
class Workload:
    """Something to time, and how many items one run handles."""

    name: str
    run: Callable[[], object]
    items: int
    unit: str


def main() -> None:
    """Print a table of all workloads."""
    rows = []
    for workload in workloads():
        seconds = median_seconds(workload.run)
        rows.append([workload.name, ms(seconds), f"{seconds / workload.items * 1e9:,.0f} ns/{workload.unit}"])
    print_table("In process", ["workload", "median", "each"], rows)


def workloads(series: int = 10_000, rows: int = 480) -> list[Workload]:
    """All workloads on `series` series; the tests run them small."""
    loaded = counters(series, end_ms=END_MS, rows=rows, interval_ms=15_000)
    buckets = histograms(max(series // 12, 1), end_ms=END_MS, rows=rows, interval_ms=15_000)
    return [
        *(_scrape_parse(series, percent) for percent in (1, 10, 100)),
        _append(loaded),
        _range_query("sum by (pod) (rate(requests_total[5m]))", loaded),
        _range_query("histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[5m])))", buckets),
        _json(loaded),
        _promql_parse(),
    ]


def _scrape_parse(lines: int, percent: int) -> Workload:
    changing = range(0, lines, 100 // percent)
    bodies = []
    for scrape in range(2):
        values = np.arange(lines)
        values[changing.start : changing.stop : changing.step] += scrape * 17
        bodies.append(
            b"".join(b'm_%d{path="/api/v1",code="200"} %d\n' % (i, v) for i, v in enumerate(values.tolist()))
        )
    memory = LineMemory(TEXT)
    memory.update(bodies[1])

    def run() -> None:
        for body in bodies:
            memory.update(body)

    run()
    assert len(memory.update(bodies[0]).values) == lines
    return Workload(f"scrape parse, {percent} % changed", run, 2 * lines, "sample")


def _append(data: Dataset) -> Workload:
    store = Store(retention_ms=None)
    ids = store.series_ids(data.series)
    times = iter(range(END_MS, END_MS + 10 * HOUR_MS, 15_000))

    def run() -> None:
        assert store.append(ids, next(times), data.values[0]).stored == len(ids)

    return Workload("append a scrape", run, len(ids), "sample")


def _snapshot(data: Dataset) -> Snapshot:
    store = Store(retention_ms=None)
    store.append_matrix(store.series_ids(data.series), data.timestamps_ms, data.values)
    return store.snapshot(END_MS)


def _range_query(query: str, data: Dataset) -> Workload:
    snapshot, engine = _snapshot(data), Engine(EngineOptions())
    start_ms = int(data.timestamps_ms[0])

    def run() -> None:
        result = engine.range(snapshot, query, start_ms, END_MS, 15_000)
        assert isinstance(result.value, RangeMatrix)

    return Workload(query, run, data.values.size, "sample")


def _json(data: Dataset) -> Workload:
    snapshot, engine = _snapshot(data), Engine(EngineOptions())
    query = 'requests_total{pod=~"pod-[0-4]"}'
    result = engine.range(snapshot, query, int(data.timestamps_ms[0]), END_MS, 15_000)
    assert isinstance(result.value, RangeMatrix)
    points = result.value.values.size

    def run() -> bytes:
        return b"".join(encode_result(result.value)[1])

    json.loads(run())
    return Workload("JSON of a raw matrix", run, points, "point")


def _promql_parse() -> Workload:
    numbers = count()  # no two queries alike, or the cache of parsed queries would be what is measured
    return Workload(
        "parse a dashboard's query", lambda: parse(f"{DASHBOARD_QUERY} + {next(numbers)}"), 1, "query"
    )
