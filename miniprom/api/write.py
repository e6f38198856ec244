"""/api/v1/write: the receiving end of remote write 1.0 and 2.0.

Source: prometheus.io/docs/specs/prw/remote_write_spec_2_0. What is wrong with single samples is
answered with 400 after the others were stored; 500 means that the sender shall send all of it again.
"""

import logging
from typing import Final

from aiohttp import web

from collector.protobuf.wire import WireError
from miniprom.api.services import Services, services_of
from miniprom.remote_write.batch import WriteBatch
from miniprom.remote_write.ingest import Ingested, ingest
from miniprom.remote_write.request import decode, decompress
from miniprom.remote_write.request_v2 import decode_v2
from miniprom.storage import StorageError

_log = logging.getLogger(__name__)

DISABLED: Final = "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n"
_MESSAGE_V1: Final = "prometheus.WriteRequest"
_MESSAGE_V2: Final = "io.prometheus.write.v2.Request"
_MESSAGES: Final = (_MESSAGE_V1, _MESSAGE_V2)
_MAX_AHEAD_MS: Final = 600_000
# Above this, a request is decoded in a worker; Prometheus's 2,000 samples stay below.
_SMALL_BYTES: Final = 1 << 17


class _UnsupportedError(WireError):
    """A body of a kind that is not read here."""


async def write(request: web.Request) -> web.Response:
    """Store the samples of a request."""
    services = services_of(request)
    if not services.settings.enable_remote_write_receiver:
        return web.Response(status=404, text=DISABLED)
    try:
        message = _message_of(request)
    except _UnsupportedError as error:
        return web.Response(status=415, text=f"{error}\n")
    is_v2 = message == _MESSAGE_V2
    try:
        batch = await _decoded(services, await request.read(), is_v2)
        latest_ms = services.clock.now_ms() + _MAX_AHEAD_MS
        ingested = ingest(services.store, services.series_memory, batch, latest_ms)
        services.storage.confirm()
    except WireError as error:
        return web.Response(status=400, text=f"{error}\n", headers=_written(Ingested()) if is_v2 else None)
    except StorageError as error:
        return web.Response(status=500, text=f"{error}\n", headers=_written(Ingested()) if is_v2 else None)
    services.metrics.invalid_labels.inc(ingested.invalid_labels)
    problems = _problems(batch, ingested, is_v2)
    headers = _written(ingested) if is_v2 else None
    if problems:
        return web.Response(status=400, text="\n".join(problems) + "\n", headers=headers)
    return web.Response(status=204, headers=headers)


async def _decoded(services: Services, body: bytes, is_v2: bool) -> WriteBatch:
    def work() -> WriteBatch:
        content = decompress(body)
        return decode_v2(content) if is_v2 else decode(content)

    return work() if len(body) <= _SMALL_BYTES else await services.workers.run(work)


def _message_of(request: web.Request) -> str:
    """The protobuf message that the headers announce. Raises `_UnsupportedError`."""
    kind, *parameters = [part.strip() for part in request.headers.get("Content-Type", "").split(";")]
    if kind not in ("", "application/x-protobuf"):
        text = f"expected application/x-protobuf as the first (media) part, got {kind} content-type"
        raise _UnsupportedError(text)
    message = _MESSAGE_V1
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "proto":
            message = value
    if message not in _MESSAGES:
        accepted = ", ".join(_MESSAGES)
        text = f"{message} protobuf message is not accepted by this server; only accepts {accepted}"
        raise _UnsupportedError(text)
    encoding = request.headers.get("Content-Encoding", "snappy")
    if encoding != "snappy":
        text = f"{encoding} encoding (compression) is not accepted by this server; only snappy is acceptable"
        raise _UnsupportedError(text)
    return message


def _problems(batch: WriteBatch, ingested: Ingested, is_v2: bool) -> list[str]:
    """Why the answer is 400, if it is. 1.0 lets samples with invalid labels pass unsaid, as upstream does."""
    if ingested.refused:
        _log.warning("Refused samples from remote write", extra={"refused": dict(ingested.refused)})
    if not is_v2:
        return list(ingested.refused)[:1]
    invalid = [f"invalid metric name or labels: {ingested.invalid_labels} samples"]
    refused = [f"{reason}: {count} samples" for reason, count in ingested.refused.items()]
    return batch.problems + (invalid if ingested.invalid_labels else []) + refused


def _written(ingested: Ingested) -> dict[str, str]:
    """The headers that 2.0 asks for. Exemplars are not stored."""
    return {
        "X-Prometheus-Remote-Write-Samples-Written": str(ingested.samples),
        "X-Prometheus-Remote-Write-Histograms-Written": str(ingested.histograms),
        "X-Prometheus-Remote-Write-Exemplars-Written": "0",
    }
