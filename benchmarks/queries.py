"""Range and instant queries through HTTP, over the same samples in every program."""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlencode

from benchmarks.data import PODS, Dataset, counters, histograms, merged, pod_info, remote_write_requests
from benchmarks.measure import interleaved, ms, print_table, times
from benchmarks.programs import MINIPROM, PEERS, Program, Running, running

INTERVAL_MS = 15_000
ROWS = 480
REMOTE_WRITE_HEADERS: Mapping[str, str] = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
QUERIES: Mapping[str, str] = {
    "sum(rate)": "sum(rate(requests_total[5m]))",
    "sum by": "sum by (pod) (rate(requests_total[5m]))",
    "histogram_quantile": "histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[5m])))",
    "topk": "topk(5, rate(requests_total[5m]))",
    "max_over_time[5m]": "max by (code) (max_over_time(requests_total[5m]))",
    "avg_over_time[1h]": "sum by (code) (avg_over_time(requests_total[1h]))",
    "regex select": 'sum by (code) (requests_total{path=~"/api/[1-3].*"})',
    "count by": "count by (pod) (requests_total)",
    "binary join": "sum(requests_total - requests_total offset 5m)",
    "group_left join": "sum by (team) (rate(requests_total[5m]) * on (pod) group_left (team) pod_info)",
    "raw matrix": 'requests_total{pod=~"pod-[0-4]"}',
}


def main(*, series: int = 20_000) -> None:
    """Print each query's time in every installed program, and the peers' as multiples of ours."""
    now_ms = int(time.time() * 1000) // INTERVAL_MS * INTERVAL_MS
    grid = {"end_ms": now_ms, "rows": ROWS, "interval_ms": INTERVAL_MS}
    halves = counters(series // 2 - PODS, **grid), histograms(series // 24, **grid)
    data = merged(merged(*halves), pod_info(**grid))
    programs = [MINIPROM, *(peer for peer in PEERS if peer.is_installed)]
    with ExitStack() as stack:
        started = [stack.enter_context(running(program)) for program in programs]
        loading = [[_load(program, data) for program in started]]
        _print("Remote write, CPU seconds", ["all samples"], programs, loading, str)
        for kind, url in (("Range", _range_url(data)), ("Instant", _instant_url(now_ms))):
            rows = [_time(started, url(query)) for query in QUERIES.values()]
            means = [statistics.geometric_mean(column) for column in zip(*rows, strict=True)]
            _print(
                f"{kind} queries over {len(data.series)} series x {ROWS} rows",
                [*QUERIES, "geometric mean"],
                programs,
                [*rows, means],
                ms,
            )


def _load(program: Running, data: Dataset) -> float:
    before = program.cpu_seconds()
    for body in remote_write_requests(data):
        program.post("/api/v1/write", body, REMOTE_WRITE_HEADERS)
    if program.program.name == "victoria-metrics":
        program.get("/internal/force_flush")
    return program.cpu_seconds() - before


def _range_url(data: Dataset) -> Callable[[str], str]:
    # Off the samples' grid, so that open and closed ranges see the same samples.
    start, end = (int(data.timestamps_ms[row]) / 1000 + 1 for row in (0, -1))
    return lambda query: (
        "/api/v1/query_range?"
        + urlencode({"query": query, "start": start, "end": end, "step": INTERVAL_MS // 1000})
    )


def _instant_url(now_ms: int) -> Callable[[str], str]:
    return lambda query: "/api/v1/query?" + urlencode({"query": query, "time": now_ms / 1000 + 1})


def _time(programs: list[Running], url: str) -> list[float]:
    answers = [json.loads(program.get(url)) for program in programs]
    assert all(answer["data"]["result"] for answer in answers), url
    return interleaved([partial(program.get, url) for program in programs], repeat=5)


def _print(
    title: str,
    names: list[str],
    programs: list[Program],
    rows: list[list[float]],
    shown: Callable[[float], str],
) -> None:
    header = [
        "",
        *(f"{program.name}" for program in programs),
        *(f"{peer.name} / ours" for peer in programs[1:]),
    ]
    table = [
        [name, *map(shown, row), *(times(row[0], theirs) for theirs in row[1:])]
        for name, row in zip(names, rows, strict=True)
    ]
    print_table(title, header, table)
