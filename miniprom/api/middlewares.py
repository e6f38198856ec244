"""What happens around every request: counting, CORS, errors, and the wait until the server is ready."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from aiohttp import web

from miniprom.api.envelope import failure_of
from miniprom.api.errors import ErrorType, error_type_of
from miniprom.api.management import unavailable
from miniprom.api.services import Phase, services_of
from tsdb import compile_anchored

_log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CORS: Final = {
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, Origin",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Expose-Headers": "Date",
}
_ALWAYS_ANSWERED: Final = ("/-/", "/metrics", "/version")


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the request and its time by route."""
    metrics = services_of(request).metrics
    resource = request.match_info.route.resource
    route = resource.canonical.replace("{name}", ":name") if resource else "unknown"
    begin = time.perf_counter()
    status = 500
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as error:
        status = error.status
        raise
    except asyncio.CancelledError:
        status = ErrorType.CANCELED.status
        raise
    finally:
        metrics.http_requests.labels(route, str(status)).inc()
        metrics.http_duration.labels(route).observe(time.perf_counter() - begin)
    return response


def cors_headers(origin_pattern: str) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Lets scripts of matching origins call the API (upstream util/httputil/cors.go).

    Raises `BadMatcherError` for a pattern that is no regular expression.
    """
    matches = compile_anchored(origin_pattern)
    everyone = origin_pattern == ".*"

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        if "/api/v1/" not in request.path:
            return
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin")
        if origin is None:
            return
        response.headers.update(_CORS)
        if everyone:
            response.headers["Access-Control-Allow-Origin"] = "*"
        elif matches(origin):
            response.headers["Access-Control-Allow-Origin"] = origin

    return add


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what a handler raises into an envelope."""
    phase = services_of(request).phase
    prefix = services_of(request).settings.route_prefix
    if phase is not Phase.READY and not request.path.removeprefix(prefix).startswith(_ALWAYS_ANSWERED):
        return unavailable(phase)
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as error:
        if error_type_of(error) is ErrorType.INTERNAL:
            _log.exception("Request failed", extra={"path": request.path})
        return failure_of(error)
