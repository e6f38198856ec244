"""From a section of the configuration to the discovery that does what it says."""

from dataclasses import dataclass

from collector.clock import Clock
from collector.discovery.dns import dns_discovery
from collector.discovery.dns_resolver import Resolver
from collector.discovery.file import FileDiscovery
from collector.discovery.http import http_discovery
from collector.discovery.kubernetes.access import Surroundings
from collector.discovery.metrics import DiscoveryMetrics
from collector.discovery.provider import Discovery
from collector.discovery_config import (
    DiscoveryConfig,
    DnsDiscoveryConfig,
    FileDiscoveryConfig,
    HttpDiscoveryConfig,
    KubernetesConfig,
)
from collector.fetch import HttpFetcher


@dataclass(frozen=True)
class DiscoveryFactory:
    """What all discoveries share."""

    clock: Clock
    metrics: DiscoveryMetrics
    surroundings: Surroundings

    def create(self, config: DiscoveryConfig, job_name: str) -> Discovery:
        """The discovery of a section of a job. Raises `DiscoveryError`."""
        clock, refresh = self.clock, self.metrics.refresh
        match config:
            case FileDiscoveryConfig():
                return FileDiscovery(config, clock, refresh)
            case HttpDiscoveryConfig():
                return http_discovery(config, HttpFetcher(config.http), clock, refresh, job_name)
            case DnsDiscoveryConfig():
                return dns_discovery(config, Resolver(), clock, refresh, job_name)
            case KubernetesConfig():
                from collector.discovery.kubernetes.discovery import (  # noqa: PLC0415  0.4 MB
                    KubernetesDiscovery,
                )

                return KubernetesDiscovery(config, self.surroundings, clock, self.metrics.kubernetes)
