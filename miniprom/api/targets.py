"""What is scraped: /targets, /targets/metadata, /targets/relabel_steps, /metadata, /scrape_pools."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from collector.exposition import Metadata
from collector.manager import ActiveTarget
from collector.relabel import RelabelConfig, compile_rules, relabel_steps
from collector.units import format_duration_ms
from miniprom.api.envelope import success
from miniprom.api.errors import ApiError, BadParameterError, ErrorType
from miniprom.api.params import read_params
from miniprom.api.services import services_of
from miniprom.api.status import rfc3339

_BOTH: Final = (True, True)
_LOCALHOSTS: Final = ("127.0.0.1", "localhost", "::1")


async def targets(request: web.Request) -> web.Response:
    """Active and dropped targets; `state` and `scrapePool` choose among them."""
    services, params = services_of(request), await read_params(request)
    pool = params.text("scrapePool")
    state = params.text("state").lower()
    wants = {"": _BOTH, "any": _BOTH}.get(state, (state == "active", state == "dropped"))
    host = _external_host(services.settings.external_url, request)
    scrape = services.scrape
    active = [target for target in scrape.active() if pool in ("", target.pool)] if wants[0] else []
    dropped = [target for target in scrape.dropped() if pool in ("", target.pool)] if wants[1] else []
    return success(
        {
            "activeTargets": [_active_fields(target, host) for target in active],
            "droppedTargets": [
                {"discoveredLabels": dict(target.discovered_labels), "scrapePool": target.pool}
                for target in dropped
            ],
            "droppedTargetCounts": scrape.dropped_counts() if wants[1] else None,
        }
    )


async def scrape_pools(request: web.Request) -> web.Response:
    """The names of the scrape jobs."""
    return success({"scrapePools": services_of(request).scrape.pools()})


async def steps_of_relabelling(request: web.Request) -> web.Response:
    """What each relabelling rule of a job makes of the given labels, in turn."""
    services, params = services_of(request), await read_params(request)
    pool = _required(params.text("scrapePool"), "scrapePool")
    try:
        labels = msgspec.json.decode(_required(params.text("labels"), "labels"), type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise ApiError(ErrorType.BAD_DATA, f"error parsing labels: {error}") from error
    job = services.scrape.job(pool)
    if job is None:
        message = f'error retrieving scrape config: scrape pool "{pool}" not found'
        raise ApiError(ErrorType.BAD_DATA, message)
    outputs = relabel_steps(labels, compile_rules(job.relabel_configs, job.name_scheme))
    steps = [
        {"rule": _rule_fields(rule), "output": output or {}, "keep": output is not None}
        for rule, output in zip(job.relabel_configs, outputs, strict=True)
    ]
    return success({"steps": steps})


async def target_metadata(request: web.Request) -> web.Response:
    """TYPE, HELP and UNIT of the metrics of each target."""
    services, params = services_of(request), await read_params(request)
    limit = params.number("limit")
    try:
        matchers = params.selectors("match_target")[0] if params.text("match_target") else ()
    except ApiError as error:
        raise BadParameterError("match_target", str(error)) from error
    metric = params.text("metric")
    found: list[dict[str, object]] = []
    for target in services.scrape.active():
        labels = dict(target.labels)
        if not all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers):
            continue
        if 0 <= limit <= len(found):
            break
        for family, metadata in _families(target, metric):
            named = {} if metric else {"metric": family}
            found.append({"target": labels, **named, **_metadata_fields(metadata)})
    return success(found)


async def metadata(request: web.Request) -> web.Response:
    """What the targets say of each metric, each distinct statement once."""
    services, params = services_of(request), await read_params(request)
    limit, per_metric = params.number("limit"), params.number("limit_per_metric")
    statements: dict[str, list[Metadata]] = {}
    for target in services.scrape.active():
        for family, said in _families(target, params.text("metric")):
            known = statements.setdefault(family, [])
            if said not in known and not 0 < per_metric <= len(known):
                known.append(said)
    shown = sorted(statements)[: limit if limit >= 0 else None]
    return success({family: [_metadata_fields(said) for said in statements[family]] for family in shown})


def _families(target: ActiveTarget, metric: str) -> Iterator[tuple[str, Metadata]]:
    families: Mapping[str, Metadata] = target.metadata
    if not metric:
        yield from families.items()
    elif metric in families:
        yield metric, families[metric]


def _metadata_fields(metadata: Metadata) -> dict[str, object]:
    return {"type": metadata.type.value, "help": metadata.help, "unit": metadata.unit}


def _active_fields(target: ActiveTarget, external_host: str) -> dict[str, object]:
    return {
        "discoveredLabels": dict(target.discovered_labels),
        "labels": dict(target.labels),
        "scrapePool": target.pool,
        "scrapeUrl": target.url,
        "globalUrl": _global_url(target.url, external_host),
        "lastError": target.last_error,
        "lastScrape": rfc3339(target.last_scrape_ms),
        "lastScrapeDuration": target.last_duration_seconds,
        "health": target.health.value,
        "scrapeInterval": format_duration_ms(target.interval_ms),
        "scrapeTimeout": format_duration_ms(target.timeout_ms),
    }


def _rule_fields(rule: RelabelConfig) -> dict[str, object]:
    """All that is set; separator, regex and replacement even if they are empty, as upstream."""
    fields = msgspec.structs.asdict(rule)
    return {n: v for n, v in fields.items() if v or n in ("separator", "regex", "replacement")}


def _required(value: str, name: str) -> str:
    if not value:
        raise ApiError(ErrorType.BAD_DATA, f"no {name} parameter provided")
    return value


def _external_host(external_url: str, request: web.Request) -> str:
    """The host under which clients reach this machine."""
    return urlsplit(external_url).hostname or request.url.host or ""


def _global_url(url: str, external_host: str) -> str:
    """The URL with a host that means something on other machines, too."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # discovery may bring any text as an address
        return url
    if parts.hostname not in _LOCALHOSTS or not external_host:
        return url
    return parts._replace(netloc=external_host + port).geturl()
