"""Every query of Flux's dashboards over half an hour of a large simulated cluster, beside Prometheus."""

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlencode

from benchmarks.data import remote_write_requests, stored
from benchmarks.measure import interleaved, ms, print_table, times
from benchmarks.programs import MINIPROM, PROMETHEUS, running
from benchmarks.queries import REMOTE_WRITE_HEADERS
from miniprom.simulator import Era
from tests.conformance.dashboards import DASHBOARDS, ERA_OF, panels, scraped

RANGE_MS = 30 * 60_000
STEP_SECONDS = 15


def main(*, objects: int = 480) -> None:
    """Print each panel's time in both programs."""
    if not PROMETHEUS.is_installed or not DASHBOARDS.is_dir():
        print("Not measured: needs prometheus, and the dashboards (MINIPROM_DASHBOARDS)")
        return
    for era in Era:
        start_ms = int(time.time()) * 1000 - RANGE_MS
        store = asyncio.run(scraped(era, start_ms=start_ms, lasting_ms=RANGE_MS, objects=objects))
        with ExitStack() as stack:
            programs = [stack.enter_context(running(program)) for program in (MINIPROM, PROMETHEUS)]
            for data in stored(store):
                # Row by row, as scrapes bring them: series that come after later rows of others are stored
                # apart, and many small rings are slow to read.
                for body in remote_write_requests(data, rows=1, series=len(data.series)):
                    for program in programs:
                        program.post("/api/v1/write", body, REMOTE_WRITE_HEADERS)
            gets = [stack.enter_context(program.kept_alive()) for program in programs]
            rows = list(_rows(era, gets, start_ms // 1000))
        ratios = [theirs / ours for _, ours, theirs in rows]
        print_table(
            f"Dashboards of {era.name}: {store.stats().series} series, 30 min at {STEP_SECONDS} s",
            ["", "miniprom", "prometheus", "prometheus / ours"],
            [[name, ms(ours), ms(theirs), times(ours, theirs)] for name, ours, theirs in rows],
        )
        print(f"  slowest {min(ratios):.2f} x, geometric mean {statistics.geometric_mean(ratios):.2f} x")


def _rows(era: Era, gets: Sequence[Callable[[str], bytes]], start: int) -> Iterator[tuple[str, float, float]]:
    for name in (name for name, of in ERA_OF.items() if of is era):
        for number, panel in enumerate(panels(DASHBOARDS / f"{name}.json")):
            parameters = {
                "query": panel.query,
                "start": start,
                "end": start + RANGE_MS // 1000,
                "step": STEP_SECONDS,
            }
            url = "/api/v1/query_range?" + urlencode(parameters)
            assert json.loads(gets[0](url))["data"]["result"], panel.query
            ours, theirs = interleaved([partial(get, url) for get in gets], repeat=5)
            yield f"{name}: {panel.title} {number}", ours, theirs
