"""PodMonitor and ServiceMonitor objects of the Prometheus Operator, monitoring.coreos.com/v1, as written.

`REFUSED` names what a monitor can ask for and miniprom does not do; such a monitor is skipped with a warning.
"""

from typing import Final, Literal

import msgspec

from collector.config import ScrapeProtocol
from collector.discovery.kubernetes.objects import Part
from collector.http_config import TlsVersion


class LabelCondition(Part, frozen=True, kw_only=True):
    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] | None = None


class LabelSelector(Part, frozen=True, kw_only=True):
    match_labels: dict[str, str] | None = None
    match_expressions: tuple[LabelCondition, ...] | None = None


class NamespaceSelector(Part, frozen=True, kw_only=True):
    any: bool = False
    match_names: tuple[str, ...] | None = None


class Relabeling(Part, frozen=True, kw_only=True):
    source_labels: tuple[str, ...] | None = None
    separator: str | None = None
    target_label: str | None = None
    regex: str | None = None
    modulus: int | None = None
    replacement: str | None = None
    action: str | None = None


class MonitorTls(Part, frozen=True, kw_only=True):
    server_name: str = ""
    insecure_skip_verify: bool = False
    min_version: TlsVersion = ""
    max_version: TlsVersion = ""
    ca_file: str = ""


class MonitorEndpoint(Part, frozen=True, kw_only=True):
    """What `podMetricsEndpoints` and `endpoints` have in common."""

    port: str = ""
    port_number: int | None = None
    target_port: int | str | None = None
    path: str = ""
    scheme: Literal["", "http", "https", "HTTP", "HTTPS"] = ""
    params: dict[str, tuple[str, ...]] | None = None
    interval: str = ""
    scrape_timeout: str = ""
    honor_labels: bool = False
    honor_timestamps: bool = True
    track_timestamps_staleness: bool = False
    relabelings: tuple[Relabeling, ...] | None = None
    metric_relabelings: tuple[Relabeling, ...] | None = None
    proxy_url: str | None = None
    no_proxy: str | None = None
    proxy_from_environment: bool | None = None
    follow_redirects: bool | None = None
    filter_running: bool = True
    tls_config: MonitorTls | None = None


class AttachedMetadata(Part, frozen=True, kw_only=True):
    node: bool = False


class MonitorSpec(Part, frozen=True, kw_only=True):
    """Both kinds: a ServiceMonitor has `endpoints`, a PodMonitor `podMetricsEndpoints`."""

    selector: LabelSelector = LabelSelector()
    namespace_selector: NamespaceSelector = NamespaceSelector()
    pod_metrics_endpoints: tuple[MonitorEndpoint, ...] | None = None
    endpoints: tuple[MonitorEndpoint, ...] | None = None
    job_label: str = ""
    target_labels: tuple[str, ...] | None = None
    pod_target_labels: tuple[str, ...] | None = None
    attach_metadata: AttachedMetadata | None = None
    sample_limit: int = 0
    target_limit: int = 0
    label_limit: int = 0
    label_name_length_limit: int = 0
    label_value_length_limit: int = 0
    keep_dropped_targets: int = 0
    body_size_limit: str = ""
    scrape_protocols: tuple[ScrapeProtocol, ...] | None = None
    fallback_scrape_protocol: ScrapeProtocol | Literal[""] = ""
    scrape_native_histograms: bool | None = None
    scrape_classic_histograms: bool | None = None
    native_histogram_bucket_limit: int = 0
    native_histogram_min_bucket_factor: str | float = 0.0
    convert_classic_histograms_to_nhcb: bool | None = msgspec.field(
        default=None, name="convertClassicHistogramsToNHCB"
    )
    service_discovery_role: Literal["Endpoints", "EndpointSlice"] = "Endpoints"


REFUSED: Final = (
    "basicAuth",
    "authorization",
    "oauth2",
    "bearerTokenSecret",
    "bearerTokenFile",
    "proxyConnectHeader",
    "tlsConfig.ca",
    "tlsConfig.cert",
    "tlsConfig.keySecret",
    "tlsConfig.certFile",
    "tlsConfig.keyFile",
)
"""Keys of an endpoint: they need secrets of the cluster, or would lend the server's own files to targets."""


def is_given(value: object) -> bool:
    """Whether a key says anything: clients fill in empty sections."""
    if isinstance(value, dict):
        return any(is_given(inner) for inner in value.values())
    return bool(value)


def decode_spec(spec: object) -> MonitorSpec:
    """The spec of a monitor. Raises `msgspec.ValidationError`."""
    return msgspec.convert(spec, MonitorSpec)
