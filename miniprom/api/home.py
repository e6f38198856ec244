"""`GET /`: a plain page that links to the rest."""

from html import escape
from typing import Final

from aiohttp import web

from miniprom.api.services import services_of

_LINKS: Final = (
    ("/api/v1/query?query=up", "a query"),
    ("/targets", "targets"),
    ("/api/v1/targets", "targets as JSON"),
    ("/api/v1/label/__name__/values", "metric names"),
    ("/api/v1/metadata", "metadata"),
    ("/api/v1/status/tsdb", "series by name"),
    ("/api/v1/status/config", "configuration"),
    ("/api/v1/status/flags", "flags"),
    ("/api/v1/status/runtimeinfo", "process"),
    ("/metrics", "own metrics"),
    ("/-/healthy", "health"),
    ("/-/ready", "readiness"),
)


async def home(request: web.Request) -> web.Response:
    """The page."""
    settings = services_of(request).settings
    title = escape(settings.page_title)
    items = "\n".join(
        f'<li><a href="{escape(settings.route_prefix + path)}">{escape(path)}</a>: {text}</li>'
        for path, text in _LINKS
    )
    page = (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body>\n<h1>{title}</h1>\n<p>This server speaks Prometheus's HTTP API.</p>\n"
        f"<ul>\n{items}\n</ul>\n</body>\n</html>\n"
    )
    return web.Response(text=page, content_type="text/html")
