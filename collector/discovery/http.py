"""`http_sd_configs`: asks a URL for target groups."""

import re
from typing import Final

from collector.clock import Clock
from collector.discovery.metrics import RefreshMetrics
from collector.discovery.refresh import RefreshDiscovery
from collector.discovery.target_groups import groups_of_json
from collector.discovery_config import HttpDiscoveryConfig
from collector.errors import CollectorError, DiscoveryError
from collector.fetch import Fetcher, Request
from collector.target import META_PREFIX, TargetGroup

_JSON_TYPE: Final = re.compile(r'application/json(;\s*charset=("utf-8"|utf-8))?', re.IGNORECASE)


def http_discovery(
    config: HttpDiscoveryConfig, fetcher: Fetcher, clock: Clock, metrics: RefreshMetrics, job_name: str
) -> RefreshDiscovery:
    """The discovery of one section; the fetcher becomes its own."""
    seconds = config.refresh_interval_ms / 1000
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": "miniprom",
        "X-Prometheus-Refresh-Interval-Seconds": f"{seconds:.15g}",
    }
    request = Request(config.url, headers, timeout_ms=config.refresh_interval_ms)

    async def look() -> list[TargetGroup]:
        try:
            response = await fetcher.fetch(request)
            if not _JSON_TYPE.fullmatch(response.content_type.strip()):
                raise DiscoveryError(f'unsupported content type "{response.content_type}"')
            return groups_of_json(response.body, config.url, {META_PREFIX + "url": config.url})
        except CollectorError:
            metrics.http_failures.inc()
            raise

    return RefreshDiscovery(
        look,
        config.refresh_interval_ms,
        clock,
        metrics,
        mechanism="http",
        job_name=job_name,
        close=fetcher.close,
    )
