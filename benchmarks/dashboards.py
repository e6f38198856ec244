"""Every query of Flux's dashboards over half an hour of a large simulated cluster, beside Prometheus."""

import asyncio
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlencode

from benchmarks.data import Dataset, remote_write_requests
from benchmarks.measure import interleaved, ms, print_table, times
from benchmarks.programs import MINIPROM, PROMETHEUS, Running, running
from benchmarks.queries import REMOTE_WRITE_HEADERS
from collector.clock import VirtualClock
from collector.manager import ScrapeManager
from miniprom.config import parse_config
from miniprom.simulator import Cluster, Era, SimulatedTargets, serve
from tests.conformance.dashboards import panels
from tests.conformance.test_dashboards import DASHBOARDS, ERA_OF
from tsdb import Matcher, MatchOp, Store

RANGE_MS = 30 * 60_000
STEP_SECONDS = 15


def main(*, objects: int = 480) -> None:
    """Print each panel's time in both programs."""
    if not PROMETHEUS.is_installed or not DASHBOARDS.is_dir():
        print("Not measured: needs prometheus, and the dashboards (MINIPROM_DASHBOARDS)")
        return
    for era in Era:
        start_ms = int(time.time()) * 1000 - RANGE_MS
        store = asyncio.run(_scraped(era, objects, start_ms))
        with ExitStack() as stack:
            programs = [stack.enter_context(running(program)) for program in (MINIPROM, PROMETHEUS)]
            for data in _datasets(store):
                for body in remote_write_requests(data):
                    for program in programs:
                        program.post("/api/v1/write", body, REMOTE_WRITE_HEADERS)
            rows = list(_rows(era, programs, start_ms // 1000))
        ratios = [theirs / ours for _, ours, theirs in rows]
        print_table(
            f"Dashboards of {era.name}: {store.stats().series} series, 30 min at {STEP_SECONDS} s",
            ["", "miniprom", "prometheus", "prometheus / ours"],
            [[name, ms(ours), ms(theirs), times(ours, theirs)] for name, ours, theirs in rows],
        )
        print(f"  slowest {min(ratios):.2f} x, geometric mean {statistics.geometric_mean(ratios):.2f} x")


async def _scraped(era: Era, objects: int, start_ms: int) -> Store:
    clock, store = VirtualClock(start_ms), Store(retention_ms=None)
    targets = SimulatedTargets(Cluster(start_ms, objects=objects), era)
    served = await serve(targets, clock)
    manager = ScrapeManager(store, clock)
    try:
        config = parse_config(targets.scrape_config(served.addresses), "simulated.yml")
        await manager.apply(config.scrape_configs)
        await clock.advance(RANGE_MS)
    finally:
        await manager.stop()
        await served.stop()
    return store


def _datasets(store: Store) -> Iterator[Dataset]:
    everything = (Matcher("__name__", MatchOp.NOT_EQUAL, ""),)
    selection = store.snapshot(0).select(everything, 0, 1 << 62)
    labels = selection.labels.series()
    for slab in selection.slabs:
        yield Dataset([labels[row] for row in slab.series.tolist()], slab.timestamps_ms, slab.read())


def _rows(era: Era, programs: list[Running], start: int) -> Iterator[tuple[str, float, float]]:
    for name in (name for name, of in ERA_OF.items() if of is era):
        for number, panel in enumerate(panels(DASHBOARDS / f"{name}.json")):
            parameters = {
                "query": panel.query,
                "start": start,
                "end": start + RANGE_MS // 1000,
                "step": STEP_SECONDS,
            }
            url = "/api/v1/query_range?" + urlencode(parameters)
            assert json.loads(programs[0].get(url))["data"]["result"], panel.query
            ours, theirs = interleaved([partial(program.get, url) for program in programs], repeat=5)
            yield f"{name}: {panel.title} {number}", ours, theirs
