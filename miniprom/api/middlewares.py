"""What happens around every request: counting, CORS, errors, and the wait until the server is ready."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from aiohttp import web

from miniprom.api.envelope import failure
from miniprom.api.errors import ErrorType, error_type_of
from miniprom.api.management import unavailable
from miniprom.api.services import Phase, services_of
from tsdb import Matcher, MatchOp

_log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CORS: Final = {
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, Origin",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Expose-Headers": "Date",
}
_API: Final = "/api/v1/"
_TEXTS: Final = {404: "404 page not found\n", 405: "Method Not Allowed\n"}
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
        metrics.http_answered(route, status, time.perf_counter() - begin)
    return response


def cors_headers(origin_pattern: str) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Lets scripts of matching origins call the API (upstream util/httputil/cors.go).

    Raises `BadMatcherError` for a pattern that is no regular expression.
    """
    origins = Matcher("Origin", MatchOp.MATCHES, origin_pattern)
    everyone = origin_pattern == ".*"

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        if _API not in request.path:
            return
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin")
        if origin is None:
            return
        response.headers.update(_CORS)
        if everyone:
            response.headers["Access-Control-Allow-Origin"] = "*"
        elif origins.matches(origin):
            response.headers["Access-Control-Allow-Origin"] = origin

    return add


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what a handler raises into an envelope, or a line of text outside the API."""
    services = services_of(request)
    path = request.path.removeprefix(services.settings.route_prefix)
    if services.phase is not Phase.READY and not path.startswith(_ALWAYS_ANSWERED):
        return unavailable(services.phase)
    if request.method == "OPTIONS" and path.startswith(_API):
        return web.Response(status=204)  # to a browser's preflight, the CORS headers are the answer
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status in _TEXTS:
            error.text = _TEXTS[error.status]
        raise
    except Exception as error:
        error_type = error_type_of(error)
        if error_type is ErrorType.INTERNAL:
            _log.exception("Request failed", extra={"path": request.path})
        if path.startswith(_API):
            return failure(error_type, str(error))
        return web.Response(status=error_type.status, text=f"{error}\n")
