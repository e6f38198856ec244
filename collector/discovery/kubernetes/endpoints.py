"""Roles endpoints and endpointslice: a target for each address and port of a service. Pure.

Where a pod stands behind an address, its labels are added, and its other container ports become targets, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from collector.discovery.kubernetes.labels import (
    META,
    NAMESPACE,
    LabelSet,
    Lookup,
    host_port,
    meta_bool,
    meta_name,
    namespace_labels,
    node_labels,
    object_labels,
)
from collector.discovery.kubernetes.objects import (
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    ObjectReference,
    Pod,
    Service,
    SliceEndpoint,
    SlicePort,
)
from collector.discovery.kubernetes.pods import containers, pod_labels, port_labels
from collector.discovery.kubernetes.resources import PODS, SERVICES
from collector.discovery_config import KubernetesMetadata
from collector.target import ADDRESS, TargetGroup

_SERVICE_NAME: Final = "kubernetes.io/service-name"
_PROTOCOL: Final = META + "pod_container_port_protocol"
_DUAL_STACK: Final = ("PreferDualStack", "RequireDualStack")


def endpoints_group(endpoints: Endpoints, lookup: Lookup, attach: KubernetesMetadata) -> TargetGroup:
    """The targets of an Endpoints object."""
    metadata = endpoints.metadata
    labels = {
        NAMESPACE: metadata.namespace,
        **_service_labels(lookup.get(SERVICES, metadata.key)),
        **object_labels(metadata, "endpoints"),
    }
    if attach.namespace:
        labels |= namespace_labels(lookup, metadata.namespace)
    behind = _PodsBehind(lookup, attach)
    targets = []
    for address, port, ready in _addresses(endpoints):
        target = _endpoint_labels(address, port, ready)
        if attach.node:
            target |= node_labels(lookup, address.node_name or _node_of(address.target_ref))
        target |= behind.labels(address.target_ref, port.port, port.protocol)
        targets.append(target)
    return TargetGroup((*targets, *behind.other_ports()), labels, f"endpoints/{metadata.key}")


def endpoint_slice_group(
    endpoint_slice: EndpointSlice, lookup: Lookup, attach: KubernetesMetadata
) -> TargetGroup:
    """The targets of an EndpointSlice; those of a dual-stack service's second family would be repeats."""
    metadata = endpoint_slice.metadata
    source = f"endpointslice/{metadata.key}"
    service_name = (metadata.labels or {}).get(_SERVICE_NAME)
    service = lookup.get(SERVICES, f"{metadata.namespace}/{service_name}") if service_name else None
    if service and _is_second_family(service, endpoint_slice):
        return TargetGroup((), {}, source)
    labels = {
        NAMESPACE: metadata.namespace,
        META + "endpointslice_address_type": endpoint_slice.address_type,
        **object_labels(metadata, "endpointslice"),
        **_service_labels(service),
    }
    if attach.namespace:
        labels |= namespace_labels(lookup, metadata.namespace)
    behind = _PodsBehind(lookup, attach)
    targets = []
    for endpoint in endpoint_slice.endpoints or ():
        for port in endpoint_slice.ports or ():
            for address in endpoint.addresses or ():
                target = _slice_labels(address, endpoint, port)
                if attach.node:
                    target |= node_labels(lookup, _node_of(endpoint.target_ref) or endpoint.node_name)
                target |= behind.labels(endpoint.target_ref, port.port)
                targets.append(target)
    return TargetGroup((*targets, *behind.other_ports()), labels, source)


@dataclass
class _PodsBehind:
    """The pods behind the addresses of one object, and which of their ports the service serves."""

    lookup: Lookup
    attach: KubernetesMetadata
    served: dict[str, tuple[Pod, set[int]]] = field(default_factory=dict)

    def labels(self, ref: ObjectReference | None, port: int | None, protocol: str | None = None) -> LabelSet:
        """The labels of the pod, and of its container port with that number."""
        pod = self.lookup.get(PODS, f"{ref.namespace}/{ref.name}") if ref and ref.kind == "Pod" else None
        if pod is None:
            return {}
        _, ports = self.served.setdefault(pod.metadata.key, (pod, set()))
        labels = pod_labels(pod, self.lookup, self.attach)
        if port is None:
            return labels
        ports.add(port)
        for container, is_init in containers(pod):
            matching = next((p for p in container.ports or () if p.container_port == port), None)
            if matching:
                labels |= port_labels(container, is_init, matching)
                if protocol is not None:
                    labels[_PROTOCOL] = protocol
        return labels

    def other_ports(self) -> Iterator[LabelSet]:
        """Targets for the container ports that the service does not serve."""
        for pod, served in self.served.values():
            if not pod.status.pod_ip:
                continue
            for container, is_init in containers(pod):
                for port in container.ports or ():
                    if port.container_port not in served:
                        yield {
                            ADDRESS: host_port(pod.status.pod_ip, port.container_port),
                            **port_labels(container, is_init, port),
                            **pod_labels(pod, self.lookup, self.attach),
                        }


def _addresses(endpoints: Endpoints) -> Iterator[tuple[EndpointAddress, EndpointPort, bool]]:
    for subset in endpoints.subsets or ():
        for port in subset.ports or ():
            for address in subset.addresses or ():
                yield address, port, True
            for address in subset.not_ready_addresses or ():
                yield address, port, False


def _endpoint_labels(address: EndpointAddress, port: EndpointPort, ready: bool) -> LabelSet:
    labels = {
        ADDRESS: host_port(address.ip, port.port),
        META + "endpoint_port_name": port.name,
        META + "endpoint_port_protocol": port.protocol,
        META + "endpoint_ready": meta_bool(ready),
        META + "endpoint_node_name": address.node_name or "",
        META + "endpoint_hostname": address.hostname,
    }
    return labels | _reference_labels("endpoint", address.target_ref)


def _slice_labels(address: str, endpoint: SliceEndpoint, port: SlicePort) -> LabelSet:
    labels = {ADDRESS: address if port.port is None else host_port(address, port.port)}
    conditions = endpoint.conditions
    for name, value in (
        ("port_name", port.name),
        ("port_protocol", port.protocol),
        ("port", port.port),
        ("port_app_protocol", port.app_protocol),
        ("endpoint_conditions_ready", conditions.ready),
        ("endpoint_conditions_serving", conditions.serving),
        ("endpoint_conditions_terminating", conditions.terminating),
        ("endpoint_hostname", endpoint.hostname),
        ("endpoint_node_name", endpoint.node_name),
        ("endpoint_zone", endpoint.zone),
    ):
        if value is not None:
            labels[f"{META}endpointslice_{name}"] = (
                meta_bool(value) if isinstance(value, bool) else str(value)
            )
    for name, value in (endpoint.deprecated_topology or {}).items():
        labels[f"{META}endpointslice_endpoint_topology_{meta_name(name)}"] = value
        labels[f"{META}endpointslice_endpoint_topology_present_{meta_name(name)}"] = "true"
    return labels | _reference_labels("endpointslice", endpoint.target_ref)


def _reference_labels(role: str, ref: ObjectReference | None) -> LabelSet:
    if ref is None:
        return {}
    return {
        f"{META}{role}_address_target_kind": ref.kind,
        f"{META}{role}_address_target_name": ref.name,
    }


def _service_labels(service: Service | None) -> LabelSet:
    return object_labels(service.metadata, "service") if service else {}


def _node_of(ref: ObjectReference | None) -> str:
    return ref.name if ref and ref.kind == "Node" else ""


def _is_second_family(service: Service, endpoint_slice: EndpointSlice) -> bool:
    """Upstream's nonPrimaryIPFamilySlice: the first of the service's families can't be changed."""
    spec = service.spec
    if spec.ip_family_policy not in _DUAL_STACK or not spec.ip_families:
        return False
    return endpoint_slice.address_type != spec.ip_families[0]
