"""The kinds of objects that discovery watches, and where the API server keeps them."""

from dataclasses import dataclass
from typing import Generic

from collector.discovery.kubernetes.objects import (
    Endpoints,
    EndpointSlice,
    Ingress,
    KubeObject,
    Node,
    ObjectT,
    Pod,
    Service,
)


@dataclass(frozen=True)
class Resource(Generic[ObjectT]):
    """A kind: its group and version as a path, its plural name, and what is kept of its objects."""

    api: str
    plural: str
    type: type[ObjectT]

    def path(self, namespace: str = "") -> str:
        """Where its objects are listed: those of one namespace, or all."""
        scope = f"namespaces/{namespace}/" if namespace else ""
        return f"/{self.api}/{scope}{self.plural}"


PODS = Resource("api/v1", "pods", Pod)
SERVICES = Resource("api/v1", "services", Service)
ENDPOINTS = Resource("api/v1", "endpoints", Endpoints)
NODES = Resource("api/v1", "nodes", Node)
NAMESPACES = Resource("api/v1", "namespaces", KubeObject)
ENDPOINT_SLICES = Resource("apis/discovery.k8s.io/v1", "endpointslices", EndpointSlice)
INGRESSES = Resource("apis/networking.k8s.io/v1", "ingresses", Ingress)
REPLICA_SETS = Resource("apis/apps/v1", "replicasets", KubeObject)
JOBS = Resource("apis/batch/v1", "jobs", KubeObject)
