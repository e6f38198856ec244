"""What the server is and how it was started: /status/..., /metrics."""

import os
import platform
import socket
import threading
from datetime import UTC, datetime

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from collector.units import format_duration_ms
from miniprom.api.envelope import success
from miniprom.api.errors import ApiError, ErrorType
from miniprom.api.params import read_params
from miniprom.api.services import Services, services_of
from miniprom.config import render_config
from miniprom.version import BRANCH, PROMETHEUS_VERSION, REVISION
from tsdb import Stats

_DEFAULT_LIMIT = 10
_MAX_LIMIT = 10_000
# What upstream's head shows while it is empty.
_NO_MIN_TIME = (1 << 63) - 1
_NO_MAX_TIME = -(1 << 63)


def rfc3339(time_ms: int) -> str:
    """A time as Go prints it in JSON; 0 is Go's zero time."""
    if time_ms == 0:
        return "0001-01-01T00:00:00Z"
    moment = datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{time_ms % 1000:03d}".rstrip("0") if time_ms % 1000 else ""
    return f"{moment}{fraction}Z"


async def build_info(request: web.Request) -> web.Response:  # noqa: ARG001  a handler's signature
    """Version and build. There is no `features` field: Grafana takes one for a sign of Mimir."""
    return success(build_fields())


async def version(request: web.Request) -> web.Response:  # noqa: ARG001  a handler's signature
    """The same without an envelope."""
    return web.json_response(build_fields())


def build_fields() -> dict[str, str]:
    """The fields of buildinfo."""
    return {
        "version": PROMETHEUS_VERSION,
        "revision": REVISION,
        "branch": BRANCH,
        "buildUser": "",
        "buildDate": "",
        "goVersion": f"python{platform.python_version()}",
    }


async def runtime_info(request: web.Request) -> web.Response:
    """The running process."""
    services = services_of(request)
    return success(
        {
            "startTime": rfc3339(services.started_ms),
            "CWD": os.getcwd(),
            "hostname": socket.gethostname(),
            "serverTime": rfc3339(services.clock.now_ms()),
            "reloadConfigSuccess": services.config_reload_succeeded,
            "lastConfigTime": rfc3339(services.config_loaded_ms),
            "corruptionCount": 0,
            "goroutineCount": threading.active_count(),
            "GOMAXPROCS": os.cpu_count() or 1,
            "GOMEMLIMIT": 0,
            "GOGC": "",
            "GODEBUG": "",
            "storageRetention": format_duration_ms(services.settings.retention_ms),
        }
    )


async def config(request: web.Request) -> web.Response:
    """The loaded configuration as YAML."""
    return success({"yaml": render_config(services_of(request).config)})


async def flags(request: web.Request) -> web.Response:
    """Every command line flag with its value."""
    return success(dict(services_of(request).settings.flags))


async def wal_replay(request: web.Request) -> web.Response:  # noqa: ARG001  a handler's signature
    """There is no log to replay: it is done."""
    return success({"min": 0, "max": 0, "current": 0})


async def tsdb(request: web.Request) -> web.Response:
    """Where the series come from: the names and values that most of them have."""
    services, params = services_of(request), await read_params(request)
    text = params.text("limit")
    limit = params.number("limit") if text else _DEFAULT_LIMIT
    if limit < 1:
        raise ApiError(ErrorType.BAD_DATA, "limit must be a positive number")
    if limit > _MAX_LIMIT:
        raise ApiError(ErrorType.BAD_DATA, f"limit must not exceed {_MAX_LIMIT}")
    stats = services.store.stats()
    return success(
        {
            "headStats": {
                "numSeries": stats.series,
                "numLabelPairs": stats.label_pairs,
                "chunkCount": 0,
                "minTime": _NO_MIN_TIME if stats.min_time_ms is None else stats.min_time_ms,
                "maxTime": _NO_MAX_TIME if stats.max_time_ms is None else stats.max_time_ms,
            },
            "memoryBudget": _memory_budget(services, stats),
            "seriesCountByMetricName": _entries(stats.series_by_metric(limit)),
            "labelValueCountByLabelName": _entries(stats.values_by_label(limit)),
            "memoryInBytesByLabelName": _entries(stats.bytes_by_label(limit)),
            "seriesCountByLabelValuePair": _entries(stats.series_by_pair(limit)),
        }
    )


def _memory_budget(services: Services, stats: Stats) -> dict[str, object]:
    """What the store holds and may hold, in bytes; `expectedBytes` once the retention is full."""
    targets = len(services.scrape.active())
    held_ms = (stats.max_time_ms - stats.min_time_ms) if stats.max_time_ms and stats.min_time_ms else 0
    retention_ms = services.store.retention_ms or held_ms
    growth = retention_ms / held_ms if 0 < held_ms < retention_ms else 1.0
    return {
        "limitBytes": stats.memory_limit_bytes,
        "heldBytes": stats.memory_bytes,
        "sampleBytes": stats.samples_bytes,
        "expectedBytes": round(stats.memory_bytes + stats.samples_bytes * (growth - 1)),
        "targets": targets,
        "series": stats.series,
        "bytesPerSeries": round(stats.memory_bytes / stats.series) if stats.series else 0,
        "seriesRefused": stats.series_refused,
    }


async def metrics(request: web.Request) -> web.Response:
    """The server's own metrics, in the format that the scraper prefers."""
    encoder, content_type = choose_encoder(request.headers.get("Accept", ""))
    body = encoder(services_of(request).metrics.registry)
    return web.Response(body=body, headers={"Content-Type": content_type})


def _entries(counts: list[tuple[str, int]]) -> list[dict[str, object]]:
    return [{"name": name, "value": count} for name, count in counts]
