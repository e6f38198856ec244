"""The parts of Kubernetes objects that discovery reads; whatever else the API server sends is not kept.

Lists are null where the server has nothing to put in them, so each may be None.
Source: the Kubernetes API reference, v1, discovery.k8s.io/v1, networking.k8s.io/v1, apps/v1 and batch/v1.
"""

from typing import Any, Generic, TypeVar

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A piece of an object, its fields in snake case."""


class OwnerReference(Part, frozen=True, kw_only=True):
    kind: str = ""
    name: str = ""
    controller: bool | None = None


class ObjectMeta(Part, frozen=True, kw_only=True):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: tuple[OwnerReference, ...] | None = None

    @property
    def key(self) -> str:
        """What tells objects of a kind apart: `namespace/name`, or the name where there are no namespaces."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that controls the object."""
        return next((owner for owner in self.owner_references or () if owner.controller), None)


class KubeObject(Part, frozen=True, kw_only=True):
    """An object of any kind: nothing but its metadata."""

    metadata: ObjectMeta


class CustomObject(KubeObject, frozen=True, kw_only=True):
    """An object of a kind that a custom resource definition describes; checked by whoever reads it."""

    spec: dict[str, Any] | None = None
    status: dict[str, Any] | None = None


class ContainerPort(Part, frozen=True, kw_only=True):
    container_port: int
    name: str = ""
    protocol: str = "TCP"


class Container(Part, frozen=True, kw_only=True):
    name: str
    image: str = ""
    ports: tuple[ContainerPort, ...] | None = None


class PodSpec(Part, frozen=True, kw_only=True):
    node_name: str = ""
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None


class Condition(Part, frozen=True, kw_only=True):
    type: str = ""
    status: str = ""


class ContainerStatus(Part, frozen=True, kw_only=True):
    name: str = ""
    container_id: str = msgspec.field(default="", name="containerID")


class PodStatus(Part, frozen=True, kw_only=True):
    phase: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    host_ip: str = msgspec.field(default="", name="hostIP")
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None


class Pod(KubeObject, frozen=True, kw_only=True):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class ServicePort(Part, frozen=True, kw_only=True):
    port: int
    name: str = ""
    protocol: str = "TCP"


class ServiceSpec(Part, frozen=True, kw_only=True):
    type: str = "ClusterIP"
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    external_name: str = ""
    load_balancer_ip: str = msgspec.field(default="", name="loadBalancerIP")
    ip_families: tuple[str, ...] | None = None
    ip_family_policy: str | None = None
    ports: tuple[ServicePort, ...] | None = None


class LoadBalancerIngress(Part, frozen=True, kw_only=True):
    ip: str = ""


class LoadBalancerStatus(Part, frozen=True, kw_only=True):
    ingress: tuple[LoadBalancerIngress, ...] | None = None


class ServiceStatus(Part, frozen=True, kw_only=True):
    load_balancer: LoadBalancerStatus = LoadBalancerStatus()


class Service(KubeObject, frozen=True, kw_only=True):
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class ObjectReference(Part, frozen=True, kw_only=True):
    kind: str = ""
    name: str = ""
    namespace: str = ""


class EndpointAddress(Part, frozen=True, kw_only=True):
    ip: str
    hostname: str = ""
    node_name: str | None = None
    target_ref: ObjectReference | None = None


class EndpointPort(Part, frozen=True, kw_only=True):
    port: int
    name: str = ""
    protocol: str = "TCP"


class EndpointSubset(Part, frozen=True, kw_only=True):
    addresses: tuple[EndpointAddress, ...] | None = None
    not_ready_addresses: tuple[EndpointAddress, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None


class Endpoints(KubeObject, frozen=True, kw_only=True):
    subsets: tuple[EndpointSubset, ...] | None = None


class SliceConditions(Part, frozen=True, kw_only=True):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class SliceEndpoint(Part, frozen=True, kw_only=True):
    addresses: tuple[str, ...] | None = None
    conditions: SliceConditions = SliceConditions()
    hostname: str | None = None
    node_name: str | None = None
    zone: str | None = None
    target_ref: ObjectReference | None = None
    deprecated_topology: dict[str, str] | None = None


class SlicePort(Part, frozen=True, kw_only=True):
    name: str | None = None
    protocol: str | None = None
    port: int | None = None
    app_protocol: str | None = None


class EndpointSlice(KubeObject, frozen=True, kw_only=True):
    address_type: str = ""
    endpoints: tuple[SliceEndpoint, ...] | None = None
    ports: tuple[SlicePort, ...] | None = None


class NodeAddress(Part, frozen=True, kw_only=True):
    type: str = ""
    address: str = ""


class DaemonEndpoint(Part, frozen=True, kw_only=True):
    port: int = msgspec.field(default=0, name="Port")


class NodeDaemonEndpoints(Part, frozen=True, kw_only=True):
    kubelet_endpoint: DaemonEndpoint = DaemonEndpoint()


class NodeSpec(Part, frozen=True, kw_only=True):
    provider_id: str = msgspec.field(default="", name="providerID")


class NodeStatus(Part, frozen=True, kw_only=True):
    addresses: tuple[NodeAddress, ...] | None = None
    conditions: tuple[Condition, ...] | None = None
    daemon_endpoints: NodeDaemonEndpoints = NodeDaemonEndpoints()


class Node(KubeObject, frozen=True, kw_only=True):
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class IngressPath(Part, frozen=True, kw_only=True):
    path: str = ""


class IngressHttp(Part, frozen=True, kw_only=True):
    paths: tuple[IngressPath, ...] | None = None


class IngressRule(Part, frozen=True, kw_only=True):
    host: str = ""
    http: IngressHttp | None = None


class IngressTls(Part, frozen=True, kw_only=True):
    hosts: tuple[str, ...] | None = None


class IngressSpec(Part, frozen=True, kw_only=True):
    ingress_class_name: str | None = None
    rules: tuple[IngressRule, ...] | None = None
    tls: tuple[IngressTls, ...] | None = None


class Ingress(KubeObject, frozen=True, kw_only=True):
    spec: IngressSpec = IngressSpec()


ObjectT = TypeVar("ObjectT", bound=KubeObject)


class ListMeta(Part, frozen=True, kw_only=True):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class ObjectList(Part, Generic[ObjectT], frozen=True, kw_only=True):
    """A page of a list."""

    metadata: ListMeta = ListMeta()
    items: tuple[ObjectT, ...] | None = None


class WatchEvent(Part, frozen=True, kw_only=True):
    """A line of a watch; `object` is a bookmark's metadata or a Status where `type` says so."""

    type: str
    object: msgspec.Raw


class ApiStatus(Part, frozen=True, kw_only=True):
    """What the API server says instead of an answer."""

    code: int = 0
    message: str = ""
