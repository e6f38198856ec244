"""What there is: /series, /labels, /label/<name>/values."""

from collections.abc import Iterator, Sequence

import numpy as np
from aiohttp import web

from miniprom.api.encoding import json_array, metric_objects
from miniprom.api.envelope import annotation_fields, success
from miniprom.api.errors import ApiError, BadParameterError, ErrorType
from miniprom.api.params import read_params, unescape_name
from miniprom.api.services import services_of
from miniprom.api.streaming import accepts_gzip, prepare, send
from tsdb import LabelFrame

_TRUNCATED = "results truncated due to limit"


async def series(request: web.Request) -> web.StreamResponse:
    """The label sets of the series that one of `match[]` selects."""
    services, params = services_of(request), await read_params(request)
    if not params.texts("match[]"):
        raise ApiError(ErrorType.BAD_DATA, "no match[] parameter provided")
    limit = params.limit()
    span = params.span_ms()
    try:
        matcher_sets = params.matcher_sets()
    except ApiError as error:
        raise BadParameterError("match[]", str(error)) from error
    snapshot = services.snapshot()
    body = await services.workers.run(
        lambda: prepare(
            _encoded(snapshot.series(matcher_sets, *span), limit),
            accepts_gzip(request.headers.get("Accept-Encoding", "")),
        )
    )
    return await send(request, body, services.workers)


async def label_names(request: web.Request) -> web.Response:
    """The label names in use."""
    services, params = services_of(request), await read_params(request)
    limit = params.limit()
    span = params.span_ms()
    matcher_sets = params.matcher_sets()
    snapshot = services.snapshot()
    names = await services.workers.run(lambda: snapshot.label_names(matcher_sets, *span))
    return _limited(names, limit)


async def label_values(request: web.Request) -> web.Response:
    """The values of one label."""
    services, params = services_of(request), await read_params(request)
    name = unescape_name(request.match_info["name"])
    if not name:
        raise ApiError(ErrorType.BAD_DATA, f'invalid label name: "{name}"')
    limit = params.limit()
    span = params.span_ms()
    matcher_sets = params.matcher_sets()
    snapshot = services.snapshot()
    values = await services.workers.run(lambda: snapshot.label_values(name, matcher_sets, *span))
    return _limited(values, limit)


def _limited(texts: Sequence[str], limit: int) -> web.Response:
    if 0 < limit < len(texts):
        return success(texts[:limit], warnings=[_TRUNCATED])
    return success(texts)


def _encoded(labels: LabelFrame, limit: int) -> Iterator[bytes]:
    is_truncated = 0 < limit < labels.size
    yield b'{"status":"success","data":'
    yield from json_array(metric_objects(labels.take(np.arange(limit)) if is_truncated else labels))
    yield annotation_fields([_TRUNCATED] if is_truncated else [], ()) + b"}"
