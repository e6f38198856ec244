"""Roles service, ingress and node. Pure."""

from collections.abc import Iterator
from typing import Final

from collector.discovery.kubernetes.labels import (
    META,
    NAMESPACE,
    LabelSet,
    Lookup,
    host_port,
    meta_name,
    namespace_labels,
    object_labels,
)
from collector.discovery.kubernetes.objects import Ingress, IngressRule, Node, Service
from collector.discovery_config import KubernetesMetadata
from collector.target import ADDRESS, TargetGroup

# By preference; upstream's nodeAddress.
_NODE_ADDRESSES: Final = (
    "InternalIP",
    "InternalDNS",
    "ExternalIP",
    "ExternalDNS",
    "LegacyHostIP",
    "Hostname",
)


def service_group(service: Service, lookup: Lookup, attach: KubernetesMetadata) -> TargetGroup:
    """A target for each port of a service, at its DNS name: for black-box probes."""
    metadata = service.metadata
    labels = {NAMESPACE: metadata.namespace, **object_labels(metadata, "service")}
    if attach.namespace:
        labels |= namespace_labels(lookup, metadata.namespace)
    host = f"{metadata.name}.{metadata.namespace}.svc"
    targets = tuple(
        {
            ADDRESS: host_port(host, port.port),
            META + "service_port_name": port.name,
            META + "service_port_number": str(port.port),
            META + "service_port_protocol": port.protocol,
            **_service_addresses(service),
        }
        for port in service.spec.ports or ()
    )
    return TargetGroup(targets, labels, f"svc/{metadata.key}")


def ingress_group(ingress: Ingress, lookup: Lookup, attach: KubernetesMetadata) -> TargetGroup:
    """A target for each path of each rule of an ingress: for black-box probes."""
    metadata = ingress.metadata
    labels = {
        NAMESPACE: metadata.namespace,
        META + "ingress_class_name": ingress.spec.ingress_class_name or "",
        **object_labels(metadata, "ingress"),
    }
    if attach.namespace:
        labels |= namespace_labels(lookup, metadata.namespace)
    patterns = [host for tls in ingress.spec.tls or () for host in tls.hosts or ()]
    targets = tuple(
        {
            ADDRESS: rule.host,
            META + "ingress_scheme": _scheme(rule.host, patterns),
            META + "ingress_host": rule.host,
            META + "ingress_path": path,
        }
        for rule in ingress.spec.rules or ()
        for path in _paths(rule)
    )
    return TargetGroup(targets, labels, f"ingress/{metadata.key}")


def node_group(node: Node, _lookup: Lookup, _attach: KubernetesMetadata) -> TargetGroup:
    """One target: the node's kubelet. None for a node without an address."""
    metadata, status = node.metadata, node.status
    source = f"node/{metadata.name}"
    addresses: dict[str, str] = {}
    for address in status.addresses or ():
        addresses.setdefault(address.type, address.address)
    host = next((addresses[kind] for kind in _NODE_ADDRESSES if kind in addresses), None)
    if host is None:
        return TargetGroup((), {}, source)
    target = {
        ADDRESS: host_port(host, status.daemon_endpoints.kubelet_endpoint.port),
        "instance": metadata.name,
        **{f"{META}node_address_{meta_name(kind)}": address for kind, address in addresses.items()},
    }
    conditions = {
        f"{META}node_condition_{meta_name(condition.type.lower())}": condition.status.lower()
        for condition in status.conditions or ()
    }
    provider = {META + "node_provider_id": node.spec.provider_id}
    return TargetGroup((target,), {**provider, **conditions, **object_labels(metadata, "node")}, source)


def _service_addresses(service: Service) -> LabelSet:
    spec = service.spec
    labels = {META + "service_type": spec.type}
    if spec.type == "ExternalName":
        labels[META + "service_external_name"] = spec.external_name
    else:
        labels[META + "service_cluster_ip"] = spec.cluster_ip
    if spec.type == "LoadBalancer":
        ips = [ingress.ip for ingress in service.status.load_balancer.ingress or () if ingress.ip]
        labels[META + "service_loadbalancer_ip"] = ",".join(ips) or spec.load_balancer_ip
    return labels


def _paths(rule: IngressRule) -> Iterator[str]:
    if rule.http is None:
        yield "/"
        return
    for path in rule.http.paths or ():
        yield path.path or "/"


def _scheme(host: str, tls_patterns: list[str]) -> str:
    return "https" if any(_matches(pattern, host) for pattern in tls_patterns) else "http"


def _matches(pattern: str, host: str) -> bool:
    """A leading `*` stands for exactly one label of the name."""
    if pattern.startswith("*."):
        return "." in host and pattern[1:] == host[host.index(".") :]
    return pattern == host
