"""`dns_sd_configs`: a target for each record of a name."""

import asyncio
import logging
from typing import Final

from collector.clock import Clock
from collector.discovery.dns_message import Record
from collector.discovery.dns_resolver import Resolver
from collector.discovery.metrics import RefreshMetrics
from collector.discovery.refresh import RefreshDiscovery
from collector.discovery_config import DnsDiscoveryConfig
from collector.errors import DiscoveryError
from collector.target import ADDRESS, META_PREFIX, TargetGroup

_log: Final = logging.getLogger(__name__)

_META: Final = META_PREFIX + "dns_"


def dns_discovery(
    config: DnsDiscoveryConfig, resolver: Resolver, clock: Clock, metrics: RefreshMetrics, job_name: str
) -> RefreshDiscovery:
    """The discovery of one section. A name that can't be looked up keeps the targets that it had."""
    known: dict[str, TargetGroup] = {}

    async def look_up(name: str) -> None:
        metrics.dns_lookups.inc()
        try:
            answer = await resolver.look_up(name, config.type)
        except DiscoveryError as error:
            metrics.dns_failures.inc()
            _log.error("Error refreshing DNS targets", extra={"err": str(error)})
            return
        targets = tuple(
            record_labels(record, name, config.port) for record in answer.records if record.type != "CNAME"
        )
        known[name] = TargetGroup(targets, {}, name)

    async def look() -> list[TargetGroup]:
        await asyncio.gather(*map(look_up, config.names))
        return [known[name] for name in config.names if name in known]

    return RefreshDiscovery(
        look, config.refresh_interval_ms, clock, metrics, mechanism="dns", job_name=job_name
    )


def record_labels(record: Record, name: str, port: int) -> dict[str, str]:
    """The target behind a record; `port` is the configured one, which SRV records have themselves."""
    host = record.target.rstrip(".")
    labels = {_META + "name": name}
    if record.type == "SRV":
        port = record.port
        labels[_META + "srv_record_target"] = record.target
        labels[_META + "srv_record_port"] = str(record.port)
    elif record.type in ("MX", "NS"):
        labels[f"{_META}{record.type.lower()}_record_target"] = record.target
    return {ADDRESS: f"[{host}]:{port}" if ":" in host else f"{host}:{port}", **labels}
