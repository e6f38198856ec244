"""Faults carried out on requests: before they are answered, on their answers, and on the connection."""

import asyncio
import socket
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from miniprom.api.envelope import JSON
from miniprom.api.numbers import go_float
from miniprom.api.watch import Evaluation
from miniprom.fake.fault_kinds import Settings
from miniprom.fake.faults import Fault

_GZIP: Final = 31
_NO_LINGER: Final = struct.pack("ii", 1, 0)


async def before_answer(request: web.Request, faults: Sequence[Fault]) -> web.Response | None:
    """What happens instead of an answer, or before it. None: the request is to be answered."""
    for fault in faults:
        match fault.kind:
            case "latency":
                await asyncio.sleep(fault.settings["seconds"]())
            case "hang":
                await asyncio.Event().wait()  # until the client gives up, which cancels this
            case "reset":
                _reset(request)
                return web.Response(status=499)
            case "error":
                settings = fault.settings
                fields = {"status": "error", "errorType": settings["error_type"], "error": settings["error"]}
                body = msgspec.json.encode(fields)
                return web.Response(status=settings["status"], body=body, content_type=JSON)
    return None


async def on_answer(
    request: web.Request, response: web.Response, faults: Sequence[Fault], evaluation: Evaluation | None
) -> web.StreamResponse:
    """The answer as the faults leave it."""
    changing = [fault for fault in faults if fault.kind in _CHANGES]
    if changing:
        response = _changed(response, changing, evaluation)
    if request.transport is None or request.transport.is_closing():  # reset: there is nobody to answer
        return response
    for fault in faults:
        match fault.kind:
            case "malformed":
                response = _with_body(response, body_of(response)[:-1] + b",]")
            case "truncate":
                return await _truncated(request, response, fault.settings["bytes"])
    return response


def body_of(response: web.Response) -> bytes:
    """Its body, uncompressed."""
    body = response.body
    if not isinstance(body, bytes | bytearray):
        return b""
    if response.headers.get("Content-Encoding") == "gzip":
        return zlib.decompress(body, _GZIP)
    return bytes(body)


def _changed(response: web.Response, faults: Sequence[Fault], evaluation: Evaluation | None) -> web.Response:
    """With what it says of its data changed; an answer without data stays as it is."""
    try:
        answer = msgspec.json.decode(body_of(response))
    except msgspec.DecodeError:
        return response
    if not isinstance(answer, dict) or "data" not in answer:
        return response
    for fault in faults:
        _CHANGES[fault.kind](answer, fault.settings, evaluation)
    return _with_body(response, msgspec.json.encode(answer))


def _with_body(response: web.Response, body: bytes) -> web.Response:
    return web.Response(status=response.status, body=body, content_type=response.content_type)


def _empty(answer: dict[str, Any], settings: Settings, evaluation: Evaluation | None) -> None:  # noqa: ARG001
    data = answer["data"]
    if isinstance(data, list):
        answer["data"] = []
    elif isinstance(data.get("result"), list) and data.get("resultType") in _SERIES:
        data["result"] = []


def _nan(answer: dict[str, Any], settings: Settings, evaluation: Evaluation | None) -> None:  # noqa: ARG001
    data = answer["data"]
    if not isinstance(data, dict):
        return
    if data.get("resultType") == "scalar":
        data["result"][1] = "NaN"
    for series in data["result"] if data.get("resultType") in _SERIES else ():
        for point in (series.get("value"), *series.get("values", ())):
            if point:
                point[1] = "NaN"


def _extra_series(answer: dict[str, Any], settings: Settings, evaluation: Evaluation | None) -> None:
    data = answer["data"]
    if not isinstance(data, dict) or data.get("resultType") not in _SERIES or evaluation is None:
        return
    window, value = evaluation.window, go_float(settings["value"])
    extra: dict[str, Any] = {"metric": settings["labels"]}
    if data["resultType"] == "vector":
        extra["value"] = [_seconds(window.end_ms), value]
    else:
        times_ms = range(window.start_ms, window.end_ms + 1, window.step_ms or 1)
        extra["values"] = [[_seconds(time_ms), value] for time_ms in times_ms]
    data["result"].append(extra)


def _seconds(time_ms: int) -> float:
    return time_ms / 1000 if time_ms % 1000 else time_ms // 1000


def _warnings(answer: dict[str, Any], settings: Settings, evaluation: Evaluation | None) -> None:  # noqa: ARG001
    for name, texts in settings.items():
        if texts:
            answer[name] = [*answer.get(name, ()), *texts]


_SERIES: Final = ("vector", "matrix")
_CHANGES: Final[Mapping[str, Callable[[dict[str, Any], Settings, Evaluation | None], None]]] = {
    "empty": _empty,
    "nan": _nan,
    "extra_series": _extra_series,
    "warnings": _warnings,
}
"""What a fault does to an answer that was decoded, and has data."""


async def _truncated(request: web.Request, response: web.Response, size: int) -> web.StreamResponse:
    """Promises the whole body, sends the beginning, and closes the connection."""
    body = body_of(response)
    headers = {"Content-Type": f"{response.content_type}; charset=utf-8", "Content-Length": str(len(body))}
    partial = web.StreamResponse(status=response.status, headers=headers)
    partial.force_close()
    await partial.prepare(request)
    await partial.write(body[:size])
    await partial.drain()
    if request.transport is not None:
        request.transport.close()
    return partial


def _reset(request: web.Request) -> None:
    """Without a linger time, closing sends a reset instead of an end."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
