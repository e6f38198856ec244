"""/api/v1/admin/tsdb/...: deleting, importing and saving samples.

Deleting takes effect at once, in memory too, so there are no tombstones left to clean. What changes the
past is answered once a snapshot of it is on disk.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from miniprom.api.envelope import success
from miniprom.api.errors import ApiError, BadParameterError, ErrorType
from miniprom.api.params import read_params
from miniprom.api.services import services_of
from miniprom.openmetrics import OpenMetricsError, read_points
from miniprom.storage import StorageError
from query import ParseError
from query.language import parse_selector
from tsdb.rewriting import delete, insert

_log = logging.getLogger(__name__)

_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("", "0", "f", "F", "FALSE", "false", "False")


async def admin(request: web.Request) -> web.Response:
    """One of the actions, where they are enabled."""
    services = services_of(request)
    if not services.settings.enable_admin_api:
        raise ApiError(ErrorType.UNAVAILABLE, "admin APIs disabled")
    action = _ACTIONS.get(request.match_info["action"])
    if action is None:
        raise web.HTTPNotFound
    try:
        return await action(request)
    except StorageError as error:
        raise ApiError(ErrorType.INTERNAL, str(error)) from error


async def _delete_series(request: web.Request) -> web.Response:
    services, params = services_of(request), await read_params(request)
    texts = params.texts("match[]")
    if not texts:
        raise ApiError(ErrorType.BAD_DATA, "no match[] parameter provided")
    start_ms, end_ms = params.span_ms()
    try:
        matcher_sets = [parse_selector(text) for text in texts]
    except ParseError as error:
        raise BadParameterError("match[]", str(error)) from error
    for matchers in matcher_sets:
        delete(services.store, matchers, start_ms, end_ms, services.clock.now_ms())
    _log.warning("Deleted series", extra={"match": " ".join(texts), "start": start_ms, "end": end_ms})
    await services.storage.checkpoint()
    return web.Response(status=204)


async def _clean_tombstones(request: web.Request) -> web.Response:  # noqa: ARG001  a handler's signature
    return web.Response(status=204)


async def _snapshot(request: web.Request) -> web.Response:
    services, params = services_of(request), await read_params(request)
    if params.text("skip_head") not in _TRUE + _FALSE:
        raise BadParameterError("skip_head", "unable to parse boolean")
    now_ms = services.clock.now_ms()
    moment = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    name = f"{moment}-{secrets.token_hex(8)}"
    await services.storage.save(services.store.still(now_ms), name)
    return success({"name": name})


async def _import(request: web.Request) -> web.Response:
    """Samples in OpenMetrics text, each with its time. Not in upstream."""
    services, body = services_of(request), await request.read()
    try:
        points = await asyncio.to_thread(read_points, body)
    except OpenMetricsError as error:
        raise ApiError(ErrorType.BAD_DATA, str(error)) from error
    too_old = insert(services.store, points, services.clock.now_ms())
    await services.storage.checkpoint()
    samples = sum(len(times_ms) for times_ms, _ in points.values())
    return success({"series": len(points), "samples": samples - too_old, "tooOld": too_old})


_ACTIONS: Final[dict[str, Callable[[web.Request], Awaitable[web.Response]]]] = {
    "delete_series": _delete_series,
    "clean_tombstones": _clean_tombstones,
    "snapshot": _snapshot,
    "import": _import,
}
