"""The JSON around every answer: `{"status": ..., "data": ..., "warnings": ...}`."""

from collections.abc import Iterator, Sequence

import msgspec
from aiohttp import web

from miniprom.api.errors import ErrorType

JSON = "application/json"
_MAX_ANNOTATIONS = 10


def success(data: object = None, *, warnings: Sequence[str] = (), infos: Sequence[str] = ()) -> web.Response:
    """An answer with `data` as JSON; None leaves the field out."""
    fields: dict[str, object] = {"status": "success"}
    if data is not None:
        fields["data"] = data
    body = msgspec.json.encode(fields)[:-1] + annotation_fields(warnings, infos) + b"}"
    return web.Response(body=body, content_type=JSON)


def failure(error_type: ErrorType, message: str) -> web.Response:
    """An error answer."""
    fields = {"status": "error", "errorType": error_type.label, "error": message}
    return web.Response(status=error_type.status, body=msgspec.json.encode(fields), content_type=JSON)


def query_envelope(
    result_type: str, result: Iterator[bytes], tail: bytes, annotations: bytes
) -> Iterator[bytes]:
    """The pieces of a query's answer; `tail` holds further fields of `data`, each after a comma."""
    yield b'{"status":"success","data":{"resultType":"%b","result":' % result_type.encode()
    yield from result
    yield tail + b"}" + annotations + b"}"


def annotation_fields(warnings: Sequence[str], infos: Sequence[str]) -> bytes:
    """`,"warnings":[...],"infos":[...]`, each capped as upstream caps it, absent when empty."""
    fields = {
        name: texts
        for name, texts in (("warnings", _capped(warnings, "warning")), ("infos", _capped(infos, "info")))
        if texts
    }
    return b"," + msgspec.json.encode(fields)[1:-1] if fields else b""


def _capped(texts: Sequence[str], kind: str) -> list[str]:
    shown = list(texts[:_MAX_ANNOTATIONS])
    omitted = len(texts) - len(shown)
    return [*shown, f"{omitted} more {kind} annotations omitted"] if omitted else shown
