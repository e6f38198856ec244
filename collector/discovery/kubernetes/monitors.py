"""From PodMonitor and ServiceMonitor objects to scrape jobs, with the rules that the operator writes. Pure.

Source: prometheus-operator, generatePodMonitorConfig and generateServiceMonitorConfig.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from collector.config import ScrapeConfig
from collector.discovery.kubernetes.labels import META, NAMESPACE, meta_name
from collector.discovery.kubernetes.monitor_spec import (
    REFUSED,
    LabelSelector,
    MonitorEndpoint,
    MonitorSpec,
    Relabeling,
    decode_spec,
    is_given,
)
from collector.discovery.kubernetes.objects import CustomObject, ObjectMeta
from collector.discovery.kubernetes.resources import Resource
from collector.discovery_config import (
    KubernetesConfig,
    KubernetesMetadata,
    KubernetesNamespaces,
    KubernetesRole,
)
from collector.errors import CollectorError, DiscoveryError
from collector.http_config import HttpClientConfig, TlsConfig
from collector.relabel import RelabelConfig
from collector.units import parse_duration_ms, parse_size_bytes

POD_MONITORS: Final = Resource("apis/monitoring.coreos.com/v1", "podmonitors", CustomObject)
SERVICE_MONITORS: Final = Resource("apis/monitoring.coreos.com/v1", "servicemonitors", CustomObject)
RULES: Final = Resource("apis/monitoring.coreos.com/v1", "prometheusrules", CustomObject)

_SETTINGS: Final = (
    "sample_limit",
    "target_limit",
    "label_limit",
    "label_name_length_limit",
    "label_value_length_limit",
    "keep_dropped_targets",
    "scrape_protocols",
    "fallback_scrape_protocol",
    "scrape_native_histograms",
    "native_histogram_bucket_limit",
    "convert_classic_histograms_to_nhcb",
)
"""What a monitor says of all its jobs, in Prometheus's own words."""
_NOT_RUNNING: Final = RelabelConfig(
    source_labels=(META + "pod_phase",), regex="(Failed|Succeeded)", action="drop"
)
_PORT_NAME: Final = META + "pod_container_port_name"
_PORT_NUMBER: Final = META + "pod_container_port_number"


@dataclass(frozen=True)
class MonitorKind:
    """How a kind of monitor differs from others: what it selects, and what it looks at for that.

    `address` begins the names of the labels that tell of one address.
    """

    name: str
    resource: Resource[CustomObject]
    job_prefix: str
    role: KubernetesRole
    selected: str
    address: str


_SERVICES: Final = MonitorKind(
    "ServiceMonitor", SERVICE_MONITORS, "serviceMonitor", "endpoints", "service", "endpoint_"
)
_SLICES: Final = replace(_SERVICES, role="endpointslice", address="endpointslice_")
KINDS: Final = (
    MonitorKind("PodMonitor", POD_MONITORS, "podMonitor", "pod", "pod", "pod_container_"),
    _SERVICES,
)


def jobs_of(kind: MonitorKind, monitor: CustomObject, kubeconfig_file: str = "") -> tuple[ScrapeConfig, ...]:
    """A job for each endpoint of a monitor; defaults are not filled in. Raises `DiscoveryError`.

    The jobs discover with the access of a kubeconfig, or else with that of the pod.
    """
    metadata = monitor.metadata
    try:
        spec = decode_spec(monitor.spec or {})
        endpoints = spec.pod_metrics_endpoints if kind.role == "pod" else spec.endpoints
        raw = (monitor.spec or {}).get("podMetricsEndpoints" if kind.role == "pod" else "endpoints") or ()
        _refuse(raw)
        if kind is _SERVICES and spec.service_discovery_role == "EndpointSlice":
            kind = _SLICES
        discovery = _discovery(kind, metadata, spec, kubeconfig_file)
        return tuple(
            _job(
                spec,
                endpoint,
                job_name=f"{kind.job_prefix}/{metadata.key}/{position}",
                discovery=discovery,
                rules=tuple(_rules(kind, metadata, spec, endpoint)),
            )
            for position, endpoint in enumerate(endpoints or ())
        )
    except (CollectorError, msgspec.MsgspecError) as error:
        raise DiscoveryError(f"{kind.job_prefix} {metadata.key}: {error}") from error


def _refuse(endpoints: Any) -> None:
    for endpoint in endpoints:
        for path in REFUSED:
            value = endpoint
            for key in path.split("."):
                value = value.get(key) if isinstance(value, Mapping) else None
            if is_given(value):
                raise DiscoveryError(f'"{path}" is not supported by miniprom')


def _job(
    spec: MonitorSpec,
    endpoint: MonitorEndpoint,
    *,
    job_name: str,
    discovery: KubernetesConfig,
    rules: tuple[RelabelConfig, ...],
) -> ScrapeConfig:
    settings: dict[str, Any] = {name: getattr(spec, name) for name in _SETTINGS}
    if endpoint.path:
        settings["metrics_path"] = endpoint.path
    if endpoint.scheme:
        settings["scheme"] = endpoint.scheme.lower()
    return ScrapeConfig(
        **settings,
        job_name=job_name,
        scrape_interval_ms=_duration_ms(endpoint.interval),
        scrape_timeout_ms=_duration_ms(endpoint.scrape_timeout),
        params=endpoint.params or {},
        honor_labels=endpoint.honor_labels,
        honor_timestamps=endpoint.honor_timestamps,
        track_timestamps_staleness=endpoint.track_timestamps_staleness,
        body_size_limit_bytes=parse_size_bytes(spec.body_size_limit) if spec.body_size_limit else 0,
        always_scrape_classic_histograms=spec.scrape_classic_histograms,
        native_histogram_min_bucket_factor=_quantity(spec.native_histogram_min_bucket_factor),
        http=_http(endpoint),
        kubernetes_sd_configs=(discovery,),
        relabel_configs=rules,
        metric_relabel_configs=tuple(map(_relabeling, endpoint.metric_relabelings or ())),
    )


def _duration_ms(text: str) -> int:
    return parse_duration_ms(text) if text else 0


def _quantity(given: str | float) -> float:
    """A number as Kubernetes writes it: 1.1, or 1100m."""
    text = str(given)
    try:
        return float(text.removesuffix("m")) / (1000 if text.endswith("m") else 1)
    except ValueError:
        raise DiscoveryError(f'expected a number, got "{text}"') from None


def _http(endpoint: MonitorEndpoint) -> HttpClientConfig:
    tls = endpoint.tls_config
    return HttpClientConfig(
        proxy_url=endpoint.proxy_url or "",
        no_proxy=endpoint.no_proxy or "",
        proxy_from_environment=endpoint.proxy_from_environment is True,
        follow_redirects=endpoint.follow_redirects is not False,
        tls_config=TlsConfig(
            ca_file=tls.ca_file,
            server_name=tls.server_name,
            insecure_skip_verify=tls.insecure_skip_verify,
            min_version=tls.min_version,
            max_version=tls.max_version,
        )
        if tls
        else TlsConfig(),
    )


def _discovery(
    kind: MonitorKind, metadata: ObjectMeta, spec: MonitorSpec, kubeconfig_file: str
) -> KubernetesConfig:
    selector = spec.namespace_selector
    names = () if selector.any else tuple(selector.match_names or (metadata.namespace,))
    attached = spec.attach_metadata
    return KubernetesConfig(
        role=kind.role,
        kubeconfig_file=kubeconfig_file,
        namespaces=KubernetesNamespaces(names=names),
        attach_metadata=KubernetesMetadata(node=bool(attached and attached.node)),
    )


def _rules(
    kind: MonitorKind, metadata: ObjectMeta, spec: MonitorSpec, endpoint: MonitorEndpoint
) -> Iterator[RelabelConfig]:
    """In the operator's order: which targets, their labels, their job, and then the monitor's own rules."""
    yield RelabelConfig(source_labels=("job",), target_label="__tmp_prometheus_job_name")
    if endpoint.filter_running:
        yield _NOT_RUNNING
    yield from _selection(f"{META}{kind.selected}_", spec.selector)
    port = _port(kind, endpoint)
    if port:
        label, value = port
        yield RelabelConfig(source_labels=(label,), regex=value, action="keep")
    yield from _POD_LABELS if kind.role == "pod" else _service_labels(kind)
    for name in spec.target_labels or () if kind.role != "pod" else ():
        yield _copied(META + "service_label_" + meta_name(name), meta_name(name))
    for name in spec.pod_target_labels or ():
        yield _copied(META + "pod_label_" + meta_name(name), meta_name(name))
    if kind.role == "pod":
        yield RelabelConfig(target_label="job", replacement=metadata.key)
    else:
        yield RelabelConfig(source_labels=(META + "service_name",), target_label="job", replacement="${1}")
    if spec.job_label:
        yield _copied(f"{META}{kind.selected}_label_{meta_name(spec.job_label)}", "job")
    if port and not endpoint.port_number:
        yield RelabelConfig(target_label="endpoint", replacement=port[1])
    yield from map(_relabeling, endpoint.relabelings or ())


def _selection(prefix: str, selector: LabelSelector) -> Iterator[RelabelConfig]:
    def rule(name: str, values: str | None, action: str) -> RelabelConfig:
        present = f"{prefix}labelpresent_{meta_name(name)}"
        if values is None:
            return RelabelConfig(source_labels=(present,), regex="true", action=action)
        labels = (f"{prefix}label_{meta_name(name)}", present)
        return RelabelConfig(source_labels=labels, regex=f"({values});true", action=action)

    for name, value in sorted((selector.match_labels or {}).items()):
        yield rule(name, value, "keep")
    for condition in selector.match_expressions or ():
        has_values = condition.operator in ("In", "NotIn")
        values = "|".join(condition.values or ()) if has_values else None
        action = "keep" if condition.operator in ("In", "Exists") else "drop"
        yield rule(condition.key, values, action)


def _port(kind: MonitorKind, endpoint: MonitorEndpoint) -> tuple[str, str] | None:
    """The label that a target's port is known by, and the value it must have."""
    if endpoint.port:
        return f"{META}{kind.address}port_name", endpoint.port
    number = endpoint.port_number or endpoint.target_port
    if not number:
        return None
    return (_PORT_NAME if isinstance(number, str) else _PORT_NUMBER), str(number)


def _relabeling(given: Relabeling) -> RelabelConfig:
    fields = {name: getattr(given, name) for name in given.__struct_fields__}
    return RelabelConfig(**{name: value for name, value in fields.items() if value is not None})


def _copied(source: str, target: str) -> RelabelConfig:
    """A label's value, where it has one."""
    return RelabelConfig(source_labels=(source,), target_label=target, regex="(.+)", replacement="${1}")


def _renamed(source: str, target: str) -> RelabelConfig:
    return RelabelConfig(source_labels=(source,), target_label=target)


def _service_labels(kind: MonitorKind) -> tuple[RelabelConfig, ...]:
    target = tuple(f"{META}{kind.address}address_target_{part}" for part in ("kind", "name"))

    def name_of(what: str, label: str) -> RelabelConfig:
        return RelabelConfig(
            source_labels=target, regex=f"{what};(.*)", replacement="${1}", target_label=label
        )

    return (
        name_of("Node", "node"),
        name_of("Pod", "pod"),
        _renamed(NAMESPACE, "namespace"),
        _renamed(META + "service_name", "service"),
        _renamed(META + "pod_name", "pod"),
        _renamed(META + "pod_container_name", "container"),
    )


_POD_LABELS: Final = (
    _renamed(NAMESPACE, "namespace"),
    _renamed(META + "pod_container_name", "container"),
    _renamed(META + "pod_name", "pod"),
)
