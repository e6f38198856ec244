"""The queries of Grafana dashboards, with their template variables filled in."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
