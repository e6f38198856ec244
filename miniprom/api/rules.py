"""Rules and alerts: none are evaluated, and that is what the answers say."""

from aiohttp import web

from miniprom.api.envelope import success


async def rules(request: web.Request) -> web.Response:  # noqa: ARG001  a handler's signature
    """The rule groups."""
    return success({"groups": []})


async def alerts(request: web.Request) -> web.Response:  # noqa: ARG001  a handler's signature
    """The active alerts."""
    return success({"alerts": []})


async def alertmanagers(request: web.Request) -> web.Response:  # noqa: ARG001  a handler's signature
    """Where alerts are sent."""
    return success({"activeAlertmanagers": [], "droppedAlertmanagers": []})
