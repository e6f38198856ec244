"""All routes, in one table."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeAlias

from aiohttp import web
from aiohttp.typedefs import Middleware

from miniprom.api import (
    admin,
    federate,
    home,
    management,
    query,
    rules,
    series,
    status,
    targets,
    targets_page,
    why,
    write,
)
from miniprom.api.middlewares import answered, cors_headers, measured
from miniprom.api.services import FIND_SERVICES, FindServices, Services
from miniprom.settings import Settings

_MAX_BODY_BYTES: Final = 32 << 20

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

Route: TypeAlias = tuple[tuple[str, ...], str, Handler]

_GET: Final = ("GET",)
_POST: Final = ("POST",)
_GET_POST: Final = ("GET", "POST")
_POST_PUT: Final = ("POST", "PUT")

_ROUTES: Final[tuple[Route, ...]] = (
    (_GET_POST, "/api/v1/query", query.instant),
    (_GET_POST, "/api/v1/query_range", query.range_),
    (_GET_POST, "/api/v1/explain", query.explain),
    (_GET_POST, "/api/v1/why", why.why),
    (_GET_POST, "/api/v1/query_exemplars", query.exemplars),
    (_GET_POST, "/api/v1/format_query", query.format_query),
    (_GET_POST, "/api/v1/parse_query", query.parse_query),
    (_GET_POST, "/api/v1/series", series.series),
    (_GET_POST, "/api/v1/labels", series.label_names),
    (_GET, "/api/v1/label/{name}/values", series.label_values),
    (_GET, "/api/v1/metadata", targets.metadata),
    (_GET, "/api/v1/targets", targets.targets),
    (_GET, "/api/v1/targets/metadata", targets.target_metadata),
    (_GET, "/api/v1/targets/relabel_steps", targets.steps_of_relabelling),
    (_GET, "/api/v1/scrape_pools", targets.scrape_pools),
    (_GET, "/api/v1/rules", rules.rules),
    (_GET, "/api/v1/alerts", rules.alerts),
    (_GET, "/api/v1/alertmanagers", rules.alertmanagers),
    (_GET, "/api/v1/status/buildinfo", status.build_info),
    (_GET, "/api/v1/status/runtimeinfo", status.runtime_info),
    (_GET, "/api/v1/status/config", status.config),
    (_GET, "/api/v1/status/flags", status.flags),
    (_GET, "/api/v1/status/tsdb", status.tsdb),
    (_GET, "/api/v1/status/walreplay", status.wal_replay),
    (_POST, "/api/v1/write", write.write),
    (_POST_PUT, "/api/v1/admin/tsdb/{action}", admin.admin),
    (_GET, "/targets", targets_page.targets_page),
    (_GET, "/federate", federate.federate),
    (_GET, "/metrics", status.metrics),
    (_GET, "/version", status.version),
    (_GET, "/-/healthy", management.healthy),
    (_GET, "/-/ready", management.ready),
    (_POST_PUT, "/-/reload", management.reload),
    (_POST_PUT, "/-/quit", management.quit_),
    (_GET, "/-/reload", management.wrong_method),
    (_GET, "/-/quit", management.wrong_method),
    (_GET, "/", home.home),
)


def make_app(services: Services) -> web.Application:
    """The application that serves `services`."""
    return make_shared_app(services.settings, lambda _: services)


def make_shared_app(
    settings: Settings,
    find: FindServices,
    *,
    routes: Iterable[Route] = (),
    middlewares: Iterable[Middleware] = (),
) -> web.Application:
    """An application that serves what `find` finds for each request, with more routes.

    The given middlewares stand around the others.
    """
    app = web.Application(middlewares=[*middlewares, measured, answered], client_max_size=_MAX_BODY_BYTES)
    app[FIND_SERVICES] = find
    for methods, path, handler in (*_ROUTES, *routes):
        for method in methods:
            if method == "GET":
                app.router.add_get(settings.route_prefix + path, handler)
            else:
                app.router.add_route(method, settings.route_prefix + path, handler)
    app.on_response_prepare.append(cors_headers(settings.cors_origin))
    return app
