"""`GET /targets`: what is scraped and what was dropped, job by job, for people."""

import json
from collections import defaultdict
from collections.abc import Iterable
from html import escape
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from collector.manager import ActiveTarget
from collector.scrape import Health
from miniprom.api.services import Services, services_of
from miniprom.api.status import rfc3339
from tsdb import Labels

_STYLE: Final = (
    "body{font-family:sans-serif;margin:1em}table{border-collapse:collapse;width:100%}"
    "td,th{border:1px solid #ccc;padding:.3em;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    ".down{color:#b00}"
)
_HEADINGS: Final = ("Endpoint", "State", "Labels", "Last scrape", "Duration", "Error")


async def targets_page(request: web.Request) -> web.Response:
    """The page; `scrapePool` chooses one job."""
    services = services_of(request)
    chosen = request.query.get("scrapePool", "")
    pools = [pool for pool in services.scrape.pools() if chosen in ("", pool)]
    active: defaultdict[str, list[ActiveTarget]] = defaultdict(list)
    for target in services.scrape.active():
        active[target.pool].append(target)
    dropped: defaultdict[str, list[Labels]] = defaultdict(list)
    for gone in services.scrape.dropped():
        dropped[gone.pool].append(gone.discovered_labels)
    sections = [_section(services, pool, active[pool], dropped[pool]) for pool in pools]
    title = escape(services.settings.page_title)
    page = (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>Targets: {title}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n<h1>Targets</h1>\n{''.join(sections)}</body>\n</html>\n"
    )
    return web.Response(text=page, content_type="text/html")


def _section(services: Services, pool: str, active: list[ActiveTarget], dropped: Iterable[Labels]) -> str:
    healthy = sum(target.health is Health.UP for target in active)
    count = services.scrape.dropped_counts()[pool]
    prefix = services.settings.route_prefix
    rows = "".join(f"<tr>{_cells(prefix, target)}</tr>\n" for target in active)
    headings = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
    gone = "".join(f"<li>{_discovered(prefix, pool, labels)}</li>\n" for labels in dropped)
    return (
        f"<h2>{escape(pool)} ({healthy}/{len(active)} up)</h2>\n"
        f"<table>\n<tr>{headings}</tr>\n{rows}</table>\n"
        f"<details><summary>{count} dropped</summary><ul>\n{gone}</ul></details>\n"
    )


def _cells(prefix: str, target: ActiveTarget) -> str:
    state = f'<span class="{target.health.value}">{target.health.value}</span>'
    labels = f"{_shown(target.labels)}{_discovered(prefix, target.pool, target.discovered_labels)}"
    cells = (
        escape(target.url),
        state,
        labels,
        rfc3339(target.last_scrape_ms) if target.last_scrape_ms else "never",
        f"{target.last_duration_seconds * 1000:.3f} ms",
        escape(target.last_error),
    )
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _discovered(prefix: str, pool: str, labels: Labels) -> str:
    """The labels before relabelling, folded, and where to see what each rule made of them."""
    query = urlencode({"scrapePool": pool, "labels": json.dumps(dict(labels))})
    steps = escape(f"{prefix}/api/v1/targets/relabel_steps?{query}")
    address = escape(dict(labels).get("__address__", ""))
    return (
        f"<details><summary>discovered: {address}</summary>{_shown(labels)}"
        f'<a href="{steps}">relabel steps</a></details>'
    )


def _shown(labels: Labels) -> str:
    return "".join(f"<code>{escape(name)}=&quot;{escape(value)}&quot;</code><br>" for name, value in labels)
