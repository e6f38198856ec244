"""What two hours of samples take in memory, and what it costs to write them, beside the peers."""

import json
import os
import time
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.data import Dataset, remote_write_requests
from benchmarks.measure import print_table, times
from benchmarks.programs import MINIPROM, PEERS, Program, Running, running
from benchmarks.queries import INTERVAL_MS, REMOTE_WRITE_HEADERS, ROWS
from collector.exposition import TEXT, LineMemory
from miniprom.simulator import Cluster, SimulatedTargets
from tsdb import Store, labels_from

SERIES_VARIABLE = "BENCHMARK_SERIES"
_SERIES_A_REQUEST = 2000
_BULK = {"rows": 20, "series": 500}
_SINGLE_ROWS = 20  # the newest come a row a request, as Prometheus sends them; this is what CPU is taken of


def main(*, flux_objects: int = 1000) -> None:
    """Fill each installed program; `BENCHMARK_SERIES=100000` for more than the 10,000 of the default."""
    series = int(os.environ.get(SERIES_VARIABLE, "10000"))
    end_ms = int(time.time() * 1000) // INTERVAL_MS * INTERVAL_MS
    data = mixed(series, end_ms=end_ms, rows=ROWS, interval_ms=INTERVAL_MS)
    programs = [MINIPROM, *(peer for peer in PEERS if peer.is_installed)]
    filled = [_fill(program, data) for program in programs]
    header = ["", "RSS", "RSS a series", "samples/CPU s", "samples/s", "RSS / ours", "CPU / ours"]
    rows = [
        [
            program.name,
            f"{result.rss_bytes / 2**20:.0f} MiB",
            f"{result.rss_bytes / series:,.0f} B",
            f"{1 / result.cpu_seconds_a_sample:,.0f}",
            f"{1 / result.seconds_a_sample:,.0f}",
            times(filled[0].rss_bytes, result.rss_bytes),
            times(filled[0].cpu_seconds_a_sample, result.cpu_seconds_a_sample),
        ]
        for program, result in zip(programs, filled, strict=True)
    ]
    print_table(f"Remote write of {series} series x {ROWS} rows, {INTERVAL_MS // 1000} s apart", header, rows)
    stores = {"mixed series": filled_store(data), f"{flux_objects} Flux objects": flux_store(flux_objects)}
    print_table(
        "In the store",
        ["", "series", "bytes a sealed sample", "bytes a series, all in"],
        [
            [
                name,
                str(stats.series),
                f"{stats.bytes_per_sealed_sample:.2f}",
                f"{stats.bytes_per_series:,.0f}",
            ]
            for name, stats in stores.items()
        ],
    )


@dataclass(frozen=True)
class Filled:
    """A program that holds the samples."""

    rss_bytes: int
    cpu_seconds_a_sample: float
    seconds_a_sample: float


@dataclass(frozen=True)
class Held:
    """A store that holds samples."""

    series: int
    bytes_per_sealed_sample: float
    bytes_per_series: float


def mixed(series: int, *, end_ms: int, rows: int, interval_ms: int, seed: int = 7) -> Dataset:
    """A quarter each: constants, counters, gauges with three decimals, and buckets of histograms."""
    random = np.random.default_rng(seed)
    quarter = series // 4
    names = ("target_info", "requests_total", "queue_seconds", "latency_seconds_bucket")
    labels = [
        labels_from(
            {
                "__name__": names[kind],
                "job": "bench",
                "instance": f"10.0.{number % 100}.1:8080",
                "pod": f"pod-{number % 100}",
                "path": f"/api/{number // 100}",
                **({"le": f"{2 ** (number % 10)}"} if kind == 3 else {}),
            }
        )
        for kind in range(4)
        for number in range(quarter)
    ]
    constants = np.tile(random.integers(0, 1000, quarter), (rows, 1))
    counters = np.cumsum(random.poisson(random.choice([0.1, 1.0, 20.0], quarter), (rows, quarter)), axis=0)
    gauges = np.round(np.abs(np.cumsum(random.normal(0, 1, (rows, quarter)), axis=0)), 3)
    buckets = np.cumsum(random.poisson(random.choice([0.05, 0.5, 2.0], quarter), (rows, quarter)), axis=0)
    values = np.concatenate((constants, counters, gauges, buckets), axis=1).astype(np.float64)
    return Dataset(labels, np.arange(end_ms - (rows - 1) * interval_ms, end_ms + 1, interval_ms), values)


def filled_store(data: Dataset) -> Held:
    """What our store takes for a data set, written a row at a time."""
    store = Store(retention_ms=None)
    ids = store.series_ids(data.series)
    for time_ms, row in zip(data.timestamps_ms.tolist(), data.values, strict=True):
        store.append(ids, time_ms, row)
    return _held(store)


def flux_store(objects: int, *, rows: int = ROWS, interval_ms: int = INTERVAL_MS) -> Held:
    """What our store takes for the metrics of simulated Flux controllers."""
    targets = SimulatedTargets(Cluster(0, objects=objects))
    store = Store(retention_ms=None)
    memories = {name: LineMemory(TEXT) for name in targets.names}
    ids: dict[str, dict[int, int]] = {name: {} for name in targets.names}
    for time_ms in range(interval_ms, (rows + 1) * interval_ms, interval_ms):
        for name, memory in memories.items():
            update = memory.update(targets.body(name, time_ms))
            for slot, labels in update.added.items():
                [ids[name][slot]] = store.series_ids([labels_from({**dict(labels), "pod": name})]).tolist()
            slots = ids[name]
            store.append(np.array([slots[slot] for slot in update.slots.tolist()]), time_ms, update.values)
    return _held(store)


def _held(store: Store) -> Held:
    stats = store.stats()
    return Held(stats.series, stats.sealed_bytes / stats.sealed_cells, stats.memory_bytes / stats.series)


def _fill(program: Program, data: Dataset) -> Filled:
    earlier = replace(
        data, timestamps_ms=data.timestamps_ms[:-_SINGLE_ROWS], values=data.values[:-_SINGLE_ROWS]
    )
    newest = replace(
        data, timestamps_ms=data.timestamps_ms[-_SINGLE_ROWS:], values=data.values[-_SINGLE_ROWS:]
    )
    with running(program) as started:
        for body in remote_write_requests(earlier, **_BULK):
            started.post("/api/v1/write", body, REMOTE_WRITE_HEADERS)
        cpu_seconds, seconds = started.cpu_seconds(), 0.0
        for body in remote_write_requests(newest, rows=1, series=_SERIES_A_REQUEST):
            began = time.perf_counter()
            started.post("/api/v1/write", body, REMOTE_WRITE_HEADERS)
            seconds += time.perf_counter() - began
        if program.name == "victoria-metrics":
            started.get("/internal/force_flush")
        cpu_seconds = started.cpu_seconds() - cpu_seconds
        check(started, data)
        samples = newest.values.size
        return Filled(started.rss_bytes(), cpu_seconds / samples, seconds / samples)


def check(started: Running, data: Dataset) -> None:
    moment = int(data.timestamps_ms[-1]) // 1000
    answer = json.loads(started.get(f"/api/v1/query?query=count(requests_total)&time={moment}"))
    [sample] = answer["data"]["result"]
    assert int(sample["value"][1]) == len(data.series) // 4, answer
