"""/api/v1/write: the receiving end of remote write 1.0."""

import logging
from collections import Counter
from typing import Final

import numpy as np
from aiohttp import web

from miniprom.api.services import Services, services_of
from miniprom.remote_write.request import (
    WriteBatch,
    decode,
    decompress,
)
from miniprom.remote_write.series_memory import REFUSED_ID
from miniprom.remote_write.wire import WireError
from tsdb import Appended, Outcome, Store
from tsdb.sample import FloatArray, IntArray

_log = logging.getLogger(__name__)

DISABLED: Final = "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n"
_MESSAGE: Final = "prometheus.WriteRequest"
_MAX_AHEAD_MS: Final = 600_000
# Above this, a request is decoded in a worker; Prometheus's 2,000 samples stay below.
_SMALL_BYTES: Final = 1 << 17
_REASONS: Final = {
    Outcome.OUT_OF_ORDER: "out of order sample",
    Outcome.DUPLICATE: "duplicate sample for timestamp",
    Outcome.TOO_OLD: "out of bounds",
    Outcome.NO_ROOM: "the memory limit leaves no room for new series",
}
_TOO_FAR_AHEAD: Final = "out of bounds: timestamp is too far in the future"


async def write(request: web.Request) -> web.Response:
    """Store the samples of a request; 400 if one is refused (the others are stored all the same)."""
    services = services_of(request)
    if not services.settings.enable_remote_write_receiver:
        return web.Response(status=404, text=DISABLED)
    if refusal := _unsupported(request):
        return web.Response(status=415, text=f"{refusal}\n")
    body = await request.read()
    try:
        known = services.series_memory.ids
        if len(body) <= _SMALL_BYTES:
            batch = decode(decompress(body), known)
        else:
            batch = await services.workers.run(lambda: decode(decompress(body), known))
        problem = _store(services, batch)
    except WireError as error:
        problem = str(error)
    if problem:
        return web.Response(status=400, text=f"{problem}\n")
    return web.Response(status=204)


def _unsupported(request: web.Request) -> str:
    kind, *parameters = [part.strip() for part in request.headers.get("Content-Type", "").split(";")]
    if kind not in ("", "application/x-protobuf"):
        return f"expected application/x-protobuf as the first (media) part, got {kind} content-type"
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "proto" and value != _MESSAGE:
            return f"{value} protobuf message is not accepted by this server; only accepts {_MESSAGE}"
    encoding = request.headers.get("Content-Encoding", "snappy")
    if encoding != "snappy":
        return f"{encoding} encoding (compression) is not accepted by this server; only snappy is acceptable"
    return ""


def _store(services: Services, batch: WriteBatch) -> str:
    """Append a batch; answers with what was wrong with a sample that was refused, "" if none was."""
    memory, latest_ms = services.series_memory, services.clock.now_ms() + _MAX_AHEAD_MS
    ids = memory.series_ids(batch.series)
    timestamps_ms = np.array(batch.timestamps_ms, dtype=np.int64)
    values = np.frombuffer(b"".join(batch.values), dtype="<f8").astype(np.float64)
    problem = ""
    valid = ids != REFUSED_ID
    if not valid.all():
        services.metrics.invalid_labels.inc(int(np.count_nonzero(~valid)))
    ahead = timestamps_ms > latest_ms
    if ahead.any():
        problem = _TOO_FAR_AHEAD
        valid &= ~ahead
    ids, timestamps_ms, values = ids[valid], timestamps_ms[valid], values[valid]
    for rows in _rounds(ids):
        problem = _append(services.store, ids[rows], timestamps_ms[rows], values[rows]) or problem
    return _store_histograms(services, batch, latest_ms) or problem


def _store_histograms(services: Services, batch: WriteBatch, latest_ms: int) -> str:
    problem = ""
    ids = services.series_memory.series_ids([raw for raw, _, _ in batch.histograms])
    for series_id, (_, time_ms, histogram) in zip(ids.tolist(), batch.histograms, strict=True):
        if series_id == REFUSED_ID:
            services.metrics.invalid_labels.inc()
        elif time_ms > latest_ms:
            problem = _TOO_FAR_AHEAD
        else:
            problem = _reason(services.store.append_histograms(series_id, [time_ms], [histogram])) or problem
    return problem


def _rounds(ids: IntArray) -> list[IntArray]:
    """Positions such that no round holds a series twice, and each series' samples keep their order."""
    if len(np.unique(ids)) == len(ids):
        return [np.arange(len(ids))]
    seen: Counter[int] = Counter()
    turns = np.empty(len(ids), dtype=np.int64)
    for position, series_id in enumerate(ids.tolist()):
        turns[position] = seen[series_id]
        seen[series_id] += 1
    return np.split(np.argsort(turns, kind="stable"), np.cumsum(np.bincount(turns))[:-1])


def _append(store: Store, ids: IntArray, timestamps_ms: IntArray, values: FloatArray) -> str:
    if not len(ids):
        return ""
    first_ms = int(timestamps_ms[0])
    return _reason(
        store.append(ids, first_ms if (timestamps_ms == first_ms).all() else timestamps_ms, values)
    )


def _reason(appended: Appended) -> str:
    """Why the first sample that was refused was refused, "" if none was."""
    if appended.outcomes is None:
        return ""
    refused = appended.outcomes[appended.outcomes != Outcome.STORED]
    if not len(refused):
        return ""
    _log.warning(
        "Refused samples from remote write",
        extra={
            "out_of_order": appended.out_of_order,
            "duplicate": appended.duplicate,
            "too_old": appended.too_old,
        },
    )
    return _REASONS[Outcome(int(refused[0]))]
