"""Probes and lifecycle: /-/healthy, /-/ready, /-/reload, /-/quit, and the version."""

import logging
from typing import Final

from aiohttp import web

from miniprom.api.services import Phase, services_of
from miniprom.config import ConfigFileError

_log = logging.getLogger(__name__)

_LIFECYCLE_DISABLED: Final = "Lifecycle API is not enabled."
_WRONG_METHOD: Final = "Only POST or PUT requests allowed"


async def healthy(request: web.Request) -> web.Response:  # noqa: ARG001  a handler's signature
    """Whether the process answers."""
    return web.Response(text="Prometheus Server is Healthy.\n")


async def ready(request: web.Request) -> web.Response:
    """Whether queries are answered."""
    phase = services_of(request).phase
    if phase is Phase.READY:
        return web.Response(text="Prometheus Server is Ready.\n")
    return unavailable(phase)


async def reload(request: web.Request) -> web.Response:
    """Read the configuration again."""
    services = services_of(request)
    if not services.settings.enable_lifecycle:
        return web.Response(status=403, text=_LIFECYCLE_DISABLED)
    try:
        await services.reload()
    except ConfigFileError as error:
        return web.Response(status=500, text=f"failed to reload config: {error}\n")
    return web.Response()


async def quit_(request: web.Request) -> web.Response:
    """Stop the server."""
    services = services_of(request)
    if not services.settings.enable_lifecycle:
        return web.Response(status=403, text=_LIFECYCLE_DISABLED)
    _log.warning("Received termination request via web service, exiting gracefully...")
    services.quit()
    return web.Response(text="Requesting termination... Goodbye!")


async def wrong_method(request: web.Request) -> web.Response:  # noqa: ARG001  a handler's signature
    """A GET of something that changes the server."""
    return web.Response(status=405, text=_WRONG_METHOD)


def unavailable(phase: Phase) -> web.Response:
    """The answer before the server is ready, and after it began to stop."""
    stopping = "true" if phase is Phase.STOPPING else "false"
    return web.Response(status=503, text="Service Unavailable", headers={"X-Prometheus-Stopping": stopping})
