"""Flux's Grafana dashboards: their queries, and the simulated controllers that answer them."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from collector.clock import VirtualClock
from collector.manager import ScrapeManager
from miniprom.config import parse_config
from miniprom.simulator import Cluster, Era, SimulatedTargets, serve
from tests.conformance.conftest import BESIDE_REPOSITORY
from tsdb import Store

DASHBOARDS: Final = Path(
    os.environ.get("MINIPROM_DASHBOARDS", BESIDE_REPOSITORY.parent / "flux" / "dashboards")
)
ERA_OF: Final = {
    "v0-cluster": Era.V0,
    "v0-control-plane": Era.V0,
    "v2-cluster": Era.V2,
    "v2-control-plane": Era.V2,
}


@dataclass(frozen=True)
class Panel:
    """One query of a panel."""

    title: str
    query: str


def panels(dashboard: Path) -> list[Panel]:
    """Every query of a dashboard.

    A variable compared with `=~` stands for "All", one compared with `=` for the controllers' namespace.
    """
    return [
        Panel(panel["title"], _filled_in(target["expr"]))
        for panel in _all_panels(json.loads(dashboard.read_text()))
        for target in panel.get("targets", [])
        if "expr" in target
    ]


def _all_panels(parent: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for panel in [*parent.get("panels", []), *parent.get("rows", [])]:
        yield panel
        yield from _all_panels(panel)


def _filled_in(query: str) -> str:
    query = re.sub(r'=~"\$\w+"', '=~".*"', query)
    return re.sub(r'="\$\w+"', '="flux-system"', query)


async def scraped(era: Era, *, start_ms: int, lasting_ms: int, objects: int = 52) -> Store:
    """What scraping the simulated controllers of an era for a time leaves in the store."""
    clock, store = VirtualClock(start_ms), Store(retention_ms=None)
    targets = SimulatedTargets(Cluster(start_ms, objects=objects), era)
    served = await serve(targets, clock)
    manager = ScrapeManager(store, clock)
    try:
        config = parse_config(targets.scrape_config(served.addresses), "simulated.yml")
        await manager.apply(config.scrape_configs)
        await clock.advance(lasting_ms)
        assert {target.last_error for target in manager.active()} == {""}
    finally:
        await manager.stop()
        await served.stop()
    return store
